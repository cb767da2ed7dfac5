"""The examples run from their file to their report, and the README quotes them as they are."""

import re
import runpy
import subprocess
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from ablations import cli
from ablations.models import CELLS, MODELS
from ablations.study import Study
from ablations.study.model_check import check_model
from ablations.study.task_check import check_task
from reports.claims import CLAIMS
from reports.figures import FIGURES
from tasks import TASKS, Batch, Task

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
README = (ROOT / "README.md").read_text(encoding="utf-8")
QUOTED = re.compile(r"```python\n# (examples/\w+\.py)\n(.*?)```", re.DOTALL)

SAYS = {
    "own_cell": "a learnt leak for each unit",
    "own_task": "Which cell learns to add modulo a number?",
    "own_model": "gru-normalised",
    "own_study": "gap-3",
    "own_cells": "gru-layer-norm",
    "own_models": "transformer",
    "own_echo": "Which cell can say again",
    "own_figure": "Skill and the learning rate behind it",
    "own_search": "Which factors matter",
    "own_claim": "An LSTM that reads in both directions tells bears from presidents",
}
"""Something that the report of each example, and of no other study, says."""


@pytest.fixture
def registries() -> Iterator[None]:
    """Puts the registries back to what they were before an example added to them."""
    kept: tuple[dict[str, Any], ...] = (CELLS, MODELS, TASKS, CLAIMS, FIGURES)
    before = [(each, dict(each)) for each in kept]
    yield
    for registry, content in before:
        registry.clear()
        registry.update(content)


def run(name: str) -> str:
    """What `ablate run` says in a process of its own."""
    command = [
        sys.executable,
        "-m",
        "ablations",
        "run",
        name,
        "--scale",
        "smoke",
        "--workers",
        "1",
        "--executor",
        "serial",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def report(name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[Path]:
    """The files that `ablate report` names."""
    monkeypatch.setattr(sys, "argv", ["ablate", "report", name, "--scale", "smoke"])
    with pytest.raises(SystemExit) as done:
        cli.main()
    assert done.value.code == 0
    return [Path(line) for line in capsys.readouterr().out.splitlines()]


def test_every_example_is_known_to_these_tests() -> None:
    assert [path.stem for path in EXAMPLES] == sorted(SAYS)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_a_study_of_its_own_name_with_a_smoke_and_a_demo_scale(path: Path, registries: None) -> None:
    study = runpy.run_path(str(path))["STUDY"]
    assert isinstance(study, Study)
    assert study.name == path.stem
    assert {"smoke", "demo"} <= set(study.scales)
    assert path.name in (path.read_text(encoding="utf-8").split('"""')[1])


@pytest.mark.long
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_to_its_report(
    path: Path,
    home: Path,
    registries: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(ROOT)
    name = path.relative_to(ROOT).as_posix()
    assert f"{path.stem} is complete at scale smoke" in run(name)
    html, pdf = report(name, monkeypatch, capsys)
    assert html.parent == home / "reports" / f"{path.stem}-smoke"
    assert pdf.read_bytes().startswith(b"%PDF")
    assert SAYS[path.stem] in html.read_text(encoding="utf-8")
    _check_tables(path.stem, html.parent / "tables")


def _check_tables(name: str, tables: Path) -> None:
    """What an example is about is in its tables too."""
    if name == "own_search":
        factors = pd.read_csv(tables / "importance.csv")
        assert set(factors["factor"]) == {"lr", "hidden", "layers", "dropout", "optimiser", "curriculum"}
        assert set(pd.read_csv(tables / "best_values.csv")["optimiser"]) <= {"adam", "adamw", "rmsprop"}
    if name == "own_claim":
        assert list(pd.read_csv(tables / "verdicts.csv")["claim"]) == ["own-claim"]
    if name == "own_cell":
        assert set(pd.read_csv(tables / "ablation_forest.csv")["view"]) == {
            "equal parameters",
            "parent's hyperparameters",
        }


@pytest.fixture
def modular_sum(registries: None) -> type[Task]:
    return runpy.run_path(str(ROOT / "examples" / "own_task.py"))["ModularSum"]


def test_the_examples_task_asks_for_the_sum_and_an_oracle_scores_one(modular_sum: type[Task]) -> None:
    task = modular_sum(length=9, base=3).mixture()
    batch = task.sample(np.random.default_rng(0), 500)
    assert set(batch.mask.sum(1).tolist()) == set(range(1, 10))
    for inputs, target, mask in zip(*batch, strict=True):
        assert sum(inputs[mask].tolist()) % 3 == target
        assert not inputs[~mask].any()
    answers = torch.nn.functional.one_hot(batch.targets, 3).float()
    assert task.score(answers, batch) == 1
    assert task.loss(100 * answers, batch) < 1e-6


def test_without_one_digit_the_examples_task_leaves_exactly_chance(modular_sum: type[Task]) -> None:
    task = modular_sum(length=3, base=4)
    sums: dict[tuple[int, ...], list[int]] = {}
    for digits in product(range(4), repeat=3):
        sums.setdefault(digits[1:], []).append(sum(digits) % 4)
    best = [max(answers.count(each) for each in range(4)) / len(answers) for answers in sums.values()]
    assert set(best) == {task.references()["chance"]}
    targets = torch.arange(4)
    guess = task.loss(torch.zeros(4, 4), Batch(targets, targets, targets))
    assert guess == pytest.approx(task.loss_references()["chance"])


def test_the_echo_is_of_its_lag_and_its_first_signs_count_it(registries: None) -> None:
    task = runpy.run_path(str(ROOT / "examples" / "own_echo.py"))["Echo"](lag=4).mixture()
    batch = task.sample(np.random.default_rng(0), 200)
    lags = (batch.inputs == task.symbols).sum(1)
    assert set(lags.tolist()) == {1, 2, 3, 4}
    for inputs, targets, lag in zip(batch.inputs, batch.targets, lags.tolist(), strict=True):
        answered = (targets != -100).nonzero().flatten().tolist()
        assert answered == list(range(2 * lag, 2 * lag + task.answers))
        assert all(targets[step] == inputs[step - lag] for step in answered)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_what_an_example_defines_keeps_what_it_promises(path: Path, registries: None) -> None:
    study = runpy.run_path(str(path))["STUDY"]
    for scale in study.scales.values():
        for label, task in scale.tasks.items():
            check_task(label, task)
            for variant in study.variants:
                check_model(variant, label, task, scale.budget.parameters)


def test_the_readme_quotes_the_examples_as_they_are() -> None:
    quotes = QUOTED.findall(README)
    assert quotes
    for name, text in quotes:
        assert text in (ROOT / name).read_text(encoding="utf-8"), name


def test_every_block_of_python_in_the_readme_is_a_quote_or_runs() -> None:
    """The one that loads a kept network runs with the tests of kept networks."""
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    own = [block for block in blocks if not block.startswith("# examples/") and "<run id>" not in block]
    assert own
    for block in own:
        exec(block, {})


def test_the_readme_names_every_example() -> None:
    assert {path.name for path in EXAMPLES} <= set(re.findall(r"examples/(\w+\.py)", README))
