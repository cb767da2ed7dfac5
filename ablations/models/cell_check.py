"""Validates a Cell class: its declaration when the class is made, its step, on small tensors and on symbols, at first use."""

import random
from collections import Counter
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import sympy
import torch

from ablations.errors import UserError
from ablations.models.cell import Cell, SymbolicFunctions, TorchFunctions
from ablations.models.gate import A_NAME, Gate, is_name

ATTRIBUTES = {*Cell.__annotations__, *vars(Cell)}
"""Whatever a cell has."""

FORMER = {
    "unconnected": "Gate(name, recurrent='none')",
    "split": "Gate(name, recurrent='apart')",
    "gated": "Gate(name, operand=True)",
    "feedback": "Gate(name, feedback=True)",
    "bias": "Gate(name, bias=1.0)",
}
"""Attributes that cells once had, and where what they said is said now."""

TRIES = 8
"""How often a step is evaluated to see whether it is always the same: a coin tossed in it is missed once in 128 times."""


def check_declaration(cell: type[Cell]) -> None:
    """Raises `UserError`, in one line, where the attributes of a cell cannot be meant.

    >>> from ablations.models.lstm import LSTM
    >>> class Typo(LSTM):
    ...     name, vector = "typo", ("p",)
    Traceback (most recent call last):
        ...
    ablations.errors.UserError: cell 'typo' has an attribute 'vector'; did you mean 'vectors'?
    """
    if wrong := _misdeclared(cell):
        raise UserError(f"cell {getattr(cell, 'name', cell.__name__)!r} {wrong}")


@cache
def check_cell(cell: type[Cell]) -> None:
    """Raises `UserError`, in one line, where the declaration or the step of a cell cannot be right."""
    check_declaration(cell)
    with torch.device("cpu"):  # a layer may be made on the meta device, where no number can be looked at
        wrong = _miscomputed(cell) or _unsteady(cell) or _constant(cell)
    if wrong:
        raise UserError(f"cell {cell.name!r} {wrong}")


def _misdeclared(cell: type[Cell]) -> str | None:
    return _misspelt(cell) or _misnamed(cell) or _wrong_gates(cell) or _wrong_operand(cell) or _wrong_rest(cell)


def _misspelt(cell: type[Cell]) -> str | None:
    for name, now in FORMER.items():
        if name in vars(cell):
            return f"has {name} = {vars(cell)[name]!r}; say it of each gate: {now}"
    for name in sorted(vars(cell).keys() - ATTRIBUTES):
        if near := get_close_matches(name, ATTRIBUTES, n=1, cutoff=0.8):
            return f"has an attribute {name!r}; did you mean {near[0]!r}?"
    return None


def _misnamed(cell: type[Cell]) -> str | None:
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
    if cell.state[:1] != ("h",):
        return f"has the state {', '.join(cell.state) or 'nothing'}; it must begin with h"
    return None


def _wrong_gates(cell: type[Cell]) -> str | None:
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


def _wrong_operand(cell: type[Cell]) -> str | None:
    gates = [gate for gate in getattr(cell, "gates", ()) if gate.operand]
    if gates and cell.operand is Cell.operand:
        return f"has the gate {gates[0].name!r} with operand=True, but no method operand"
    if not gates and _is_complete(cell) and "operand" in vars(cell):
        return "has a method operand, but no gate with operand=True"
    return None


def _wrong_rest(cell: type[Cell]) -> str | None:
    if cell.start not in ("uniform", "identity"):
        return f"has start = {cell.start!r}; known: uniform, identity"
    parent: Any = cell.parent
    if parent is not None and not (isinstance(parent, type) and issubclass(parent, Cell)):
        return f"has the parent {parent!r}; it must be a cell's class"
    return None


def _is_complete(cell: type[Cell]) -> bool:
    """Whether the class is a cell, and not only one for others to inherit from."""
    return not getattr(cell.step, "__isabstractmethod__", False)


def _repeated(names: Iterable[str]) -> str | None:
    return next((name for name, count in Counter(names).items() if count > 1), None)


