"""What the tasks share that ask for one class for each sequence."""

from pydantic import model_validator
from pydantic.dataclasses import dataclass
from torch import Tensor
from torch.nn.functional import cross_entropy

from tasks.task import STRICT, Batch, DifficultySampling, Task, hits


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Classification(Task):
    """A task with one answer for each sequence, a class: targets (n,) int64, outputs (n, K).

    Loss: cross-entropy in nats. Score: accuracy.
    """

    shortest: int | None = None
    difficulty_sampling: DifficultySampling = "uniform"

    @model_validator(mode="after")
    def _check(self) -> "Classification":
        self.check_shortest()
        return self

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        return cross_entropy(outputs, batch.targets)

    def score(self, outputs: Tensor, batch: Batch) -> Tensor:
        return hits(outputs, batch.targets).mean()
