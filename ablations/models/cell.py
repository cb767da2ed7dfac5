"""A cell is the equations of one time step, written once and evaluated on torch tensors or on SymPy symbols."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, ClassVar, Literal

import sympy
import torch
from torch import Tensor
from torch.nn.functional import softplus as softplus_of

from ablations.models.declaration import check_declaration
from ablations.models.gate import Gate

Value = Any
"""What equations are made of: a torch tensor (…, H), or a SymPy expression."""


class TorchFunctions:
    """The functions of equations on torch tensors."""

    sigmoid = staticmethod(torch.sigmoid)
    tanh = staticmethod(torch.tanh)
    relu = staticmethod(torch.relu)
    exp = staticmethod(torch.exp)
    log = staticmethod(torch.log)
    sqrt = staticmethod(torch.sqrt)
    sin = staticmethod(torch.sin)
    cos = staticmethod(torch.cos)
    abs = staticmethod(torch.abs)

    @staticmethod
    def softplus(x: Tensor) -> Tensor:
        return softplus_of(x, threshold=40.0)  # torch's own of 20 is a jump of 2e-9 in float64

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


class log(sympy.Function):
    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return 1 / self.args[0]


class sqrt(sympy.Function):
    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return 1 / (2 * self)


class sin(sympy.Function):
    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return cos(*self.args)


class cos(sympy.Function):
    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return -sin(*self.args)


class softplus(sympy.Function):
    """log(1 + exp(x)), a smooth relu."""

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return sigmoid(*self.args)


class absolute(sympy.Function):
    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return sign(*self.args)


class sign(sympy.Function):
    """The derivative of the absolute value: 1 above zero, -1 below, 0 at zero, as torch has it."""


class SymbolicFunctions:
    """The same functions on SymPy expressions: symbols with a derivative, which SymPy leaves as they are written."""

    sigmoid = sigmoid
    tanh = tanh
    relu = relu
    exp = exp
    maximum = maximum
    log = log
    sqrt = sqrt
    sin = sin
    cos = cos
    softplus = softplus
    abs = absolute


FUNCTIONS = (sigmoid, tanh, exp, relu, maximum, log, sqrt, sin, cos, softplus, absolute)
"""The functions as symbols, all that there are."""

Functions = type[TorchFunctions] | type[SymbolicFunctions]


class Cell(ABC):
    """The equations of one step of a recurrent layer, and the names that they are written with.

    name: the name of the cell, by which `CELLS` has it.
    gates: the blocks of pre-activations, each of H units, in the order of the weight rows; `Gate` says what one can be.
    state: what is carried from step to step; the first of them, h, is the output and what R multiplies.
    vectors: the names of per-unit weight vectors (peepholes, for example).
    start: what R starts from, "uniform" random numbers or the "identity".
    parent, change: of an ablation, the cell from which it differs in exactly one thing, and what that is.

    What cannot be meant is refused with a `UserError`: a wrong declaration when the class is made, a wrong `step` when
    the cell is first used, since its code may name what stands below it. So is what is declared and has no part in h: its
    weights would count in the network's size, and never learn.
    """

    name: ClassVar[str]
    gates: ClassVar[tuple[Gate, ...]]
    state: ClassVar[tuple[str, ...]] = ("h",)
    vectors: ClassVar[tuple[str, ...]] = ()
    start: ClassVar[Literal["uniform", "identity"]] = "uniform"
    parent: ClassVar["type[Cell] | None"] = None
    change: ClassVar[str] = ""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        check_declaration(cls, Cell)

    @staticmethod
    @abstractmethod
    def step(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Value]:
        """The named quantities of one step in the order they are computed, the new state among them.

        f: the functions `sigmoid`, `tanh`, `relu`, `softplus`, `exp`, `log`, `sqrt`, `sin`, `cos`, `abs`, `maximum`; a:
        the gates' pre-activations; s: the state before the step; v: the per-unit vectors. Written with those, + − × ÷,
        powers whose exponent is a number, and constants, and nothing else. What looks at several units at once, as
        layer normalisation and softmax do, is written as a model (`ablations.models.Network`).
        """

    @staticmethod
    def operand(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> Value:
        """What R multiplies for the gates with `operand=True`; `a` holds the pre-activations of all other gates."""
        raise NotImplementedError

    @classmethod
    def arguments(
        cls, make: Callable[[str], Value], gate: str = "{}", part: str = "{}:{}", state: str = "{}", vector: str = "{}"
    ) -> tuple[SimpleNamespace, SimpleNamespace, SimpleNamespace]:
        """What a step reads. Each value is made from its name; names are made from the formats.

        >>> from ablations.models.gru import GRU
        >>> GRU.arguments(sympy.Symbol, "a_{}", "a_{}_{}")[0]
        namespace(r=a_r, z=a_z, n=namespace(x=a_n_x, h=a_n_h))
        """

        def of(one: Gate) -> Value:
            if one.recurrent != "apart":
                return make(gate.format(one.name))
            return SimpleNamespace(**{side: make(part.format(one.name, side)) for side in "xh"})

        return (
            SimpleNamespace(**{one.name: of(one) for one in cls.gates}),
            SimpleNamespace(**{name: make(state.format(name)) for name in cls.state}),
            SimpleNamespace(**{name: make(vector.format(name)) for name in cls.vectors}),
        )

    @classmethod
    def operand_arguments(
        cls, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace
    ) -> tuple[SimpleNamespace, SimpleNamespace, SimpleNamespace]:
        """What `operand` reads: what `step` reads, without the gates that are made from the operand."""
        return SimpleNamespace(**{name: getattr(a, name) for name in cls.gates_with(operand=False)}), s, v

    @classmethod
    def gates_with(cls, **roles: Any) -> tuple[str, ...]:
        """The names of the gates whose fields have these values, in order; without any, the names of all.

        >>> from ablations.models.gru import GRU
        >>> GRU.gates_with(), GRU.gates_with(recurrent="apart")
        (('r', 'z', 'n'), ('n',))
        """
        return tuple(g.name for g in cls.gates if all(getattr(g, field) == value for field, value in roles.items()))

    @classmethod
    def connected(cls) -> tuple[str, ...]:
        """The names of the gates with a recurrent part, in the order of the rows of R."""
        return tuple(gate.name for gate in cls.gates if gate.recurrent != "none")

    @classmethod
    def biases(cls) -> dict[str, float]:
        """What the gates' biases start from, where it is not zero."""
        return {gate.name: gate.bias for gate in cls.gates if gate.bias}
