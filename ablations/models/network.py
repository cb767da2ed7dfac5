"""A model is encoder, sequence layers and readout; this is the frame that every model fills."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ablations.models.cell import Cell
from ablations.models.decoder import Decoder, Memory, before
from tasks import TaskSpec

EMBEDDING = 16
"""The size of the vector that stands for a word, the same in every model."""


class LengthError(ValueError):
    """A sequence is longer than the model can take."""


class Encoder(nn.Module):
    """Tokens (B, T) or features (B, T, D) to vectors (B, T, `size`); features pass unchanged."""

    def __init__(self, spec: TaskSpec) -> None:
        super().__init__()
        self.size = EMBEDDING if spec.vocabulary else spec.features
        self.embedding = nn.Embedding(spec.vocabulary, EMBEDDING) if spec.vocabulary else None

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs if self.embedding is None else self.embedding(inputs)


class Network(nn.Module, ABC):
    """A model of one task: inputs and mask as in `tasks.Batch` -> outputs (B, T, K) or (B, K), as its spec says.

    Where answers are written, outputs are (B, U, K), one for each of U symbols. With a `prefix` (B, U), the symbols before
    those, they are computed at once, as in training; without one, `steps` symbols are written, each after those that it
    has written itself. A model that can do that has a `decoder` then, and defines `read`.

    `causal` tells whether what it says of a step depends on nothing that comes later. The mask may be None where
    nothing is padded. A model that cannot take sequences of that length raises `LengthError`. `start_flags` are those
    of its flags that say what its parameters start from, and nothing else: networks that differ in them train side by side.
    """

    causal: bool
    start_flags: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def is_causal(cls, **flags: Any) -> bool:
        """Whether a model with those flags is causal; by default what the class says of itself."""
        return cls.causal

    @classmethod
    def cell_of(cls, **flags: Any) -> type[Cell] | None:
        """The cell whose equations a model with those flags runs; by default none."""
        return None

    def __init__(self, spec: TaskSpec) -> None:
        super().__init__()
        self.spec = spec
        self.encoder = Encoder(spec)
        self.decoder: Decoder | None = None

    def forward(
        self, inputs: Tensor, mask: Tensor | None = None, prefix: Tensor | None = None, steps: int = 0
    ) -> Tensor:
        x = self.encoder(inputs)
        if not self.spec.symbols:
            return self.forward_encoded(x, mask)
        assert self.decoder is not None  # `Variant` sees to that
        memory = self.read(x, mask)
        return self.decoder.write(memory, steps) if prefix is None else self.decoder(memory, prefix)

    def told(self, targets: Tensor) -> dict[str, Tensor]:
        """What a network in training gets beside inputs and mask: where answers are written, the right symbols before each."""
        return {} if self.decoder is None else {"prefix": before(targets, self.decoder.first)}

    def attention(self, inputs: Tensor, mask: Tensor | None = None, prefix: Tensor | None = None) -> Tensor | None:
        """The weights by which it attends to steps, (B, U, T) after a prefix (B, U); None, the default, if it does not attend."""
        return None

    def read(self, x: Tensor, mask: Tensor | None) -> Memory:
        """What a decoder is told of encoded inputs x (B, T, D)."""
        raise NotImplementedError

    @abstractmethod
    def forward_encoded(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """The outputs for encoded inputs x (B, T, D)."""


def zero_padding(x: Tensor, mask: Tensor | None) -> Tensor:
    """x (B, T, D) with zeros where the mask (B, T) is false."""
    return x if mask is None else torch.where(mask.unsqueeze(-1), x, 0.0)


def mean(x: Tensor, mask: Tensor | None) -> Tensor:
    """The mean of x (B, T, D) over each sequence's own steps: (B, D)."""
    return zero_padding(x, mask).sum(1) / (x.shape[1] if mask is None else mask.sum(1, keepdim=True))


def last(x: Tensor, mask: Tensor | None) -> Tensor:
    """x (B, T, D) at each sequence's own last step: (B, D)."""
    if mask is None:
        return x[:, -1]
    index = mask.sum(1).sub(1).view(-1, 1, 1).expand(-1, 1, x.shape[-1])
    return x.gather(1, index).squeeze(1)
