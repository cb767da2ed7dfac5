"""Survival: how many training sequences a network needs until it reaches the criterion, if it does within its budget.

A run that has not reached the criterion at the end of its budget is censored there: it would have needed more, nobody knows
how many. `times` are the sequences of the runs (n,), infinite for those that are censored.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from reports.statistics.intervals import order_interval, proportion
from reports.statistics.sample import Array, Estimate


class LogRank(NamedTuple):
    """The log-rank statistic, above 0 where the first of two groups reaches the criterion earlier, and its two-sided p."""

    statistic: float
    p: float


def censored(times: Array, end: float) -> stats.CensoredData:
    """The times as data of which those beyond the end of the budget are only known to be later."""
    return stats.CensoredData.right_censored(np.minimum(times, end), times > end)


def survival(times: Array, end: float) -> pd.DataFrame:
    """The share of runs that have not reached the criterion (Kaplan & Meier 1958) at 0, at each time of one, and at the end.

    sequences, share, low, high: since no run is censored before the end, the interval is the exact one of a share.

    >>> survival(np.array([10.0, 20.0, np.inf, np.inf]), 40.0)["share"].tolist()
    [1.0, 0.75, 0.5, 0.5]
    """
    function = stats.ecdf(censored(times, end)).sf
    sequences = np.unique([0.0, *times[times <= end], end])
    # Whole numbers of runs: the product of factors that scipy computes is off in the last digit.
    left = [round(share * len(times)) for share in function.evaluate(sequences).tolist()]
    intervals = [proportion(runs, len(times)) for runs in left]
    bounds = {bound: [getattr(interval, bound) for interval in intervals] for bound in ("low", "high")}
    return pd.DataFrame({"sequences": sequences, "share": [interval.value for interval in intervals], **bounds})


def median_time(times: Array, end: float) -> Estimate:
    """The median of Kaplan and Meier, the first time at which at most half are left, between two order statistics.

    Infinite where it is not reached.

    >>> print(median_time(np.array([10.0, 20, 20, 30, 30, np.inf, np.inf, np.inf]), 40.0))
    30 [10, ∞] (n = 8)
    """
    curve = survival(times, end)
    reached = curve["sequences"][curve["share"] <= 0.5]
    low, high = order_interval(np.where(times > end, np.inf, times))
    return Estimate(float(reached.min()) if len(reached) else float("inf"), float(low), float(high), len(times))


def log_rank(a: Array, b: Array, end: float) -> LogRank:
    """The log-rank test (Mantel 1966) of two groups. Where they differ in nothing that it looks at, 0 and 1."""
    if min(a.min(), b.min()) > end:  # nothing was ever reached
        return LogRank(0.0, 1.0)
    with np.errstate(invalid="ignore"):  # 0/0 where all runs reach the criterion at once
        found = stats.logrank(censored(a, end), censored(b, end))
    return LogRank(0.0, 1.0) if np.isnan(found.pvalue) else LogRank(float(found.statistic), float(found.pvalue))
