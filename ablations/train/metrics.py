"""What training yields: a segment's metrics, and curves of metrics. No torch here."""

from dataclasses import dataclass
from math import isfinite

Curve = tuple[tuple[int, float], ...]
"""A metric's history: (step, value) pairs in step order. What a step is depends on the metric, see `CURVES`."""

EXPLODED = 1e6
"""A training loss above this counts as diverged, as a loss that is not a number does."""


@dataclass(frozen=True)
class SegmentMetrics:
    """How one run did in a segment, and its share of the time.

    Mean training loss; validation score and loss at the nominal difficulty; validation score over the mixture that it
    is trained on, which still tells runs apart that have learnt the easy part only.
    """

    train_loss: float
    score: float
    loss: float
    mixed_score: float
    seconds: float

    @property
    def diverged(self) -> bool:
        return not (isfinite(self.loss) and self.train_loss < EXPLODED)
