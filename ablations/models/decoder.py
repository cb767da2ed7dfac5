"""The part of a network that writes an answer, symbol by symbol."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from ablations.models.attention import Weights, attention
from ablations.models.recurrent import RecurrentLayer
from tasks import TaskSpec

SYMBOL = 16
"""The size of the vector that stands for a written symbol."""


class Memory(NamedTuple):
    """What an encoder has read: states (B, T, W), zero on padding, what it ends with, final (B, W), and the mask (B, T)."""

    states: Tensor
    final: Tensor
    mask: Tensor | None


class Decoder(nn.Module):
    """Writes an answer from what an encoder has read (Sutskever, Vinyals & Le 2014).

    Its recurrent layer starts from the encoder's end, by a linear map and tanh, and reads the symbols written so far. Each
    next symbol is read from its state, and with `weights` from the attended sum of the encoder's states too. The context
    enters the output and not the recurrence (Luong, Pham & Manning 2015, section 3.1): all symbols of a training step are
    computed at once.
    """

    def __init__(self, spec: TaskSpec, cell: str, width: int, size: int, weights: Weights | None = None) -> None:
        super().__init__()
        self.first = spec.outputs
        self.embedding = nn.Embedding(spec.outputs + 1, SYMBOL)
        self.start = nn.Linear(width, size)
        self.layer = RecurrentLayer(cell, SYMBOL, size)
        self.attend = None if weights is None else attention(weights, size, width, size)
        self.head = nn.Linear(size + (width if weights else 0), spec.outputs)

    def forward(self, memory: Memory, prefix: Tensor) -> Tensor:
        """Logits (B, U, K) of each next symbol, given the symbols (B, U) before it; the first of these is `first`."""
        return self._logits(memory, self.states(memory, prefix))

    def states(self, memory: Memory, prefix: Tensor) -> Tensor:
        """The states (B, U, H) of the recurrent layer, the queries of its attention."""
        return self.layer(self.embedding(prefix), None, self._start(memory))[0]

    def write(self, memory: Memory, steps: int) -> Tensor:
        """Logits (B, steps, K) where each most probable symbol is what the next is written after: greedy decoding."""
        symbol = torch.full_like(memory.final[:, :1], self.first, dtype=torch.int64)
        state, outputs = self._start(memory), []
        for _ in range(steps):
            states, state = self.layer(self.embedding(symbol), None, state)
            outputs.append(self._logits(memory, states))
            symbol = outputs[-1].argmax(-1)
        return torch.cat(outputs, dim=1)

    def _start(self, memory: Memory) -> Tensor:
        """The state (S, B, H) before the first symbol."""
        first = torch.tanh(self.start(memory.final))
        return torch.stack([first, *(torch.zeros_like(first) for _ in self.layer.cell.state[1:])])

    def _logits(self, memory: Memory, states: Tensor) -> Tensor:
        if self.attend is None:
            return self.head(states)
        context = self.attend(states, memory.states, memory.mask) @ memory.states
        return self.head(torch.cat([states, context], dim=-1))


def before(targets: Tensor, first: int) -> Tensor:
    """The symbols (…, U) that stand before those of targets (…, U), which follow `first`. What is ignored becomes 0.

    >>> before(torch.tensor([[3, 1, -100]]), first=4)
    tensor([[4, 3, 1]])
    """
    return torch.cat([torch.full_like(targets[..., :1], first), targets[..., :-1].clamp(min=0)], dim=-1)
