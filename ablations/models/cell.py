"""A cell is the equations of one time step, written once and evaluated on torch tensors or on SymPy symbols."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, ClassVar

import sympy
import torch

Value = Any
"""What equations are made of: a torch tensor (…, H), or a SymPy expression."""


class sigmoid(sympy.Function):  # the name that is typeset and that equations are written with
    """The logistic function as a symbol; SymPy has none of its own."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return self * (1 - self)


class TorchFunctions:
    """The functions of equations on torch tensors."""

    sigmoid = staticmethod(torch.sigmoid)
    tanh = staticmethod(torch.tanh)
    relu = staticmethod(torch.relu)
    exp = staticmethod(torch.exp)
    maximum = staticmethod(torch.maximum)


class SymbolicFunctions:
    """The same functions on SymPy expressions."""

    sigmoid = sigmoid
    tanh = sympy.tanh
    exp = sympy.exp
    maximum = sympy.Max

    @staticmethod
    def relu(x: sympy.Expr) -> sympy.Expr:
        return sympy.Max(x, 0)


Functions = type[TorchFunctions] | type[SymbolicFunctions]


class Cell(ABC):
    """The equations of one step of a recurrent layer, and the names that they are written with.

    gates: the blocks of pre-activations W x + R h + b, each of H units, in the order of the weight rows.
    split: the gates whose input part W x + b and recurrent part R h + b' enter the equations apart; in `step` such a
        gate has the two fields `x` and `h`.
    state: what is carried from step to step; the first of them, h, is the output and what R multiplies.
    vectors: the names of per-unit weight vectors (peepholes, for example).
    bias: what a gate's bias starts from where it is not zero.
    """

    name: ClassVar[str]
    gates: ClassVar[tuple[str, ...]]
    split: ClassVar[tuple[str, ...]] = ()
    state: ClassVar[tuple[str, ...]] = ("h",)
    vectors: ClassVar[tuple[str, ...]] = ()
    bias: ClassVar[Mapping[str, float]] = {}

    @staticmethod
    @abstractmethod
    def step(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Value]:
        """The named quantities of one step in the order they are computed, the new state among them.

        f: the functions `sigmoid`, `tanh`, `relu`, `exp`, `maximum`; a: the gates' pre-activations; s: the state before
        the step; v: the per-unit vectors. Written with those, + − × ÷ and constants, and nothing else.
        """


class RNN(Cell):
    """The simple recurrent network (Elman 1990), as torch.nn.RNN computes it.

    >>> zero = torch.zeros(1)
    >>> RNN.step(TorchFunctions, SimpleNamespace(h=torch.ones(1)), SimpleNamespace(h=zero), SimpleNamespace())
    {'h': tensor([0.7616])}
    """

    name = "rnn"
    gates = ("h",)

    @staticmethod
    def step(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Value]:
        return {"h": f.tanh(a.h)}


class LSTM(Cell):
    """Long short-term memory with a forget gate (Gers et al. 2000), as torch.nn.LSTM computes it.

    The forget gate's bias starts from 1 (Jozefowicz et al. 2015); torch.nn has no option for that.
    """

    name = "lstm"
    gates = ("i", "f", "g", "o")
    state = ("h", "c")
    bias: ClassVar[Mapping[str, float]] = {"f": 1.0}

    @staticmethod
    def step(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Value]:
        input_, forget, output = f.sigmoid(a.i), f.sigmoid(a.f), f.sigmoid(a.o)
        update = f.tanh(a.g)
        c = forget * s.c + input_ * update
        return {"i": input_, "f": forget, "g": update, "o": output, "c": c, "h": output * f.tanh(c)}


class GRU(Cell):
    """The gated recurrent unit with its reset gate after the product, as torch.nn.GRU computes it.

    Cho et al. (2014) put the reset gate before the product; this form, cuDNN's, needs one product per step.
    """

    name = "gru"
    gates = ("r", "z", "n")
    split = ("n",)

    @staticmethod
    def step(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Value]:
        reset, update = f.sigmoid(a.r), f.sigmoid(a.z)
        new = f.tanh(a.n.x + reset * a.n.h)
        return {"r": reset, "z": update, "n": new, "h": (1 - update) * new + update * s.h}


CELLS: dict[str, type[Cell]] = {cell.name: cell for cell in (RNN, LSTM, GRU)}
"""Every cell by name."""
