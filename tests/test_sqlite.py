"""A database file is what its path says, and is created whole or not at all."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from ablations.errors import UserError
from ablations.record.store import connect
from ablations.search import storage_at
from ablations.sqlite import create_once, database_file, is_missing, sqlite_url

ODD_NAMES = ["a b", "100%20", "what?", "a#b", "50%", "x{SCHEMA_VERSION}", "ü@home:1", "a'b\"c", "a+b&c=d;e"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_path_with_any_characters_is_the_file_that_is_opened(name: str, tmp_path: Path) -> None:
    file = tmp_path / name / "x.db"
    file.parent.mkdir()
    url = sqlite_url(file)
    assert database_file(url) == file
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("create table t (x int)"))
    engine.dispose()
    assert [path.relative_to(tmp_path) for path in tmp_path.rglob("*.db")] == [Path(name) / "x.db"]


@pytest.mark.parametrize("name", ["100%20", "what? #1 {x}", "ü@home:1 'a'"])
def test_mlflow_and_optuna_open_that_file_and_create_no_other_folder(name: str, tmp_path: Path) -> None:
    home = tmp_path / name
    home.mkdir()
    client = connect(sqlite_url(home / "mlflow.db"), create=True)
    experiment_id = client.create_experiment("e", (home / "artifacts" / "e").as_uri())
    client.log_text(client.create_run(experiment_id).info.run_id, "a text", "text.txt")
    storage_at(sqlite_url(home / "optuna.db")).get_all_studies()
    assert list(tmp_path.iterdir()) == [home]
    databases = {"mlflow.db", "mlflow.db.lock", "optuna.db", "optuna.db.lock"}
    assert {path.name for path in home.iterdir()} == databases | {"artifacts"}
    (file,) = home.glob("artifacts/e/*/artifacts/text.txt")
    assert file.read_text("utf-8") == "a text"


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "postgresql://host/db", "http://host:5000", "runs"])
def test_what_is_no_database_file_is_not_taken_for_one(url: str) -> None:
    assert database_file(url) is None


def _half(url: str) -> None:
    with closing(sqlite3.connect(database_file(url) or "")) as database, database:
        database.execute("create table half (x int)")
    raise KeyboardInterrupt


def _whole(url: str) -> None:
    with closing(sqlite3.connect(database_file(url) or "")) as database, database:
        database.execute("create table whole (x int)")


def test_a_database_whose_creation_was_interrupted_is_created_anew(tmp_path: Path) -> None:
    file = tmp_path / "x.db"
    with pytest.raises(KeyboardInterrupt):
        create_once(file, _half)
    assert is_missing(file)
    create_once(file, _whole)
    create_once(file, _half)  # it exists: nothing is done
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("select name from sqlite_master").fetchall() == [("whole",)]
    assert {path.name for path in tmp_path.iterdir()} == {"x.db", "x.db.lock"}


def test_an_empty_file_is_no_database_yet(tmp_path: Path) -> None:
    file = tmp_path / "x.db"
    file.touch()
    create_once(file, _whole)
    assert not is_missing(file)


def test_a_folder_is_not_created_for_a_database(tmp_path: Path) -> None:
    for opened in (lambda url: connect(url, create=True), storage_at):
        with pytest.raises(UserError, match="there is no folder"):
            opened(sqlite_url(tmp_path / "no" / "such" / "x.db"))
    assert not list(tmp_path.iterdir())


@pytest.mark.long
def test_several_processes_that_create_the_stores_at_once_all_succeed(tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
from ablations.record.store import connect
from ablations.search import storage_at
from ablations.sqlite import sqlite_url
home = Path(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
connect(sqlite_url(home / "mlflow.db"), create=True).create_experiment(sys.argv[2])
storage_at(sqlite_url(home / "optuna.db")).get_all_studies()
"""
    command = [sys.executable, "-c", script, str(tmp_path)]
    processes = [
        subprocess.Popen(
            [*command, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for name in "abcd"
    ]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    told = [process.communicate("go\n", timeout=110)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, told
    names = {experiment.name for experiment in connect(sqlite_url(tmp_path / "mlflow.db")).search_experiments()}
    assert names == {"Default", *"abcd"}
