"""A cell is the equations of one time step, written once and evaluated on torch tensors or on SymPy symbols."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, ClassVar, Literal

import sympy
import torch
from torch import Tensor

Value = Any
"""What equations are made of: a torch tensor (…, H), or a SymPy expression."""


class TorchFunctions:
    """The functions of equations on torch tensors."""

    sigmoid = staticmethod(torch.sigmoid)
    tanh = staticmethod(torch.tanh)
    relu = staticmethod(torch.relu)
    exp = staticmethod(torch.exp)

    @staticmethod
    def maximum(x: Tensor, y: Tensor | float) -> Tensor:
        return torch.maximum(x, torch.as_tensor(y, dtype=x.dtype, device=x.device))


class sigmoid(sympy.Function):
    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return self * (1 - self)


class tanh(sympy.Function):
    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return 1 - self**2


class exp(sympy.Function):
    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return self


class relu(sympy.Function):
    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return positive(*self.args)


class positive(sympy.Function):
    """The derivative of relu: 1 above zero, else 0, as torch has it."""


class maximum(sympy.Function):
    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return larger(*(self.args if argindex == 1 else self.args[::-1]))


class larger(sympy.Function):
    """The derivative of maximum by its first argument: 1 where that is the larger, 1/2 at a tie, as torch has it."""


class SymbolicFunctions:
    """The same functions on SymPy expressions: symbols with a derivative, which SymPy leaves as they are written."""

    sigmoid = sigmoid
    tanh = tanh
    relu = relu
    exp = exp
    maximum = maximum


FUNCTIONS = (sigmoid, tanh, exp, relu, maximum)
"""The functions as symbols, all that there are."""

Functions = type[TorchFunctions] | type[SymbolicFunctions]


class Cell(ABC):
    """The equations of one step of a recurrent layer, and the names that they are written with.

    gates: the blocks of pre-activations W x + R h + b, each of H units, in the order of the weight rows.
    unconnected: the gates without a recurrent part, W x + b.
    split: the gates whose input part W x + b and recurrent part R h + b' enter the equations apart; in `step` such a
        gate has the two fields `x` and `h`.
    gated: the gates whose R multiplies what `operand` makes of h, in place of h.
    feedback: the gates whose activations of the step before, states of the same names, enter the pre-activations of
        all of them through a matrix of their own.
    state: what is carried from step to step; the first of them, h, is the output and what R multiplies.
    vectors: the names of per-unit weight vectors (peepholes, for example).
    bias: what a gate's bias starts from where it is not zero.
    start: what R starts from, "uniform" random numbers or the "identity".
    parent, change: of an ablation, the cell from which it differs in exactly one thing, and what that is.
    """

    name: ClassVar[str]
    gates: ClassVar[tuple[str, ...]]
    unconnected: ClassVar[tuple[str, ...]] = ()
    split: ClassVar[tuple[str, ...]] = ()
    gated: ClassVar[tuple[str, ...]] = ()
    feedback: ClassVar[tuple[str, ...]] = ()
    state: ClassVar[tuple[str, ...]] = ("h",)
    vectors: ClassVar[tuple[str, ...]] = ()
    bias: ClassVar[Mapping[str, float]] = {}
    start: ClassVar[Literal["uniform", "identity"]] = "uniform"
    parent: ClassVar["type[Cell] | None"] = None
    change: ClassVar[str] = ""

    @staticmethod
    @abstractmethod
    def step(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Value]:
        """The named quantities of one step in the order they are computed, the new state among them.

        f: the functions `sigmoid`, `tanh`, `relu`, `exp`, `maximum`; a: the gates' pre-activations; s: the state before
        the step; v: the per-unit vectors. Written with those, + − × ÷ and constants, and nothing else.
        """

    @staticmethod
    def operand(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> Value:
        """What R multiplies for the `gated` gates; their own pre-activations are not yet there."""
        raise NotImplementedError

    @classmethod
    def arguments(
        cls, make: Callable[[str], Value], gate: str = "{}", part: str = "{}:{}", state: str = "{}", vector: str = "{}"
    ) -> tuple[SimpleNamespace, SimpleNamespace, SimpleNamespace]:
        """What a step reads, each made from its name, and the names from formats: of a gate, or a gate and its part where
        it is split, of the old state, and of a vector.

        >>> from ablations.models.gru import GRU
        >>> GRU.arguments(sympy.Symbol, "a_{}", "a_{}_{}")[0]
        namespace(r=a_r, z=a_z, n=namespace(x=a_n_x, h=a_n_h))
        """

        def of(name: str) -> Value:
            if name not in cls.split:
                return make(gate.format(name))
            return SimpleNamespace(**{side: make(part.format(name, side)) for side in "xh"})

        return (
            SimpleNamespace(**{name: of(name) for name in cls.gates}),
            SimpleNamespace(**{name: make(state.format(name)) for name in cls.state}),
            SimpleNamespace(**{name: make(vector.format(name)) for name in cls.vectors}),
        )

    @classmethod
    def connected(cls) -> tuple[str, ...]:
        """The gates with a recurrent part, in the order of the rows of R."""
        return tuple(gate for gate in cls.gates if gate not in cls.unconnected)
