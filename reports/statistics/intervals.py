"""Intervals of 95 % for means, typical runs, counts, ratios, and means over tasks. How often each covers: `simulation`."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from scipy import stats

from reports.statistics.sample import MISSING, UNBOUNDED, Array, Estimate, Sample

LEVEL = 0.95
TAIL = (1 - LEVEL) / 2
NAN = float("nan")

LEAST_COVERAGE = 0.9
"""The whole range of fewer than five runs covers the median less often than this; it is not shown as an interval."""


def mean(sample: Sample) -> Estimate:
    """The mean over runs with Student's t; the variance is at least that of the test set.

    >>> from reports.statistics.sample import sample
    >>> print(mean(sample([0.4, 0.5, 0.6])))
    0.500 [0.252, 0.748] (n = 3)
    """
    centre, low, high = t_interval(sample.values, sample.floor, sample.bounds)
    return Estimate(float(centre), float(low), float(high), sample.n)


def t_interval(
    values: Array, floor: float = 0.0, bounds: tuple[float, float] = UNBOUNDED
) -> tuple[Array, Array, Array]:
    """Means of values (…, n) and the ends of their intervals, clipped to the bounds; NaN ends for one run."""
    n = values.shape[-1]
    centre = values.mean(axis=-1)
    if n < 2:
        return centre, np.full_like(centre, NAN), np.full_like(centre, NAN)
    half = stats.t.ppf(1 - TAIL, n - 1) * np.sqrt(np.maximum(values.var(axis=-1, ddof=1), floor) / n)
    return centre, np.clip(centre - half, *bounds), np.clip(centre + half, *bounds)


def median(sample: Sample) -> Estimate:
    """The typical run, between two order statistics; never narrower than the test set allows.

    >>> from reports.statistics.sample import sample
    >>> print(median(sample([1, 2, 3, 4, 5, 6, 7, 8, 9])))
    5 [2, 8] (n = 9)
    """
    centre = float(np.median(sample.values))
    low, high = order_interval(sample.values)
    half = stats.t.ppf(1 - TAIL, sample.n - 1) * np.sqrt(sample.floor / sample.n) if sample.n > 1 else NAN
    ends = np.clip([min(float(low), centre - half), max(float(high), centre + half)], *sample.bounds)
    is_known = not np.isnan(low)
    return Estimate(centre, float(ends[0]) if is_known else NAN, float(ends[1]) if is_known else NAN, sample.n)


def order_interval(values: Array) -> tuple[Array, Array]:
    """The order statistics of values (…, n) between which the median lies; not interpolated, so it holds for any data."""
    n = values.shape[-1]
    if 1 - 2 * stats.binom.cdf(0, n, 0.5) < LEAST_COVERAGE:
        return np.full(values.shape[:-1], NAN), np.full(values.shape[:-1], NAN)
    ordered, rank = np.sort(values, axis=-1), order_rank(n)
    return ordered[..., rank - 1], ordered[..., n - rank]


def order_rank(n: int) -> int:
    """The largest k for which the k-th of n values from either end make an interval of 95 %; 1 if there is none.

    >>> [order_rank(n) for n in (6, 8, 9, 11, 12)]
    [1, 1, 2, 2, 3]
    """
    return max(1, int(stats.binom.ppf(TAIL, n, 0.5)))


@cache  # scipy looks for its ends by bisection, and a report asks for a few of them hundreds of times
def proportion(hits: int, n: int) -> Estimate:
    """The share of runs of which something is true, with the exact interval of Clopper and Pearson.

    >>> print(proportion(6, 6))
    1.000 [0.541, 1.000] (n = 6)
    """
    if n == 0:
        return MISSING
    interval = stats.binomtest(hits, n).proportion_ci(LEVEL, method="exact")
    return Estimate(hits / n, float(interval.low), float(interval.high), n)


def probability_of_improvement(sample: Sample) -> Estimate:
    """P(A > B) among the pairs that are not tied, from paired differences A − B; `n` counts these pairs."""
    return proportion(int((sample.values > 0).sum()), int((sample.values != 0).sum()))


def geometric_mean(sample: Sample) -> Estimate:
    """The mean of positive ratios, with Student's t on their logarithms."""
    logs = mean(Sample(np.log(sample.values)))
    return Estimate(float(np.exp(logs.value)), float(np.exp(logs.low)), float(np.exp(logs.high)), logs.n)


def mean_over_tasks(samples: Sequence[Sample]) -> Estimate:
    """The mean of the tasks' means. Each task has its own variance and its own number of runs (Welch, Satterthwaite)."""
    centre, error, freedom = welch([sample.values for sample in samples], [sample.floor for sample in samples])
    half = stats.t.ppf(1 - TAIL, freedom) * error
    low, high = (float(np.mean([sample.bounds[end] for sample in samples])) for end in (0, 1))
    ends = np.clip([centre - half, centre + half], low, high)
    return Estimate(float(centre), float(ends[0]), float(ends[1]), sum(sample.n for sample in samples))


def welch(strata: Sequence[Array], floors: Sequence[float]) -> tuple[Array, Array, Array]:
    """Mean over K tasks of the means of values (…, n_k), its standard error, and its degrees of freedom."""
    sizes = [values.shape[-1] for values in strata]
    centre = np.mean([values.mean(axis=-1) for values in strata], axis=0)
    if min(sizes) < 2:
        return centre, np.full_like(centre, NAN), np.full_like(centre, NAN)
    parts = [
        np.maximum(values.var(axis=-1, ddof=1), floor) / n
        for values, floor, n in zip(strata, floors, sizes, strict=True)
    ]
    total = np.sum(parts, axis=0)
    squares = np.sum([part**2 / (n - 1) for part, n in zip(parts, sizes, strict=True)], axis=0)
    # Without any variance the degrees of freedom are 0/0; the error is 0 then, whatever they are.
    freedom = np.divide(total**2, squares, out=np.ones_like(total), where=squares > 0)
    return centre, np.sqrt(total) / len(strata), freedom


def prediction(samples: Sequence[Sample]) -> Estimate:
    """Where the mean of one further task like these would lie (random effects; DerSimonian & Laird 1986, Higgins 2009).

    A generalisation to other tasks, and wide: it has K − 2 degrees of freedom. Without an interval for K < 3.
    """
    means = np.array([sample.values.mean() for sample in samples])
    n = sum(sample.n for sample in samples)
    if len(samples) < 3 or min(sample.n for sample in samples) < 2:
        return Estimate(float(means.mean()), NAN, NAN, n)
    variances = np.array([max(sample.variance / sample.n, 1e-12) for sample in samples])
    between = between_tasks(means, variances)
    weights = 1 / (variances + between)
    centre = float(weights @ means / weights.sum())
    half = float(stats.t.ppf(1 - TAIL, len(samples) - 2) * np.sqrt(between + 1 / weights.sum()))
    return Estimate(centre, centre - half, centre + half, n)


def between_tasks(means: Array, variances: Array) -> float:
    """The variance between K tasks' true means, by the method of moments of DerSimonian and Laird."""
    weights = 1 / variances
    centre = weights @ means / weights.sum()
    excess = weights @ (means - centre) ** 2 - (len(means) - 1)
    return float(max(0.0, excess / (weights.sum() - (weights**2).sum() / weights.sum())))
