"""A feed-forward network on the whole sequence at once: its fixed length is the point."""

from torch import Tensor, nn
from torch.nn.functional import pad

from ablations.models.network import LengthError, Network, zero_padding
from tasks import TaskSpec


class FeedForward(Network):
    """Two hidden ReLU layers on the flattened sequence, padded to the longest that training has.

    A longer sequence is refused with a `LengthError`: there are no weights for its further steps.
    """

    causal = False

    def __init__(self, spec: TaskSpec, size: int) -> None:
        super().__init__(spec)
        outputs = spec.outputs * (spec.length if spec.per_step else 1)
        self.layers = nn.Sequential(
            nn.Linear(spec.length * self.encoder.size, size),
            nn.ReLU(),
            nn.Linear(size, size),
            nn.ReLU(),
            nn.Linear(size, outputs),
        )

    def forward_encoded(self, x: Tensor, mask: Tensor | None) -> Tensor:
        B, T, _ = x.shape
        longest = self.spec.length
        if longest < T:
            raise LengthError(f"this feed-forward network takes at most {longest} steps, the sequence has {T}")
        flat = pad(zero_padding(x, mask), (0, 0, 0, longest - T)).reshape(B, -1)
        outputs = self.layers(flat)
        return outputs.reshape(B, longest, -1)[:, :T] if self.spec.per_step else outputs
