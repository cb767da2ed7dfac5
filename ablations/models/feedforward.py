"""A feed-forward network on the whole sequence at once: its fixed length is the point."""

from torch import Tensor, nn
from torch.nn.functional import pad

from ablations.models.network import LengthError, Network, silence
from tasks import Interface


class FeedForward(Network):
    """Two hidden ReLU layers on the flattened sequence, padded to the longest that training has.

    A longer sequence is refused with a `LengthError`: there are no weights for its further steps.
    """

    causal = False

    def __init__(self, interface: Interface, size: int) -> None:
        super().__init__(interface)
        outputs = interface.outputs * (interface.length if interface.per_step else 1)
        self.layers = nn.Sequential(
            nn.Linear(interface.length * self.encoder.size, size),
            nn.ReLU(),
            nn.Linear(size, size),
            nn.ReLU(),
            nn.Linear(size, outputs),
        )

    def answer(self, x: Tensor, mask: Tensor | None) -> Tensor:
        B, T, _ = x.shape
        longest = self.interface.length
        if longest < T:
            raise LengthError(f"this feed-forward network takes at most {longest} steps, the sequence has {T}")
        flat = pad(silence(x, mask), (0, 0, 0, longest - T)).reshape(B, -1)
        outputs = self.layers(flat)
        return outputs.reshape(B, longest, -1)[:, :T] if self.interface.per_step else outputs
