"""Which network learns faster: log-rank tests of the sequences to the criterion, and the ranks that they leave."""

from itertools import combinations

import numpy as np
import pandas as pd

from reports.comparison import in_words
from reports.estimates import Estimates
from reports.statistics.decision import FEWEST, holm_adjusted
from reports.statistics.ranks import rank_ranges
from reports.statistics.survival import log_rank

LEVEL = 0.05
"""The chance of a false decision on one task."""

PAIR = ["task", "a", "b", "n_a", "n_b", "statistic", "p", "p_holm", "faster"]


def log_ranks(estimates: Estimates) -> pd.DataFrame:
    """`PAIR`: every pair of variants on each task; `p_holm` is adjusted over the task's pairs.

    `statistic` is above 0 where a is faster; `faster` names the faster one of a pair that is decided, else it is empty.
    Left out are variants with fewer than `FEWEST` replicates, which decide nothing.
    """
    tests = [_tests(estimates, task) for task in estimates.results.tasks]
    return pd.concat(tests, ignore_index=True) if tests else pd.DataFrame(columns=PAIR)


def _tests(estimates: Estimates, task: str) -> pd.DataFrame:
    """The pairs of one task."""
    end = float(estimates.training_sequences)
    times = {v: estimates.sequences_to_criterion(task, v) for v in estimates.results.variants}
    rows = [
        [task, a, b, len(times[a]), len(times[b]), *log_rank(times[a], times[b], end)]
        for a, b in combinations([v for v, of in times.items() if len(of) >= FEWEST], 2)
    ]
    frame = pd.DataFrame(rows, columns=PAIR[:-2]).astype({"statistic": float, "p": float})
    frame["p_holm"] = holm_adjusted(frame["p"].to_numpy())
    winner = frame["a"].where(frame["statistic"] > 0, frame["b"])
    return frame.assign(faster=winner.where(frame["p_holm"] <= LEVEL, ""))


def speed_ranks(estimates: Estimates, pairs: pd.DataFrame) -> pd.DataFrame:
    """task, variant, rank: the range of ranks that the decided pairs of a task leave to each of its variants."""
    rows: list[list[str]] = []
    for task, own in pairs.groupby("task", sort=False):
        variants = [v for v in estimates.results.variants if v in {*own["a"], *own["b"]}]
        place = {variant: index for index, variant in enumerate(variants)}
        is_faster = np.zeros((len(variants), len(variants)), dtype=bool)
        for row in own[own["faster"] != ""].itertuples():
            slower = row.b if row.faster == row.a else row.a
            is_faster[place[row.faster], place[slower]] = True
        ranges = zip(variants, *rank_ranges(is_faster), strict=True)
        rows += [[str(task), variant, in_words(int(first), int(last))] for variant, first, last in ranges]
    return pd.DataFrame(rows, columns=["task", "variant", "rank"])
