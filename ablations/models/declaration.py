"""Validates what a Cell class declares, when the class is made."""

from collections import Counter
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from ablations.checks import check_name
from ablations.errors import UserError
from ablations.models.gate import A_NAME, Gate, is_name

RESERVED = ("W", "R", "V", "b", "d", "x")
"""The letters that printed equations have for weights, biases and the input."""

FORMER = {
    "unconnected": "Gate(name, recurrent='none')",
    "split": "Gate(name, recurrent='apart')",
    "gated": "Gate(name, operand=True)",
    "feedback": "Gate(name, feedback=True)",
    "bias": "Gate(name, bias=1.0)",
}
"""Attributes that cells once had, and where what they said is said now."""


def check_declaration(cell: type[Any], base: type[Any]) -> None:
    """Raises `UserError`, in one line, where the attributes of a cell cannot be meant; `base` is `Cell`.

    >>> from ablations.models.lstm import LSTM
    >>> class Typo(LSTM):
    ...     name, vector = "typo", ("p",)
    Traceback (most recent call last):
        ...
    ablations.errors.UserError: cell 'typo' has an attribute 'vector'; did you mean 'vectors'?
    """
    if wrong := _misdeclared(cell, base):
        raise UserError(f"cell {getattr(cell, 'name', cell.__name__)!r} {wrong}")
    if _is_complete(cell):
        check_name("cell", cell.name)


def _misdeclared(cell: type[Any], base: type[Any]) -> str | None:
    return (
        _misspelt(cell, base)
        or _misnamed(cell)
        or _wrong_gates(cell)
        or _wrong_operand(cell, base)
        or _wrong_rest(cell, base)
    )


def _misspelt(cell: type[Any], base: type[Any]) -> str | None:
    for name, now in FORMER.items():
        if name in vars(cell):
            return f"has {name} = {vars(cell)[name]!r}; say it of each gate: {now}"
    attributes = {*base.__annotations__, *vars(base)}
    for name in sorted(vars(cell).keys() - attributes):
        if near := get_close_matches(name, attributes, n=1, cutoff=0.8):
            return f"has an attribute {name!r}; did you mean {near[0]!r}?"
    return None


def _misnamed(cell: type[Any]) -> str | None:
    if _is_complete(cell) and not isinstance(name := getattr(cell, "name", None), str):
        return f"has name = {name!r}; it must be a text"
    for attribute in ("state", "vectors"):
        names: Any = getattr(cell, attribute)
        if not isinstance(names, tuple):
            return f"has {attribute} = {names!r}; it must be a tuple of names"
        if strange := [name for name in names if not is_name(name)]:
            return f"has {strange[0]!r} in its {attribute}; {A_NAME}"
        if twice := _repeated(names):
            return f"has {twice!r} twice in its {attribute}"
    taken = {*RESERVED, *cell.state, *(gate.name for gate in _gates(cell))}
    if clash := [name for name in cell.vectors if name in taken]:
        return f"has {clash[0]!r} in its vectors, a name that clashes with a gate, a state or a weight; choose another"
    if cell.state[:1] != ("h",):
        return f"has the state {', '.join(cell.state) or 'nothing'}; it must begin with h"
    return None


def _gates(cell: type[Any]) -> list[Gate]:
    """Those that are gates, of whatever stands there."""
    gates = getattr(cell, "gates", ())
    return [gate for gate in gates if isinstance(gate, Gate)] if isinstance(gates, tuple) else []


def _wrong_gates(cell: type[Any]) -> str | None:
    gates: Any = getattr(cell, "gates", None)
    if gates is None and not _is_complete(cell):
        return None  # a class for others to inherit from
    if not isinstance(gates, tuple) or not gates:
        return f"has gates = {gates!r}; it must be a tuple of gates, as (Gate('i'), Gate('f', bias=1.0))"
    if strange := [gate for gate in gates if not isinstance(gate, Gate)]:
        return f"has the gate {strange[0]!r}; write Gate({str(strange[0])!r})"
    if twice := _repeated(gate.name for gate in gates):
        return f"has the gate {twice!r} twice"
    fed = [gate.name for gate in gates if gate.feedback]
    if missing := [name for name in fed if name not in cell.state]:
        return f"feeds back the gate {missing[0]!r}, which is not in its state: {', '.join(cell.state)}"
    if "h" in fed:
        return "feeds back the gate 'h'; the state h enters by R already"
    return None


def _wrong_operand(cell: type[Any], base: type[Any]) -> str | None:
    gates = [gate for gate in getattr(cell, "gates", ()) if gate.operand]
    if gates and cell.operand is base.operand:
        return f"has the gate {gates[0].name!r} with operand=True, but no method operand"
    if not gates and _is_complete(cell) and "operand" in vars(cell):
        return "has a method operand, but no gate with operand=True"
    return None


def _wrong_rest(cell: type[Any], base: type[Any]) -> str | None:
    if cell.start not in ("uniform", "identity"):
        return f"has start = {cell.start!r}; known: uniform, identity"
    parent: Any = cell.parent
    if parent is not None and not (isinstance(parent, type) and issubclass(parent, base)):
        return f"has the parent {parent!r}; it must be a cell's class"
    if not isinstance(cell.change, str) or ("parent" in vars(cell) and bool(parent) == (not cell.change)):
        return f"has a parent and a change = {cell.change!r}; an ablation has both, the change as a text"
    return None


def _is_complete(cell: type[Any]) -> bool:
    """Whether the class is a cell, and not only one for others to inherit from."""
    return not getattr(cell.step, "__isabstractmethod__", False)


def _repeated(names: Iterable[str]) -> str | None:
    return next((name for name, count in Counter(names).items() if count > 1), None)
