"""A study on PostgreSQL and an MLflow server: disturbed or not, nothing is missing, and no password is shown."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Timer
from typing import Any
from urllib.parse import quote

import pytest
from builders.crashes import carry_out, doubles, store, tables_hash
from builders.ports import free_port
from builders.postgres import PASSWORD, Postgres, needs_postgres, postgres
from builders.tracking_server import TrackingServer, tracking_server

from ablations.errors import UserError
from ablations.record.store import MlflowClient, connect
from ablations.search import storage_at

ROOT = Path(__file__).parent.parent
pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]
AWAY = 30.0
"""Seconds for which a server is stopped."""


@pytest.fixture(scope="module")
def database() -> Iterator[Postgres]:
    needs_postgres()
    with postgres() as server:
        yield server


@pytest.fixture
def mlflow(database: Postgres, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[TrackingServer]:
    """A tracking server on a new database."""
    name = f"runs_{abs(hash(request.node.name))}"
    with tracking_server(database.create(name), tmp_path) as server:
        yield server


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The hash of the tables of the study in SQLite files."""
    home = tmp_path_factory.mktemp("undisturbed")
    carry_out(home)
    return tables_hash(store(home))


@pytest.mark.parametrize("away", ["postgres", "mlflow"])
def test_a_server_that_is_stopped_in_mid_study_and_started_again_costs_nothing(
    away: str,
    database: Postgres,
    mlflow: TrackingServer,
    tmp_path: Path,
    undisturbed: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """PostgreSQL has both databases: with it the MLflow server is up, and cannot answer."""
    server: Any = database if away == "postgres" else mlflow
    again = Timer(AWAY, server.start)
    answers = 0

    def at_point(name: str) -> None:
        nonlocal answers
        answers += name == "answer"
        if answers == 6 and not again.is_alive():
            server.stop()
            again.start()

    carry_out(tmp_path / "home", at_point, mlflow.uri, database.create(f"searches_{away}"))
    again.join()
    assert tables_hash(mlflow.uri) == undisturbed
    assert not doubles(mlflow.uri)
    assert not list((tmp_path / "home").rglob("*.pt"))
    told = [text for text in caplog.messages if "answer" in text]
    assert told
    assert all(
        "does not answer" in begin and "answers again" in end for begin, end in zip(told[::2], told[1::2], strict=True)
    )
    assert len(told) <= 4  # two servers


def command(home: Path, *arguments: str, **settings: str) -> subprocess.Popen[str]:
    """`ablate` in a process of its own. Its folder has the study's file."""
    home.mkdir(exist_ok=True)
    (home / "own.py").write_text("from builders.crashes import STUDY\n")
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"ABLATIONS_HOME": str(home / "results"), "PYTHONPATH": path, **settings}
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-m", "ablations", *arguments], env=environment, cwd=home, **pipes)


def ablate(home: Path, *arguments: str) -> tuple[int, str, str]:
    """Exit code and what is printed."""
    process = command(home, *arguments)
    printed, errors = process.communicate(timeout=300)
    return process.returncode, printed, errors


RUN = ("run", "own.py", "--scale", "smoke", "--executor", "serial", "--workers", "1")


def test_a_server_that_stays_away_ends_the_command_in_one_line_and_the_next_one_goes_on(
    mlflow: TrackingServer, tmp_path: Path, undisturbed: str
) -> None:
    arguments = [*RUN, "--tracking-uri", mlflow.uri]
    process = command(tmp_path / "home", *arguments, ABLATIONS_PATIENCE="3")
    client = MlflowClient(mlflow.uri)
    end = time.monotonic() + 120
    while not (found := client.get_experiment_by_name("small-smoke")) or not client.search_runs([found.experiment_id]):
        assert time.monotonic() < end
        time.sleep(0.05)
    mlflow.stop()
    began = time.monotonic()
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert time.monotonic() - began < 30
    begin, last = errors.splitlines()
    assert "does not answer" in begin
    assert re.match(
        r"error: the MLflow server http://127.0.0.1:\d+ has not answered for 3 s \(.*refused\); what is", last
    )
    mlflow.start()
    code, printed, _ = ablate(tmp_path / "home", *arguments)
    assert code == 0, printed
    assert tables_hash(mlflow.uri) == undisturbed
    assert not doubles(mlflow.uri)


def test_no_password_is_in_messages_record_or_report(
    database: Postgres, mlflow: TrackingServer, tmp_path: Path
) -> None:
    home, other = tmp_path / "home", "another-secret"
    uri = mlflow.uri.replace("http://", f"http://ada:{other}@")
    code, *said = ablate(home, *RUN, "--tracking-uri", uri, "--storage", database.create("searches_hidden"))
    assert code == 0, said
    for last in ("status", "report"):
        code, *more = ablate(home, last, "own.py", "--scale", "smoke", "--tracking-uri", uri)
        assert code == 0, more
        said += more
    client = MlflowClient(mlflow.uri)
    experiment = client.get_experiment_by_name("small-smoke")
    assert experiment
    said += [str(experiment.tags), *(str(run.data) for run in client.search_runs([experiment.experiment_id]))]
    files = [path for path in (tmp_path).rglob("*") if path.is_file() and path.suffix != ".log"]
    assert {".html", ".pdf", ".csv", ".tex"} <= {path.suffix for path in files}
    pdf = next(path for path in files if path.suffix == ".pdf")
    if shutil.which("pdftotext"):
        said.append(subprocess.run(["pdftotext", str(pdf), "-"], capture_output=True, text=True).stdout)
    said += [path.read_bytes().decode("latin-1") for path in files]
    assert any("--storage 'postgresql+psycopg2://ada:***@" in text for text in said)
    for secret in (PASSWORD, quote(PASSWORD, safe=""), other):
        assert not [text[:200] for text in said if secret in text]


@pytest.mark.parametrize("opened", [connect, storage_at])
@pytest.mark.parametrize("mistake", ["password", "port", "database"])
def test_a_database_that_cannot_be_opened_is_one_line_at_once(
    opened: Callable[[str], object], mistake: str, database: Postgres
) -> None:
    uri = {
        "password": database.url("postgres", password="wrong-secret"),
        "port": database.url("postgres", port=free_port()),
        "database": database.url("nothing"),
    }[mistake]
    began = time.monotonic()
    with pytest.raises(UserError, match=r"^cannot open the \w+ \w+ postgresql\+psycopg2://ada:\*\*\*@.*$") as error:
        opened(uri)
    assert time.monotonic() - began < 10
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("mistake", ["password", "server"])
def test_the_command_ends_at_once_in_one_line_where_a_server_cannot_be_used(
    mistake: str, database: Postgres, tmp_path: Path
) -> None:
    options = {
        "password": ["--storage", database.url("postgres", password="wrong-secret")],
        "server": ["--tracking-uri", f"http://ada:wrong-secret@127.0.0.1:{free_port()}"],
    }[mistake]
    began = time.monotonic()
    code, printed, errors = ablate(tmp_path, *RUN, *options)
    assert time.monotonic() - began < 60  # of which most is the start of Python on a busy machine
    assert (code, errors.count("\n"), errors[:7]) == (2, 1, "error: "), printed + errors
    assert "secret" not in errors
