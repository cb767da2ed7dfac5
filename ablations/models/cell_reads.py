"""Which of a cell's declared gates, states and vectors its output never depends on, by the symbols of its equations."""

from collections.abc import Mapping

import sympy

from ablations.models.cell import Cell

Symbols = set[str]
"""Names of what a step reads: "a:i" a gate's pre-activation, "a:n:x" a part of one, "s:c" a state, "v:p" a vector."""


def unread(cell: type[Cell], new: Mapping[str, sympy.Expr], operand: sympy.Expr | None) -> str | None:
    """What is wrong with a cell that declares more than it uses, or None; its weights would count, and never learn.

    new, operand: what its step and its operand give on symbols of the names above. The output h is computed from some of
    them. These are made from others: a state by the step before, a gate from h, the operand, and what is fed back to it.
    What is not met on this way has no influence, also where a quantity is computed from it that nothing uses.
    """
    sources = {f"s:{name}": _symbols(new[name]) for name in cell.state} | _sources_of_gates(cell, _symbols(operand))
    useful = {"s:h"}
    while more := {symbol for each in useful for symbol in sources.get(each, ())} - useful:
        useful |= more
    mentioned = _symbols(operand).union(*map(_symbols, new.values()))
    for symbol in _declared(cell):
        if symbol not in useful:
            why = "on which its h never depends" if symbol in mentioned else "which its step does not read"
            return _complaint(symbol.split(":"), why)
    return None


def _sources_of_gates(cell: type[Cell], operand: Symbols) -> dict[str, Symbols]:
    """What the pre-activation of each gate, and each part of one, is made from beside the input."""
    fed_back = {f"s:{name}" for name in cell.gates_with(feedback=True)}
    return {
        f"a:{gate.name}{part}": (operand if gate.operand else {"s:h"}) | (fed_back if gate.feedback else set())
        for gate in cell.gates
        for part in ("", ":x", ":h")
    }


def _declared(cell: type[Cell]) -> list[str]:
    """All that a step can read; h need not be read by it, since R multiplies it."""
    gates, states, vectors = (vars(part) for part in cell.arguments(str, "a:{}", "a:{}:{}", "s:{}", "v:{}"))
    parts = [
        symbol for value in gates.values() for symbol in ([value] if isinstance(value, str) else vars(value).values())
    ]
    return [*parts, *states.values(), *vectors.values()]


def _complaint(path: list[str], why: str) -> str:
    kind, name, *part = path
    if part == ["h"]:
        return f"declares the gate {name!r} with recurrent='apart' and so a.{name}.h, {why}: write recurrent='none'"
    if part:
        return (
            f"declares the gate {name!r} with recurrent='apart' and so a.{name}.x, {why}: use it, or leave out the gate"
        )
    words = {"a": ("gate", "gates"), "s": ("state", "state"), "v": ("vector", "vectors")}
    singular, attribute = words[kind]
    return f"declares the {singular} {name!r}, {why}: leave it out of `{attribute}`"


def _symbols(expr: sympy.Expr | None) -> Symbols:
    return {symbol.name for symbol in sympy.sympify(expr).free_symbols} if expr is not None else set()
