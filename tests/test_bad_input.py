"""Bad input of hundreds of kinds is one clear line that names what was wrong, exit code 2, and nothing left behind."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from builders.bad_files import File, files, study_file
from builders.bad_input import COMMANDS, Command

from ablations import cli
from ablations.cli.called import as_called
from ablations.models import CELLS, MODELS
from tasks import TASKS

FILES = list(files())
LONGEST = 1100
"""Signs of a line that can still be read."""


@pytest.fixture(autouse=True)
def registries_are_as_before() -> Iterator[None]:
    registries: tuple[dict[str, Any], ...] = (CELLS, MODELS, TASKS)
    before = [(registry, dict(registry)) for registry in registries]
    modules, path = set(sys.modules), list(sys.path)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if name.startswith("study_file_"):
            del sys.modules[name]
    for registry, entries in before:
        registry.clear()
        registry.update(entries)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with an empty file in it, and the results folder still to be made."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ABLATIONS_HOME", str(tmp_path / "results"))
    (tmp_path / "file").touch()
    return tmp_path


def complaint(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path
) -> str:
    """The one line that a command ends with."""
    before = sorted(folder.iterdir())
    monkeypatch.setattr(sys, "argv", ["ablate", *arguments])
    with pytest.raises(SystemExit) as end:
        cli.main()
    said = capsys.readouterr()
    assert end.value.code == 2, said
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1
    assert len(said.err) < LONGEST
    assert sorted(folder.iterdir()) == before
    return said.err


def test_there_are_hundreds_of_kinds() -> None:
    assert len({(*case.arguments, *case.environment.items()) for case in COMMANDS}) > 180
    assert len({case.text for case in FILES}) > 400


@pytest.mark.parametrize("case", COMMANDS, ids=lambda case: " ".join(case.arguments)[:60] or "nothing")
def test_a_bad_command_is_one_clear_line(
    case: Command, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in case.environment.items():
        monkeypatch.setenv(name, value)
    assert case.words in complaint(list(case.arguments), monkeypatch, capsys, folder)


@pytest.mark.parametrize("case", FILES, ids=lambda case: case.what[:60])
def test_a_bad_file_is_one_clear_line(
    case: File, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "own.py").write_text(case.text, encoding="utf-8")
    said = complaint(["run", "own.py", "--scale", "smoke", "--dry-run"], monkeypatch, capsys, folder)
    assert case.words in said.partition("error: ")[2]


def test_the_file_in_which_one_thing_is_changed_each_time_is_a_good_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "own.py").write_text(study_file(), encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["ablate", "run", "own.py", "--scale", "smoke", "--dry-run"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 0
    assert "2 settings, 4 runs" in capsys.readouterr().out


@pytest.mark.parametrize("task", TASKS)
def test_a_difficulty_beyond_all_memory_is_one_line_and_at_once(
    task: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    huge = f"TASKS[{task!r}](**{{TASKS[{task!r}].difficulty: 10**12}})"
    (folder / "own.py").write_text(study_file(tasks=f"{{'x': {huge}}}", budget="{'parameters': 50_000}"))
    complaint(["run", "own.py", "--scale", "smoke", "--dry-run"], monkeypatch, capsys, folder)


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        (".venv/bin/ablate", ".venv/bin/ablate"),
        ("/opt/my tools/ablate", "'/opt/my tools/ablate'"),
        ("ablate", "ablate"),
        ("/x/ablations/__main__.py", "python -m ablations"),
        ("/usr/bin/pytest", "ablate"),
    ],
)
def test_a_hint_repeats_the_command_as_it_was_called(path: str, hint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [path, "ui"])
    assert as_called("there is none; `ablate run` comes first") == f"there is none; `{hint} run` comes first"
    assert as_called("ablate run claims") == f"{hint} run claims"


def test_a_command_that_is_found_in_the_path_is_called_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = tmp_path / "ablate"
    command.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "argv", [str(command), "ui"])
    assert as_called("`ablate run`") == "`ablate run`"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "clams"], "did you mean 'claims'?"),
        *(
            pytest.param(*case, marks=pytest.mark.long)
            for case in (
                (["run", "claims", "--scale", "smoke", "--batch", str(10**12)], "GB of memory for one run"),
                (["ui", "--port", "http"], "not a valid integer"),
                (["run", "leaves.py"], "SystemExit"),
                (["try", "leaves.py"], "SystemExit"),
            )
        ),
    ],
)
def test_a_real_process_says_one_line_and_leaves_nothing(arguments: list[str], words: str, folder: Path) -> None:
    (folder / "leaves.py").write_text("import sys\nsys.exit(0)\n")
    before = sorted(folder.iterdir())
    done = _ablate(folder, arguments, {"LC_ALL": "C"})
    assert done.returncode == 2
    assert words in done.stderr
    assert (done.stderr.count("\n"), done.stdout) == (1, "")
    assert sorted(folder.iterdir()) == before


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("place", ["100%20", "a?b", "{x}", "a#b", "a;b&c", "tea for two", "größe", "'", '"', "x" * 150])
def test_a_results_folder_of_any_printable_name_works(place: str, folder: Path) -> None:
    (folder / "own.py").write_text(study_file())
    smoke = ["own", "--scale", "smoke"]
    environment = {"ABLATIONS_HOME": place, "LC_ALL": "C"}
    done = _ablate(folder, ["run", "own.py", *smoke[1:], "--executor", "serial"], environment)
    assert done.returncode == 0, done.stderr
    assert "own is complete" in done.stdout
    done = _ablate(folder, ["status", *smoke], environment)
    assert "2 of 2 settings started" in done.stdout
    assert {path.name for path in folder.iterdir()} == {"file", "own.py", place}
    assert {"mlflow.db", "optuna.db", "artifacts"} <= {path.name for path in (folder / place).iterdir()}


def _ablate(folder: Path, arguments: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ablations", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
