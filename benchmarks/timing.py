"""Timing: sides that are compared take turns in one process, and the processor's own limit is measured beside them."""

from collections.abc import Callable, Mapping, Sequence
from math import ceil
from statistics import median
from time import perf_counter

import numpy as np
import torch
from threadpoolctl import threadpool_limits

Work = Callable[[], object]

LONG_ENOUGH = 10.0
"""Milliseconds; shorter work is repeated until a timing takes that long."""

SIDE, TRIES = 1024, 30
"""The rows of the square matrices, and how often they are multiplied, to find the peak."""


def milliseconds(work: Work, repeats: int = 1) -> float:
    """How long one call takes, the mean of some."""
    began = perf_counter()
    for _ in range(repeats):
        work()
    return (perf_counter() - began) * 1e3 / repeats


def interleaved(sides: Mapping[str, Work], rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each side in each round; a round times every side once, in an order that turns with the round."""
    for work in sides.values():
        work()
    repeats = {name: ceil(LONG_ENOUGH / milliseconds(work)) for name, work in sides.items()}
    times: dict[str, list[float]] = {name: [] for name in sides}
    for index in range(rounds):
        for name in list(sides)[:: -1 if index % 2 else 1]:
            times[name].append(milliseconds(sides[name], repeats[name]))
    return times


def median_ratio(above: Sequence[float], below: Sequence[float]) -> float:
    """The median over rounds of the ratio within a round, so that what slows a whole round down does not count.

    >>> median_ratio([2, 40, 9], [1, 10, 3])
    3.0
    """
    return float(median(a / b for a, b in zip(above, below, strict=True)))


def sgemm_peak() -> float:
    """GFLOP/s of the fastest product of two large float32 matrices on one thread, by torch's BLAS or NumPy's."""
    a, b = torch.randn(2, SIDE, SIDE)
    c = torch.empty(SIDE, SIDE)
    x, y, z = a.numpy(), b.numpy(), c.numpy()
    with threadpool_limits(1):
        best = min(
            min(milliseconds(lambda: torch.mm(a, b, out=c)), milliseconds(lambda: np.matmul(x, y, out=z)))
            for _ in range(TRIES)
        )
    return 2 * SIDE**3 / best / 1e6
