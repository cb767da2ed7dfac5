"""The seed atlas: the scores of 200 seeds of six cells on four tasks, and what the intervals do on resamples of them.

Simulated worlds are made up; here the distribution over seeds is that of real training. `make atlas` makes the file:

    python -m reports.atlas TABLES/replicates.csv
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from reports.statistics.intervals import order_interval, t_interval, welch
from reports.statistics.sample import Array, test_set_variance

FILE = Path(__file__).with_name("atlas.csv")
COLUMNS = ["task", "variant", "seed", "score", "skill", "loss", "sequences_to_criterion"]

RESAMPLES = 2000
"""Resamples of each number: the standard error of 95 % is 0.5 points."""

SIZES = (6, 10, 30)
TEST_SEQUENCES = 1024

Covers = Callable[[Array, Array], NDArray[np.bool_]]
"""(resamples (RESAMPLES, n) of a population (N,), the population) -> whether each interval holds the population's value."""


@cache
def atlas() -> pd.DataFrame:
    """task, variant, seed, score, skill, loss and sequences_to_criterion of every replicate."""
    return pd.read_csv(FILE)


@cache
def measured_coverage() -> pd.DataFrame:
    """The coverage on resamples of the atlas in this package; the same for every study."""
    return atlas_coverage(atlas(), np.random.default_rng(20261127))


def atlas_coverage(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """interval, task, and for each number of runs: how often intervals of 95 % cover, in %, on average and at the least.

    Runs are drawn with replacement from a cell's seeds on a task, and the truth is that of all its seeds. The average and
    the least are over cells, or over pairs of cells.
    """
    scores = frame.pivot(index="seed", columns=["task", "variant"], values="score")
    rows = [*_of_one_task(scores, rng), *_over_tasks(scores, rng)]
    columns = [f"{which}, n = {n}" for n in SIZES for which in ("mean", "least")]
    return pd.DataFrame(rows, columns=["interval", "task", *columns])


def _of_one_task(scores: pd.DataFrame, rng: np.random.Generator) -> Iterator[list[object]]:
    intervals: Mapping[str, Covers] = {"typical run, order statistics": _median_covers, "mean, t": _mean_covers}
    for interval, covers in intervals.items():
        for task in scores.columns.unique("task"):
            cells = scores[task].to_numpy().T
            rates = [[_percent(covers(rng.choice(x, (RESAMPLES, n)), x)) for x in cells] for n in SIZES]
            yield [interval, task, *_summary(rates)]


def _over_tasks(scores: pd.DataFrame, rng: np.random.Generator) -> Iterator[list[object]]:
    """Of the difference of two cells, paired by seed; and of two samples of one cell, which in truth do not differ."""
    cells = {cell: scores.xs(cell, axis=1, level="variant").to_numpy().T for cell in scores.columns.unique("variant")}
    pairs = list(combinations(cells.values(), 2))
    paired = [[_percent(_difference_covers(a, b, n, rng, paired=True)) for a, b in pairs] for n in SIZES]
    alone = [[_percent(_difference_covers(a, a, n, rng, paired=False)) for a in cells.values()] for n in SIZES]
    name = "mean over tasks, Welch–Satterthwaite"
    yield [f"{name}: two cells", "all", *_summary(paired)]
    yield [f"{name}: one cell beside itself", "all", *_summary(alone)]


def _percent(covers: NDArray[np.bool_]) -> float:
    return float(100 * covers.mean())


def _summary(rates: list[list[float]]) -> list[float]:
    """The mean and the least of the rates, for each number of runs."""
    return [value for each in rates for value in (float(np.mean(each)), min(each))]


def _median_covers(draws: Array, population: Array) -> NDArray[np.bool_]:
    low, high = order_interval(draws)
    truth = np.median(population)
    return (low <= truth) & (truth <= high)


def _mean_covers(draws: Array, population: Array) -> NDArray[np.bool_]:
    _, low, high = t_interval(draws, _floor(population))
    return (low <= population.mean()) & (population.mean() <= high)


def _difference_covers(a: Array, b: Array, n: int, rng: np.random.Generator, paired: bool) -> NDArray[np.bool_]:
    """Of two cells' scores (tasks, N): whether the interval of their mean difference over tasks holds that of all seeds."""
    strata, floors = [], []
    for own, other in zip(a, b, strict=True):
        first = rng.integers(len(own), size=(RESAMPLES, n))
        second = first if paired else rng.integers(len(own), size=(RESAMPLES, n))
        strata.append(own[first] - other[second])
        floors.append(_floor(own) + _floor(other))
    centre, error, freedom = welch(strata, floors)
    return np.abs(centre - (a - b).mean()) <= stats.t.ppf(0.975, freedom) * error


def _floor(population: Array) -> float:
    """The variance that the test set alone gives to a run's score."""
    return test_set_variance(float(population.mean()), TEST_SEQUENCES)


if __name__ == "__main__":
    pd.read_csv(sys.argv[1])[COLUMNS].round(6).to_csv(FILE, index=False)
    print(f"{len(atlas())} scores in {FILE}")
    print(measured_coverage().round(1).to_string(index=False))
