"""The simple recurrent network, and what becomes of it when one thing is changed."""

from types import SimpleNamespace
from typing import ClassVar

from ablations.models.cell import Cell, Functions, Value
from ablations.models.gate import Gate


class RNN(Cell):
    """The simple recurrent network (Elman 1990), as torch.nn.RNN computes it.

    >>> import torch
    >>> from ablations.models.cell import TorchFunctions
    >>> zero = torch.zeros(1)
    >>> RNN.step(TorchFunctions, SimpleNamespace(h=torch.ones(1)), SimpleNamespace(h=zero), SimpleNamespace())
    {'h': tensor([0.7616])}
    """

    name = "rnn"
    gates: ClassVar[tuple[Gate, ...]] = (Gate("h"),)

    @staticmethod
    def step(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Value]:
        return {"h": f.tanh(a.h)}


class RNNWithoutRecurrence(RNN):
    """A layer without memory: every step sees its own input and nothing else."""

    name = "rnn-no-recurrence"
    parent, change = RNN, "no recurrent part"
    gates = (Gate("h", recurrent="none"),)


class RNNRelu(RNN):
    """The simple recurrent network with rectified linear units, as torch.nn.RNN computes it with that option."""

    name = "rnn-relu"
    parent, change = RNN, "relu in place of tanh"

    @staticmethod
    def step(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Value]:
        return {"h": f.relu(a.h)}


class RNNIdentity(RNNRelu):
    """Rectified linear units that copy their state to begin with: R starts from the identity, b from 0 (Le et al. 2015)."""

    name = "rnn-identity"
    parent, change = RNNRelu, "R starts from the identity and b from zero"
    start = "identity"
