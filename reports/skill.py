"""From a score to a skill: 0 for guessing, 1 for perfection; and the difficulty at which skill is lost."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def skill(score: ArrayLike, chance: float, perfect: float) -> NDArray[np.float64]:
    """(score − chance) / (perfect − chance): 0 for guessing, 1 for perfection, below 0 for worse than guessing."""
    return (np.asarray(score, dtype=float) - chance) / (perfect - chance)


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
