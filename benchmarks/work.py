"""The pieces of work that are timed, on a layer that maps (B, T, I) to (B, T, H) and inputs that need no gradient.

The gradient of the outputs is fixed random numbers, so that no loss is timed.
"""

import torch
from torch import Tensor, nn

from ablations.models.backends import eager_backend
from benchmarks.timing import Work

INPUTS = 16
"""The size of an input vector."""

PEERS = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
"""The layers of torch.nn by the name of the cell."""


def peer(cell: str, hidden: int) -> nn.Module:
    """The layer of torch.nn."""
    return PEERS[cell](INPUTS, hidden, batch_first=True)


def outputs_of(layer: nn.Module, x: Tensor) -> Tensor:
    """The outputs (B, T, H); torch.nn's layers give the final state as well."""
    made = layer(x)
    return made[0] if isinstance(made, tuple) else made


def passes(layer: nn.Module, B: int, T: int) -> Work:
    """One forward and backward pass."""
    x = torch.randn(B, T, INPUTS)
    gradient = torch.randn_like(outputs_of(layer, x))

    def work() -> None:
        layer.zero_grad()
        outputs_of(layer, x).backward(gradient)

    return work


def on_eager_backend(work: Work) -> Work:
    """The same, computed by the plain Python loop."""

    def looped() -> None:
        with eager_backend():
            work()

    return looped


def training_step(layer: nn.Module, B: int, T: int) -> Work:
    """One forward and backward pass and a step of the fastest Adam that torch has."""
    there_and_back, adam = passes(layer, B, T), torch.optim.Adam(layer.parameters(), fused=True)

    def work() -> None:
        there_and_back()
        adam.step()

    return work
