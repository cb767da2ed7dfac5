"""What is measured and what is estimated: a sample of runs, and a number with its interval."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reports.number_format import interval

Array = NDArray[np.float64]
UNBOUNDED = (-np.inf, np.inf)


@dataclass(frozen=True)
class Sample:
    """One value per run, and what is known of them beforehand.

    `floor` is the least variance that one run's value can have: that of the finite test set. `bounds` are the lowest and
    the highest possible value.
    """

    values: Array
    floor: float = 0.0
    bounds: tuple[float, float] = UNBOUNDED

    @property
    def n(self) -> int:
        """The number of runs."""
        return len(self.values)

    @property
    def variance(self) -> float:
        """The variance of one run's value, at least the floor; NaN for fewer than two runs."""
        return max(float(self.values.var(ddof=1)), self.floor) if self.n > 1 else float("nan")


def sample(values: ArrayLike, floor: float = 0.0, bounds: tuple[float, float] = UNBOUNDED) -> Sample:
    """A sample of anything that NumPy reads as a list of numbers."""
    return Sample(np.asarray(values, dtype=float), floor, bounds)


def share_sample(shares: ArrayLike, sequences: int) -> Sample:
    """A sample of shares, each of so many test sequences."""
    values = np.asarray(shares, dtype=float)
    return Sample(values, test_set_variance(float(values.mean()), sequences), (0.0, 1.0))


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval and its number of runs `n`. Where there is no interval, both ends are NaN."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{interval(self.value, self.low, self.high)} (n = {self.n})"


MISSING = Estimate(float("nan"), float("nan"), float("nan"), 0)
"""The estimate of what was not measured."""


def test_set_variance(score: float, sequences: int) -> float:
    """The sampling variance p(1 − p)/N of a score on N test sequences, with p = (x + 2)/(N + 4) of x right answers.

    It is never 0, also where every answer was right (Agresti & Coull 1998). A score that is a mean of several answers per
    sequence varies less.

    >>> round(test_set_variance(1.0, 1024) ** 0.5, 4)
    0.0014
    """
    right = min(max(score, 0.0), 1.0) * sequences
    share = (right + 2) / (sequences + 4)
    return share * (1 - share) / sequences
