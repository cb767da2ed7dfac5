"""How the time of a training step grows with the runs of a cohort, the length of the sequences, and the hidden size."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from statistics import median

import numpy as np

from ablations.models.variants import VARIANTS
from ablations.study import Budget, Setting
from ablations.train.batches import training_batches
from ablations.train.cohort import Cohort, Run
from ablations.train.training import Training
from benchmarks.layers import Row
from benchmarks.timing import Work, interleaved
from tasks.adding import Adding

BASE = {"R": 8, "T": 50, "H": 32}
VALUES: Mapping[str, Sequence[int]] = {"R": (4, 8, 16, 32), "T": (25, 50, 100, 200), "H": (32, 64, 128)}
BUDGET = Budget(
    trials=1, trials_per_round=1, search_seeds=1, replicates=1, steps=10**6, segments=1, batch=32, parameters=1
)


def growth_table(rounds: int) -> Iterable[Row]:
    """A row for each cell and each of R runs, T steps, H units: milliseconds at each value, and the fitted exponent."""
    for cell in ("rnn", "gru", "lstm"):
        for letter, values in VALUES.items():
            sides = {str(value): _step(cell, **{**BASE, letter: value}) for value in values}
            times = interleaved(sides, rounds)
            medians = [median(times[str(value)]) for value in values]
            exponent = float(np.polyfit(np.log(values), np.log(medians), 1)[0])
            shown = ", ".join(f"{value}: {ms:.2f}" for value, ms in zip(values, medians, strict=True))
            yield {"cell": cell, "grows": letter, "exponent": exponent, "milliseconds": shown}


def _step(cell: str, R: int, T: int, H: int) -> Work:
    """A training step of R runs on the adding problem of length T."""
    setting = Setting("adding", Adding(length=T), VARIANTS[cell], H)
    runs = tuple(Run("replicate", number, number, 1e-3, 1.0, 0.0) for number in range(R))
    cohort = Cohort(setting, BUDGET, "adam", 0, runs)
    streams = [partial(cohort.generator, run, "train") for run in runs]
    batch = next(iter(training_batches(setting.task.at(T), streams, 0, 1, BUDGET.batch)))
    training = Training(cohort)
    for _ in range(2):  # records the step, and then checks it
        training.train_step(batch)
    return partial(training.train_step, batch)
