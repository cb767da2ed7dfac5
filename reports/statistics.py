"""Small pure functions from runs to estimates with intervals."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import bootstrap, trim_mean

RESAMPLES = 4000
LEVEL = 0.95

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval and its number of runs `n`. One run gives no interval: both ends are NaN.

    `fewest` is the number of runs in the smallest of the samples that were pooled; it decides whether `n` is enough.
    """

    value: float
    low: float
    high: float
    n: int
    fewest: int

    def __str__(self) -> str:
        if np.isnan(self.low):
            return f"{self.value:.3g} (n = {self.n})"
        return f"{self.value:.3g} [{self.low:.3g}, {self.high:.3g}] (n = {self.n})"


def mean(values: ArrayLike, rng: np.random.Generator) -> Estimate:
    """The mean over seeds, with its percentile bootstrap interval.

    >>> print(mean([0.5, 0.5, 0.5], np.random.default_rng(0)))
    0.5 [0.5, 0.5] (n = 3)
    """
    return _estimate([np.asarray(values, dtype=float)], _mean, rng)


def pooled(strata: Sequence[ArrayLike], rng: np.random.Generator) -> Estimate:
    """The interquartile mean over all runs of several tasks; each task is resampled on its own (Agarwal et al. 2021)."""
    return _estimate([np.asarray(values, dtype=float) for values in strata], _interquartile_mean, rng)


def geometric_mean(ratios: ArrayLike, rng: np.random.Generator) -> Estimate:
    """The geometric mean of positive ratios, with its percentile bootstrap interval."""
    logs = mean(np.log(np.asarray(ratios, dtype=float)), rng)
    return Estimate(float(np.exp(logs.value)), float(np.exp(logs.low)), float(np.exp(logs.high)), logs.n, logs.fewest)


def probability_of_improvement(a: ArrayLike, b: ArrayLike, rng: np.random.Generator) -> Estimate:
    """P(A > B) over paired runs, with its percentile bootstrap interval; a tie counts half (Bouthillier et al. 2021).

    >>> probability_of_improvement([1, 2, 3, 4], [0, 2, 2, 5], np.random.default_rng(0)).value
    0.625
    """
    return mean((np.sign(np.subtract(a, b)) + 1) / 2, rng)


def pooled_probability_of_improvement(strata: Sequence[ArrayLike], rng: np.random.Generator) -> Estimate:
    """P(A > B) from the paired differences of several tasks; each task is resampled on its own, a tie counts half."""
    return _estimate([(np.sign(np.asarray(values, dtype=float)) + 1) / 2 for values in strata], _pooled_mean, rng)


def half_life(difficulty: ArrayLike, skills: ArrayLike) -> float:
    """The difficulty at which skill first falls to one half, linearly interpolated; infinite if it never does.

    >>> half_life([10, 20, 30], [1.0, 0.75, 0.25])
    25.0
    """
    x, y = np.asarray(difficulty, dtype=float), np.asarray(skills, dtype=float)
    below = np.flatnonzero(y < 0.5)
    if not len(below):
        return float("inf")
    end = int(below[0])
    if end == 0:
        return float(x[0])
    return float(np.interp(0.5, y[[end, end - 1]], x[[end, end - 1]]))


def _estimate(samples: Sequence[Array], statistic: Callable[..., Array], rng: np.random.Generator) -> Estimate:
    sizes, value = [len(sample) for sample in samples], float(statistic(*samples, axis=-1))
    if min(sizes) < 2:
        return Estimate(value, float("nan"), float("nan"), sum(sizes), min(sizes))
    interval = bootstrap(
        samples, statistic, n_resamples=RESAMPLES, confidence_level=LEVEL, method="percentile", vectorized=True, rng=rng
    ).confidence_interval
    return Estimate(value, float(interval.low), float(interval.high), sum(sizes), min(sizes))


def _mean(sample: Array, axis: int) -> Array:
    return np.asarray(np.mean(sample, axis=axis))


def _pooled_mean(*samples: Array, axis: int) -> Array:
    return np.asarray(np.mean(np.concatenate(samples, axis=axis), axis=axis))


def _interquartile_mean(*samples: Array, axis: int) -> Array:
    return trim_mean(np.concatenate(samples, axis=axis), 0.25, axis=axis)
