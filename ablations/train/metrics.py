"""The metrics of a segment, and curves of metrics. No torch here: the record reads them too."""

from dataclasses import dataclass
from math import isfinite

Curve = tuple[tuple[int, float], ...]
"""A metric's history: (step, value) pairs in step order. `CURVES` in the record's schema says what a step is."""

EXPLODED = 1e6
"""A training loss above this counts as diverged, as a loss that is not a number does."""


@dataclass(frozen=True)
class SegmentMetrics:
    """The metrics of one run after a segment, and its share of the segment's time.

    train_loss: the mean over the segment. score, loss: on validation data of nominal difficulty. mixed_score: on a
    validation mixture as in training; it still differs between runs that have only learnt easy sequences.
    """

    train_loss: float
    score: float
    loss: float
    mixed_score: float
    seconds: float

    @property
    def diverged(self) -> bool:
        return not (isfinite(self.loss) and self.train_loss < EXPLODED)
