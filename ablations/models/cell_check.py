"""Whether a cell is what its author meant: a look at its declaration, and one step on numbers."""

from difflib import get_close_matches
from functools import cache
from types import SimpleNamespace
from typing import Any

import torch

from ablations.errors import UserError
from ablations.models.cell import Cell, TorchFunctions

NAMES = ("gates", "unconnected", "split", "gated", "feedback", "state", "vectors")
"""The attributes that are tuples of names."""

ATTRIBUTES = {*Cell.__annotations__, *vars(Cell)}
"""Whatever a cell has."""

OF_GATES = ("unconnected", "split", "gated", "feedback", "bias")
"""The attributes that name some of the gates."""


@cache
def check_cell(cell: type[Cell]) -> None:
    """Raises `UserError`, in one line, where an attribute or the step of the cell cannot be right.

    >>> from ablations.models.lstm import LSTM
    >>> class Typo(LSTM):
    ...     name, unconected = "typo", ("o",)
    >>> check_cell(Typo)
    Traceback (most recent call last):
        ...
    ablations.errors.UserError: cell 'typo' has an attribute 'unconected'; did you mean 'unconnected'?
    """
    if wrong := _misdeclared(cell) or _miscomputed(cell):
        raise UserError(f"cell {cell.name!r} {wrong}")


def _misdeclared(cell: type[Cell]) -> str | None:
    for name in NAMES:
        if not isinstance(getattr(cell, name), tuple):
            return f"has {name} = {getattr(cell, name)!r}; it must be a tuple of names"
    for name in sorted(vars(cell).keys() - ATTRIBUTES):
        if near := get_close_matches(name, ATTRIBUTES, n=1, cutoff=0.8):
            return f"has an attribute {name!r}; did you mean {near[0]!r}?"
    for name in OF_GATES:
        if unknown := sorted(set(getattr(cell, name)).difference(cell.gates)):
            return f"has no gate {unknown[0]!r}, which {name} names; its gates: {', '.join(cell.gates)}"
    if cell.state[:1] != ("h",) or not set(cell.feedback) <= set(cell.state):
        return f"has the state {', '.join(cell.state)}; it must begin with h, and have all gates that are fed back"
    parent: Any = cell.parent
    if parent is not None and not (isinstance(parent, type) and issubclass(parent, Cell)):
        return f"has the parent {parent!r}; it must be a cell's class"
    return None


def _miscomputed(cell: type[Cell]) -> str | None:
    a, s, v = cell.arguments(lambda name: torch.full((1,), 0.5))
    try:
        if cell.gated:
            cell.operand(TorchFunctions, a, s, v)
        new: Any = cell.step(TorchFunctions, a, s, v)
    except Exception as error:  # whatever the author's code does
        return f"has a step that fails: {_told(error)}"
    if not isinstance(new, dict):
        return f"has a step that returns no dictionary, but {type(new).__name__}"
    if missing := [name for name in cell.state if name not in new]:
        return f"has a step that returns no {missing[0]!r}, which is in its state"
    if strange := [name for name, value in new.items() if not isinstance(value, torch.Tensor)]:
        return f"has a step whose {strange[0]!r} is not computed from anything, but {new[strange[0]]!r}"
    return None


def _told(error: Exception) -> str:
    """What went wrong; where a name is not there, what there is."""
    if isinstance(error, AttributeError) and isinstance(error.obj, SimpleNamespace):
        return f"there is no {error.name!r} among {', '.join(vars(error.obj)) or 'nothing'}"
    if isinstance(error, AttributeError) and error.obj is TorchFunctions:
        known = [name for name in vars(TorchFunctions) if not name.startswith("_")]
        return f"there is no function {error.name!r} among {', '.join(known)}"
    return f"{type(error).__name__}: {error}"
