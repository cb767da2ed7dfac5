"""The rules put to simulated studies in which the truth is known: how often intervals cover, how often words are false.

The report prints these tables in its method, and the tests read them.
"""

from collections.abc import Callable, Mapping
from functools import cache
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from reports.statistics.decision import of_runs, of_tasks, welch_tests, words
from reports.statistics.intervals import order_interval, proportion, t_interval, welch
from reports.statistics.ranks import is_better, rank_ranges
from reports.statistics.sample import Array

STUDIES = 4000
"""Simulated studies of each cell of a table: the standard error of 95 % is 0.34 points."""

REPORTS = 400
SIZES = (5, 6, 10, 30)
TASKS = 4
COPIES = 12

Draw = Callable[[np.random.Generator, tuple[int, ...]], Array]


def _normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return rng.standard_normal(shape)


def _solving(share: float) -> Draw:
    """Runs that solve a task (about 1) or do not (about 0)."""

    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return (rng.random(shape) < share) + 0.05 * rng.standard_normal(shape)

    return draw


def _near_ceiling(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return 1 - 0.03 * rng.exponential(size=shape)


def _ties(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Six values of ten are the same, the others lie on one side."""
    return np.where(rng.random(shape) < 0.6, 0.0, rng.exponential(size=shape))


def _heavy_tails(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return rng.standard_t(3, shape)


def _outliers(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """One run in ten fails altogether."""
    return rng.standard_normal(shape) - 8 * (rng.random(shape) < 0.1)


def _coarse(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """A small test set: right answers of 32."""
    return rng.binomial(32, 0.9, shape) / 32


def _skewed(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return rng.lognormal(0.0, 1.0, shape)


def _median_of_solving(share: float) -> float:
    """The value below which half of the runs lie, if a share of more than half solves."""
    return float(1 + 0.05 * stats.norm.ppf((0.5 - (1 - share)) / share))


# name -> (how runs are drawn, true mean, true median)
WORLDS: Mapping[str, tuple[Draw, float, float]] = {
    "normal": (_normal, 0.0, 0.0),
    "half solve, half do not": (_solving(0.5), 0.5, 0.5),
    "four of five solve": (_solving(0.8), 0.8, _median_of_solving(0.8)),
    "near the ceiling, skewed": (_near_ceiling, 0.97, 1 - 0.03 * float(np.log(2))),
    "60 % ties, asymmetric": (_ties, 0.4, 0.0),
    "heavy tails": (_heavy_tails, 0.0, 0.0),
    "one run in ten fails": (_outliers, -0.8, float("nan")),
    "coarse scores": (_coarse, 0.9, 29 / 32),
    "skewed": (_skewed, float(np.exp(0.5)), 1.0),
}


def world(name: str) -> tuple[Draw, float, float]:
    """How its runs are drawn, their true mean, and their true median."""
    draw, mean, median = WORLDS[name]
    if np.isnan(median):  # of the mixture of a normal that fails one time in ten
        median = float(stats.norm.ppf((0.5 - 0.1) / 0.9))
    return draw, mean, median


SimulatedTables = Mapping[str, pd.DataFrame]
"""Each table under its name."""


def simulated_tables() -> SimulatedTables:
    """All tables. They are the same for every study."""
    return {"interval_coverage": coverage(), "false_verdicts": false_verdicts(), "copies_apart": copies_apart()}


@cache
def coverage() -> pd.DataFrame:
    """interval, world, and a column for each number of runs: how often the interval of 95 % covers, in %."""
    rng = np.random.default_rng(20261127)
    intervals: dict[str, Callable[[str, int, np.random.Generator], float]] = {
        "typical run, order statistics": _median_covers,
        "mean, t": _mean_covers,
        "mean over four tasks, Welch–Satterthwaite": _pooled_covers,
    }
    rows: list[list[object]] = [
        [interval, name, *(covers(name, n, rng) for n in SIZES)]
        for interval, covers in intervals.items()
        for name in WORLDS
    ]
    rows += [
        ["share of runs, Clopper–Pearson", f"{share:.0%} in truth", *(_count_covers(share, n) for n in SIZES)]
        for share in (0.5, 0.8, 0.95)
    ]
    rows.append(["ratio, t of the logarithm", "lognormal", *(_ratio_covers(n, rng) for n in SIZES)])
    return pd.DataFrame(rows, columns=["interval", "world", *(f"n = {n}" for n in SIZES)])


def _percent(is_true: NDArray[np.bool_]) -> float:
    return float(100 * np.mean(is_true))


def _median_covers(name: str, n: int, rng: np.random.Generator) -> float:
    draw, _, median = world(name)
    low, high = order_interval(draw(rng, (STUDIES, n)))
    return _percent((low <= median) & (median <= high))


def _mean_covers(name: str, n: int, rng: np.random.Generator) -> float:
    draw, mean, _ = world(name)
    _, low, high = t_interval(draw(rng, (STUDIES, n)))
    return _percent((low <= mean) & (mean <= high))


def _pooled_covers(name: str, n: int, rng: np.random.Generator) -> float:
    """Paired differences of two variants alike, whose spread differs between the tasks."""
    centre, error, freedom = welch(_differences(name, n, rng), [0.0] * TASKS)
    return _percent(np.abs(centre) <= stats.t.ppf(0.975, freedom) * error)


def _count_covers(share: float, n: int) -> float:
    """Exact: the sum over all counts."""
    covers = [(interval := proportion(count, n)).low <= share <= interval.high for count in range(n + 1)]
    return float(100 * stats.binom.pmf(np.arange(n + 1), n, share) @ np.array(covers))


def _ratio_covers(n: int, rng: np.random.Generator) -> float:
    _, low, high = t_interval(0.1 * rng.standard_normal((STUDIES, n)))
    return _percent((low <= 0) & (high >= 0))


def _differences(name: str, n: int, rng: np.random.Generator) -> list[Array]:
    draw = world(name)[0]
    return [(1 + task) * (draw(rng, (STUDIES, n)) - draw(rng, (STUDIES, n))) for task in range(TASKS)]


SKEWED = "a mean over four tasks, one-sided"
"""Differences drawn from the world itself: as between a variant that varies like that and one that does not vary at all."""

CLAIMS = ("one part of runs", "five parts of runs", "a mean over four tasks", "all of four tasks", SKEWED)


@cache
def false_verdicts(n: int = 10) -> pd.DataFrame:
    """claim, world, and how often it is supported, contradicted or mixed, in %, where the truth is at the limit.

    There the truth is on neither side, so that each of these words is false.
    """
    rng = np.random.default_rng(20261128)
    rows = []
    for claim in CLAIMS:
        for name in WORLDS:
            said = _words(claim, name, n, rng)
            rates = (_percent(said == word) for word in ("supported", "contradicted", "mixed"))
            rows.append([claim, name, *rates])
    return pd.DataFrame(rows, columns=["claim", "world", "supported", "contradicted", "mixed"])


def _words(claim: str, name: str, n: int, rng: np.random.Generator) -> NDArray[np.str_]:
    draw, mean, median = world(name)
    if claim in ("one part of runs", "five parts of runs"):
        parts = 1 if claim.startswith("one") else 5
        return words([of_runs(draw(rng, (STUDIES, n)), median, 1) for _ in range(parts)], about_all=False)
    strata = _differences(name, n, rng)
    if claim == SKEWED:
        strata = [(1 + task) * (draw(rng, (STUDIES, n)) - mean) for task in range(TASKS)]
    tasks = of_tasks(strata, [0.0] * TASKS, 0.0, 1)
    return words([tasks], about_all=claim == "all of four tasks")


@cache
def copies_apart(n: int = 10) -> pd.DataFrame:
    """world, and how many of 100 reports tell any two of twelve copies of one network apart."""
    rng = np.random.default_rng(20261129)
    rows = [[name, _percent(_any_apart(name, n, rng))] for name in WORLDS]
    return pd.DataFrame(rows, columns=["world", "told apart"])


def _any_apart(name: str, n: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Seeds that are easier or harder for all copies make them paired."""
    draw = world(name)[0]
    skills = [draw(rng, (REPORTS, COPIES, n)) + 0.1 * rng.standard_normal((REPORTS, 1, n)) for _ in range(TASKS)]
    pairs = {
        (a, b): welch_tests([task[:, a] - task[:, b] for task in skills], [0.0] * TASKS, 0.0)
        for a, b in combinations(range(COPIES), 2)
    }
    first, last = rank_ranges(is_better(pairs, COPIES))
    return ~((first == 1) & (last == COPIES)).all(axis=-1)
