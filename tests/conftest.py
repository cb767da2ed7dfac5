"""What several test files need: small cohorts, small studies, and a laboratory in a temporary folder."""

import dataclasses
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest
import torch
from builders.tasks import of_difficulty

from ablations.models.variant import Variant
from ablations.study import Budget, Range, Scale, Setting, Study
from ablations.train.cohort import Cohort, Run
from ablations.train.threads import use_one_thread
from tasks import TASKS

use_one_thread()

LSTM = Variant("lstm", "recurrent", {"cell": "lstm"})
RNN = Variant("rnn", "recurrent", {"cell": "rnn"})
SMALL = Budget(
    trials=4,
    trials_per_round=2,
    search_seeds=2,
    replicates=2,
    steps=8,
    segments=2,
    batch=4,
    parameters=1100,
    validation=16,
    test=16,
)


@pytest.fixture(autouse=True)
def seeded(request: pytest.FixtureRequest) -> None:
    """Whatever a test draws without a seed of its own is the same each time, alone or among others."""
    seed = crc32(request.node.nodeid.encode())
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002  # for what draws from there, as SciPy does
    random.seed(seed)


@pytest.fixture
def cohort() -> Callable[..., Cohort]:
    """Makes a cohort of runs (number, learning rate, …) on a small task."""

    def make(
        *rates: float, task: str = "france", variant: Variant = LSTM, size: int = 5, kind: str = "replicate", **run: Any
    ) -> Cohort:
        setting = Setting(task, of_difficulty(task, 3), variant, size)
        fixed = {"clip": 1.0, "weight_decay": 0.0, **run}
        runs = tuple(
            Run(kind, number, number if kind == "replicate" else 0, lr=lr, **fixed) for number, lr in enumerate(rates)
        )  # type: ignore[arg-type]
        return Cohort(setting, SMALL, "adam", 0, runs)

    return make


def small_study(budget: Budget = SMALL, seed: int = 0) -> Study:
    """A study of two variants on two tasks that is over in a second or two."""
    tasks = {"adding": TASKS["adding"](length=4), "disambiguation": TASKS["disambiguation"]()}
    return Study(
        name="small",
        question="Does it run?",
        variants=(RNN, LSTM),
        baseline="lstm",
        scales={"smoke": Scale(tasks=tasks, budget=budget)},
        nuisance={"lr": Range(1e-3, 1e-1)},
        seed=seed,
    )


@pytest.fixture
def study() -> Study:
    return small_study()


@pytest.fixture
def changed() -> Callable[..., Study]:
    """A study with some of its fields changed."""
    return lambda study, **changes: dataclasses.replace(study, **changes)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A results folder of the test's own."""
    monkeypatch.setenv("ABLATIONS_HOME", str(tmp_path / "results"))
    return tmp_path / "results"
