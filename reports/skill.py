"""From a score to a skill: 0 for guessing, 1 for perfection."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def skill(score: ArrayLike, chance: float, perfect: float) -> NDArray[np.float64]:
    """(score − chance) / (perfect − chance): 0 for guessing, 1 for perfection, below 0 for worse than guessing."""
    return (np.asarray(score, dtype=float) - chance) / (perfect - chance)
