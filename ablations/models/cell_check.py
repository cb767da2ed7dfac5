"""Validates the step of a Cell class, on small tensors and on symbols, when the cell is first used."""

import random
import sys
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from traceback import extract_tb
from types import SimpleNamespace
from typing import Any
from warnings import catch_warnings, simplefilter

import numpy as np
import sympy
import torch

from ablations.errors import UserError
from ablations.models.cell import Cell, SymbolicFunctions, TorchFunctions
from ablations.models.cell_reads import unread
from ablations.models.gate import A_NAME, is_name

AS_A_MODEL = (
    "what looks at several units at once, as layer normalisation and softmax do, or draws random numbers, cannot be a "
    "cell's equation: write it as a model: `ablate new model NAME` shows how"
)
"""What to do instead of what no cell can do."""
NO_BRANCH = "a step cannot ask how large a value is, by `if`, `and` or `max`; f.maximum and f.relu choose"

TRIES = 8
"""How often a step is evaluated to see whether it is always the same: a coin tossed in it is missed once in 128 times."""


@cache
def check_cell(cell: type[Cell]) -> None:
    """Raises `UserError`, in one line, where the step of a cell cannot be right."""
    # A layer may be made on the meta device, where there are no numbers. Of warnings, as of a deviation over the one unit of
    # this check, nothing is said: what is wrong is said here.
    with torch.device("cpu"), catch_warnings():
        simplefilter("ignore")
        wrong = _ancestral(cell) or _miscomputed(cell) or _unsteady(cell) or _useless(cell)
    if wrong:
        raise UserError(f"cell {cell.name!r} {wrong}")


def _ancestral(cell: type[Cell]) -> str | None:
    """That the line of its parents comes back to it."""
    line: list[type[Cell]] = []
    each: type[Cell] | None = cell
    while each is not None and each not in line:
        line.append(each)
        each = each.parent
    return None if each is None else f"is its own ancestor: {', '.join(one.name for one in line)}"


def _miscomputed(cell: type[Cell]) -> str | None:
    """What is wrong with the step on tensors of one number."""
    try:
        new, operand = _evaluated(cell, TorchFunctions, _tensor)
    except Exception as error:  # whatever the author's code does
        return f"has a step that fails{_line(cell, error)}: {_reason(error)}"
    if not isinstance(new, dict):
        return f"has a step that returns no dictionary, but {type(new).__name__}"
    if strange := [name for name in new if not is_name(name)]:
        return f"has a step that returns {strange[0]!r}; {A_NAME}"
    if missing := [name for name in cell.state if name not in new]:
        return f"has a step that returns no {missing[0]!r}, which is in its state"
    if strange := [name for name, value in new.items() if not isinstance(value, torch.Tensor)]:
        number = new[strange[0]]
        hint = f"; {AS_A_MODEL}" if isinstance(number, np.generic | np.ndarray) else ""
        return f"has a step whose {strange[0]!r} is not computed from anything, but {number!r}{hint}"
    if cell.gates_with(operand=True) and not isinstance(operand, torch.Tensor):
        return f"has an operand that is not computed from anything, but {operand!r}"
    if endless := [name for name, value in new.items() if not bool(torch.isfinite(value).all())]:
        hint = f"; {AS_A_MODEL}" if _on_symbols(cell) is None else ""
        return f"has a step whose {endless[0]!r} is not finite where all that it reads is 0.5{hint}"
    return None


def _on_symbols(cell: type[Cell]) -> tuple[Any, Any] | None:
    """The step and the operand as equations; None where they call what symbols lack, such as a mean over units.

    Then there are none: the eager backend takes whatever torch can do.
    """
    try:
        return _evaluated(cell, SymbolicFunctions, sympy.Symbol)
    except Exception:  # whatever the author's code does
        return None


def _unsteady(cell: type[Cell]) -> str | None:
    """That the step is not always the same: a kernel is written from what it returns once."""
    for functions, make in ((TorchFunctions, _tensor), (SymbolicFunctions, sympy.Symbol)):
        before = _random_states()
        results = {_printed(cell, functions, make) for _ in range(TRIES)}
        if _random_states() != before:
            return f"has a step that draws random numbers; {AS_A_MODEL}"
        if len(results) > 1:
            return "has a step that is not deterministic; a step must always compute the same"
    return None


def _useless(cell: type[Cell]) -> str | None:
    """Which state is the same number whatever is read; and what is declared that the output never depends on."""
    if (equations := _on_symbols(cell)) is None:
        return None
    new, operand = equations
    for name in cell.state:
        if not sympy.sympify(new[name]).free_symbols:
            return f"has a step whose state {name!r} is always {new[name]}; it must be computed from something"
    if operand is not None and not sympy.sympify(operand).free_symbols:
        return f"has an operand that is always {operand}; it must be computed from something"
    return unread(cell, new, operand)


def _tensor(name: str) -> torch.Tensor:
    return torch.full((1,), 0.5)


def _evaluated(cell: type[Cell], functions: Any, make: Callable[[str], Any]) -> tuple[Any, Any]:
    """What the step returns and, if some R multiplies an operand, that."""
    arguments = cell.arguments(make, "a:{}", "a:{}:{}", "s:{}", "v:{}")
    with_operand = bool(cell.gates_with(operand=True))
    operand = cell.operand(functions, *cell.operand_arguments(*arguments)) if with_operand else None
    before = _contents(arguments)
    new = cell.step(functions, *arguments)
    if _contents(arguments) != before:
        raise UserError("it changes what it reads; a step returns new values and leaves a, s and v as they are")
    return new, operand


def _contents(arguments: Iterable[SimpleNamespace]) -> list[tuple[str, int, str]]:
    """What a step reads: names, the objects that they stand for, and these objects' values."""
    return [(name, id(value), str(value)) for part in arguments for name, value in vars(part).items()]


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


def _line(cell: type[Cell], error: Exception) -> str:
    """The last line of the cell's file that the error came through."""
    file = getattr(sys.modules.get(cell.__module__), "__file__", None)
    lines = [frame.lineno for frame in extract_tb(error.__traceback__) if frame.filename == file]
    return f" in line {lines[-1]}" if lines else ""


def _reason(error: Exception) -> str:
    """What went wrong; where a name is not there, what there is."""
    if isinstance(error, AttributeError) and isinstance(error.obj, SimpleNamespace):
        return f"there is no {error.name!r} among {', '.join(vars(error.obj)) or 'nothing'}"
    if isinstance(error, AttributeError) and error.obj is TorchFunctions:
        functions = [name for name in vars(TorchFunctions) if not name.startswith("_")]
        return f"there is no function {error.name!r} among {', '.join(functions)}; {AS_A_MODEL}"
    if isinstance(error, TypeError) and "SimpleNamespace" in str(error):
        return "the parts of a gate with recurrent='apart' are its fields: write a.n.x and a.n.h, not a.n"
    message = " ".join(str(error).split())
    if isinstance(error, UserError):
        return message
    return f"{type(error).__name__}: {message}{_if_of_library(error)}"


def _if_of_library(error: Exception) -> str:
    """What to do where torch or NumPy itself was called: that may well want all units, and a check has one."""
    last = Path(extract_tb(error.__traceback__)[-1].filename)
    return (
        f"; {AS_A_MODEL}" if any(last.is_relative_to(Path(str(each.__file__)).parent) for each in (torch, np)) else ""
    )
