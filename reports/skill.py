"""From a score to a skill: 0 for guessing, 1 for perfection; and the difficulty at which skill is lost."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray


def skill(score: ArrayLike, chance: float, perfect: float) -> NDArray[np.float64]:
    """(score − chance) / (perfect − chance): 0 for guessing, 1 for perfection, below 0 for worse than guessing."""
    return (np.asarray(score, dtype=float) - chance) / (perfect - chance)


def skill_by(references: Mapping[str, float], score: float) -> float:
    """The skill of a score, given a task's references.

    >>> skill_by({"chance": 0.5, "perfect": 1.0}, 0.75)
    0.5
    """
    return float(skill(score, references["chance"], references["perfect"]))


LEARNT = 0.1
"""The skill at the shortest difficulty below which nothing was learnt that could be lost."""


def half_life(difficulty: ArrayLike, skills: ArrayLike) -> float:
    """The difficulty at which skill first falls to half of what it is at the shortest, linearly interpolated.

    Infinite if it never does; 0 if nothing was learnt, not even at the shortest. `difficulty` rises.

    >>> half_life([10, 20, 30], [0.8, 0.6, 0.2])
    25.0
    """
    x, y = np.asarray(difficulty, dtype=float), np.asarray(skills, dtype=float)
    if y[0] < LEARNT:
        return 0.0
    half = y[0] / 2
    below = np.flatnonzero(y <= half)
    if not len(below):
        return float("inf")
    end = int(below[0])
    return float(np.interp(half, y[[end, end - 1]], x[[end, end - 1]]))