def _miscomputed(cell: type[Cell]) -> str | None:
    """What is wrong with the step on tensors of one number."""
    try:
        new, operand = _evaluated(cell, TorchFunctions, _tensor)
    except Exception as error:  # whatever the author's code does
        return f"has a step that fails: {_reason(error)}"
    if not isinstance(new, dict):
        return f"has a step that returns no dictionary, but {type(new).__name__}"
    if strange := [name for name in new if not is_name(name)]:
        return f"has a step that returns {strange[0]!r}; {A_NAME}"
    if missing := [name for name in cell.state if name not in new]:
        return f"has a step that returns no {missing[0]!r}, which is in its state"
    if strange := [name for name, value in new.items() if not isinstance(value, torch.Tensor)]:
        return f"has a step whose {strange[0]!r} is not computed from anything, but {new[strange[0]]!r}"
    if cell.gates_with(operand=True) and not isinstance(operand, torch.Tensor):
        return f"has an operand that is not computed from anything, but {operand!r}"
    return None


def _unsteady(cell: type[Cell]) -> str | None:
    """That the step is not always the same: a kernel is written from what it returns once."""
    for functions, make in ((TorchFunctions, _tensor), (SymbolicFunctions, sympy.Symbol)):
        before = _random_states()
        results = {_printed(cell, functions, make) for _ in range(TRIES)}
        if _random_states() != before:
            return "has a step that draws random numbers; a step must always compute the same"
        if len(results) > 1:
            return "has a step that is not deterministic; a step must always compute the same"
    return None


def _constant(cell: type[Cell]) -> str | None:
    """Which state is the same number whatever is read."""
    try:
        new, operand = _evaluated(cell, SymbolicFunctions, sympy.Symbol)
    except Exception:  # no equations: for the eager backend, which takes whatever torch can do
        return None
    for name in cell.state:
        if not sympy.sympify(new[name]).free_symbols:
            return f"has a step whose state {name!r} is always {new[name]}; it must be computed from something"
    if operand is not None and not sympy.sympify(operand).free_symbols:
        return f"has an operand that is always {operand}; it must be computed from something"
    return None


def _tensor(name: str) -> torch.Tensor:
    return torch.full((1,), 0.5)


def _evaluated(cell: type[Cell], functions: Any, make: Callable[[str], Any]) -> tuple[Any, Any]:
    """What the step returns and, if some R multiplies an operand, that."""
    arguments = cell.arguments(make, "a:{}", "a:{}:{}", "s:{}", "v:{}")
    with_operand = bool(cell.gates_with(operand=True))
    operand = cell.operand(functions, *cell.operand_arguments(*arguments)) if with_operand else None
    return cell.step(functions, *arguments), operand


def _printed(cell: type[Cell], functions: Any, make: Callable[[str], Any]) -> str:
    """The values of one evaluation as text, in which all digits count and not-a-number is like itself."""
    try:
        new, operand = _evaluated(cell, functions, make)
    except Exception as error:  # that too must be the same at each try
        return type(error).__name__
    values = [*new.items(), ("the operand", operand)]
    return str([(name, value.tolist() if isinstance(value, torch.Tensor) else value) for name, value in values])


def _random_states() -> tuple[Any, ...]:
    """Those of all generators that a step can draw from without holding one of its own."""
    of_numpy = np.random.get_state(legacy=False)  # noqa: NPY002  # to see that nothing is drawn from it
    return random.getstate(), str(of_numpy), torch.get_rng_state().numpy().tobytes()


def _reason(error: Exception) -> str:
    """What went wrong; where a name is not there, what there is."""
    if isinstance(error, AttributeError) and isinstance(error.obj, SimpleNamespace):
        return f"there is no {error.name!r} among {', '.join(vars(error.obj)) or 'nothing'}"
    if isinstance(error, AttributeError) and error.obj is TorchFunctions:
        functions = [name for name in vars(TorchFunctions) if not name.startswith("_")]
        return f"there is no function {error.name!r} among {', '.join(functions)}"
    return f"{type(error).__name__}: {error}"
