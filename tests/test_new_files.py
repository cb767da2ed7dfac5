"""`ablate new` writes files that run, `ablate try` ends in a page, and `ablate show` knows what a file has of its own."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ablations import cli
from ablations.cli.new_file import FILES, write_new
from ablations.errors import UserError
from ablations.models import CELLS, MODELS
from ablations.studies import find
from ablations.studies.scorecard import scorecard_study
from ablations.study.plan_check import check_plan
from reports.claims import CLAIMS
from tasks import TASKS


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    registries: tuple[dict[str, Any], ...] = (CELLS, MODELS, TASKS, CLAIMS)
    before = [(registry, dict(registry)) for registry in registries]
    path = list(sys.path)
    yield
    sys.path[:] = path
    for registry, entries in before:
        registry.clear()
        registry.update(entries)


def ablate(*arguments: str, code: int = 0) -> str:
    """What a command says, in this process."""
    done = CliRunner().invoke(cli.cli, arguments, standalone_mode=False)
    if code == 2:
        assert isinstance(done.exception, Exception), done.output
        return str(done.exception)
    if done.exception:
        raise done.exception
    assert (done.return_value or 0) == code, done.output
    return done.output


@pytest.mark.parametrize("kind", FILES)
def test_a_new_file_is_a_study_that_can_be_planned(kind: str) -> None:
    said = ablate("new", kind, f"my_{kind}")
    assert f"ablate run my_{kind}.py" in said
    assert ("ablate try" in said) == (kind in ("cell", "model"))
    text = Path(f"my_{kind}.py").read_text(encoding="utf-8")
    assert "{{" not in text
    assert max(map(len, text.splitlines())) <= 130
    assert (ast.get_docstring(ast.parse(text)) or "").count(f"my_{kind}")
    study = find(f"my_{kind}.py")
    assert study.name == f"my_{kind}"
    for scale in ("smoke", "demo"):
        check_plan(study.at(scale))
        assert study.at(scale).settings


def test_no_file_is_overwritten() -> None:
    Path("mine.py").write_text("x = 1")
    with pytest.raises(UserError, match=r"mine\.py exists already"):
        list(write_new("cell", "mine"))
    assert Path("mine.py").read_text() == "x = 1"


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("my-cell", "cannot be a name"),
        ("../mine", "cannot be a name"),
        ("2fast", "cannot be a name"),
        ("lambda", "cannot be a name"),
        ("Mine", "cannot be a name"),
        ("lstm", "built in"),
        ("claims", "built in"),
        ("json", "installed module"),
    ],
)
def test_a_name_that_cannot_be_is_one_clear_line(name: str, complaint: str) -> None:
    said = ablate("new", "cell", name, code=2)
    assert complaint in said
    assert "\n" not in said
    assert not list(Path().iterdir())


def test_what_is_tried_is_a_files_own_cells_and_models_with_or_without_a_study() -> None:
    list(write_new("cell", "mine"))
    study = scorecard_study("mine.py")
    assert [variant.name for variant in study.variants] == ["lstm", "gru", "mine"]
    assert set(study.scales["demo"].tasks) == {"copying", "adding", "france", "disambiguation"}
    text = Path("mine.py").read_text(encoding="utf-8")
    Path("mine.py").write_text(text.partition("STUDY = ")[0], encoding="utf-8")
    assert scorecard_study("mine.py").variants == study.variants


def test_a_file_without_anything_to_try_is_one_clear_line() -> None:
    list(write_new("study", "mine"))
    assert "has neither a cell in CELLS nor a model in MODELS of its own" in ablate("try", "mine.py", code=2)
    assert "there is no file nowhere.py" in ablate("try", "nowhere.py", code=2)


def test_a_model_that_is_not_what_it_says_is_not_trained(home: Path) -> None:
    list(write_new("model", "mine"))
    text = Path("mine.py").read_text(encoding="utf-8")
    spoilt = text.replace("states, last = ", "x = x - x.mean(1, keepdim=True)\n        states, last = ")
    Path("mine.py").write_text(spoilt, encoding="utf-8")
    for command in ("try", "run", "show"):
        assert "says that it is causal, but" in ablate(command, "mine.py", "--scale", "smoke", code=2)
    assert not home.exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "lines"),
    [
        ("task", ["The task mine: Which token was the first", "Scores: chance 0.25, perfect 1.", "tokens    "]),
        ("model", ["The model mine: A recurrent layer, layer normalisation", "parameters on the task adding: "]),
        ("cell", ["n_t = tanh(W_n x_t + R_n h_{t-1} + b_n)"]),
        ("claim", ["claims\n  mine: A GRU adds better than an LSTM", "tasks\n  adding: Adding, length 6"]),
    ],
)
def test_show_knows_what_a_file_has_of_its_own(kind: str, lines: list[str]) -> None:
    list(write_new(kind, "mine"))
    said = ablate("show", "mine.py", "--scale", "smoke")
    for line in lines:
        assert line in said


@pytest.mark.long
@pytest.mark.parametrize("kind", ["cell", "model"])
def test_a_new_file_is_tried_and_ends_in_a_page(kind: str, home: Path) -> None:
    list(write_new(kind, "mine"))
    said = ablate("try", "mine.py", "--scale", "smoke", "--executor", "serial", "--workers", "1")
    html, pdf = map(Path, said.splitlines()[-2:])
    assert html.parent == home / "reports" / "try-mine-smoke"
    assert pdf.read_bytes().startswith(b"%PDF")
    assert "mine beside lstm on copying" in html.read_text(encoding="utf-8")


@pytest.mark.long
@pytest.mark.parametrize("kind", ["task", "study", "claim"])
def test_a_new_file_runs_to_its_report(kind: str, home: Path) -> None:
    list(write_new(kind, "mine"))
    options = ("--scale", "smoke")
    assert "mine is complete at scale smoke" in ablate("run", "mine.py", *options, "--executor", "serial")
    html, _ = map(Path, ablate("report", "mine.py", *options).splitlines()[-2:])
    assert html.parent == home / "reports" / "mine-smoke"
