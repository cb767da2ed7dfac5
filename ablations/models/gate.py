"""A gate of a cell, declared once: its name, what feeds it, and where its bias starts."""

import unicodedata
from dataclasses import dataclass
from keyword import iskeyword
from typing import Literal, get_args

from ablations.checks import is_number
from ablations.errors import LONGEST_GIVEN, UserError, shortened

Part = Literal["added", "apart", "none"]
"""What becomes of a gate's recurrent part."""


@dataclass(frozen=True)
class Gate:
    """A block of H pre-activations: W x + R h + b, or what its roles make of that.

    recurrent: "added" for W x + R h + b; "apart" where the input part W x + b and the recurrent part R h + d stay two
        quantities, `a.name.x` and `a.name.h` in the cell's `step`; "none" for W x + b.
    operand: R multiplies what the cell's `operand` returns, in place of h.
    feedback: the gate's activation of the step before, which is the state of the same name, is fed back: the
        activations of all such gates, stacked, enter the (input part of the) pre-activation of each of them through a
        matrix of their own, V.
    bias: the number that the bias b starts from, plus the usual small random one.

    >>> Gate("f", bias=1.0)
    Gate(name='f', recurrent='added', operand=False, feedback=False, bias=1.0)
    >>> Gate("n", recurrent="none", operand=True)
    Traceback (most recent call last):
        ...
    ablations.errors.UserError: gate 'n' has an operand and no recurrent part; it is R that multiplies the operand
    """

    name: str
    recurrent: Part = "added"
    operand: bool = False
    feedback: bool = False
    bias: float = 0.0

    def __post_init__(self) -> None:
        if not is_name(self.name):
            raise UserError(f"a gate is named {self.name!r}; {A_NAME}")
        if self.recurrent not in get_args(Part):
            raise UserError(
                f"gate {self.name!r} has recurrent = {self.recurrent!r}; known: {', '.join(get_args(Part))}"
            )
        for role in ("operand", "feedback"):
            if not isinstance(getattr(self, role), bool):
                raise UserError(f"gate {self.name!r} has {role} = {getattr(self, role)!r}; it must be True or False")
        if not is_number(self.bias):
            shown = shortened(repr(self.bias), LONGEST_GIVEN)
            raise UserError(f"gate {self.name!r} has bias = {shown}; it must be a finite number")
        if self.operand and self.recurrent == "none":
            raise UserError(
                f"gate {self.name!r} has an operand and no recurrent part; it is R that multiplies the operand"
            )


A_NAME = "a name is a Python identifier and no keyword, in Unicode's NFKC form, as Python itself reads it"


def is_name(text: object) -> bool:
    """Whether Python reads that text as one name, and as no other text: it folds names to NFKC."""
    return (
        isinstance(text, str)
        and text.isidentifier()
        and not iskeyword(text)
        and unicodedata.normalize("NFKC", text) == text
    )
