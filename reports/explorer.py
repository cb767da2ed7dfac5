"""The tables of the page's explorer, in which a reader chooses two networks or a task. All numbers are computed here."""

from dataclasses import dataclass
from itertools import combinations

import pandas as pd

from reports.estimates import Estimates
from reports.statistics.intervals import mean

MOST_PAIRS = 5_000
"""The most pairs whose differences are written into the page, about half a megabyte; of more it shows the seeds only."""

PAIR_COLUMNS = ["task", "a", "b", "difference", "low", "high", "n"]


@dataclass(frozen=True)
class Explorer:
    """What the explorer draws. `replicates` has task, variant, seed, skill; `curves` those of the learning curves.

    `pairs` has `PAIR_COLUMNS`, empty where there are too many.
    """

    replicates: pd.DataFrame
    curves: pd.DataFrame
    pairs: pd.DataFrame


def explorer(estimates: Estimates, curves: pd.DataFrame) -> Explorer | None:
    """The explorer of a study; None where it has no replicates."""
    replicates = estimates.results.replicates
    if replicates.empty:
        return None
    return Explorer(replicates[["task", "variant", "seed", "skill"]], curves, pairs(estimates))


def pairs(estimates: Estimates) -> pd.DataFrame:
    """`PAIR_COLUMNS`: the mean paired difference in skill of every two networks on every task, with its interval.

    Empty where there are more than `MOST_PAIRS`.
    """
    names = estimates.results.replicates.groupby("task", sort=False)["variant"].unique()
    chosen = [(task, a, b) for task, own in names.items() for a, b in combinations(own, 2)]
    rows: list[list[object]] = []
    for task, a, b in chosen if len(chosen) <= MOST_PAIRS else ():
        if by_seed := estimates.difference(a, b, task):
            found = mean(by_seed)
            rows.append([task, a, b, found.value, found.low, found.high, found.n])
    return pd.DataFrame(rows, columns=PAIR_COLUMNS)
