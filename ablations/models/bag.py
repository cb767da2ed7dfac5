"""A reader that knows which words there were, and not in which order."""

import torch
from torch import Tensor, nn

from ablations.models.decoder import Decoder, Memory
from ablations.models.network import Network, mean, zero_padding
from tasks import TaskSpec


class BagOfWords(Network):
    """The mean of the encoded steps up to each, a hidden layer with ReLU, and a readout; or a decoder that starts from there.

    What can be told without order; networks that read in order have to beat it.
    """

    causal = True

    def __init__(self, spec: TaskSpec, size: int) -> None:
        super().__init__(spec)
        self.hidden = nn.Sequential(nn.Linear(self.encoder.size, size), nn.ReLU())
        if spec.symbols:
            self.decoder = Decoder(spec, "lstm", size, size)
        else:
            self.head = nn.Linear(size, spec.outputs)

    def forward_encoded(self, x: Tensor, mask: Tensor | None) -> Tensor:
        if not self.spec.per_step:
            return self.head(self.read(x, mask).final)
        counts = torch.arange(1, x.shape[1] + 1, dtype=x.dtype, device=x.device)
        return self.head(self.hidden(zero_padding(x, mask).cumsum(1) / counts.unsqueeze(-1)))

    def read(self, x: Tensor, mask: Tensor | None) -> Memory:
        final = self.hidden(mean(x, mask))
        return Memory(final.unsqueeze(1), final, None)
