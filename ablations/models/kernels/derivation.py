"""The derivatives of a cell's step: its equations as a list of assignments, and their adjoints in reverse order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace

import sympy

from ablations.models.cell import Cell, SymbolicFunctions

Statement = tuple[sympy.Symbol, sympy.Expr]


@dataclass(frozen=True)
class Derivation:
    """Assignments that compute some outputs, and those that carry the outputs' adjoints back to what they depend on.

    forward: in order; a function is applied once in each. backward: in order, from the adjoints `d_<output>` on.
    adjoints: what each symbol that is not computed here receives in the end. kept: what `backward` takes from `forward`.
    """

    forward: tuple[Statement, ...]
    backward: tuple[Statement, ...]
    adjoints: Mapping[str, sympy.Expr]
    kept: tuple[str, ...]


def symbols_of(cell: type[Cell]) -> tuple[SimpleNamespace, SimpleNamespace, SimpleNamespace]:
    """Pre-activations `a_i` (in parts `a_n_x` and `a_n_h` where they are split), old state `h_old`, and vectors `v_p`."""
    return cell.arguments(sympy.Symbol, "a_{}", "a_{}_{}", "{}_old", "v_{}")


def derive_step(cell: type[Cell]) -> Derivation:
    """The derivation of the new state, `<name>_new`, by everything that a step depends on."""
    return derive(cell.step(SymbolicFunctions, *symbols_of(cell)), cell.state, "t")


def derive_operand(cell: type[Cell]) -> Derivation:
    """The derivation of what the gated gates' R multiplies, `operand_new`."""
    return derive({"operand": cell.operand(SymbolicFunctions, *symbols_of(cell))}, ("operand",), "u")


def derive(quantities: Mapping[str, sympy.Expr], outputs: Sequence[str], letter: str) -> Derivation:
    """Differentiates named quantities; functions inside them are named with the letter and a number.

    >>> a, c = sympy.symbols("a c")
    >>> derivation = derive({"h": c * SymbolicFunctions.tanh(a)}, ["h"], "t")
    >>> derivation.forward
    ((t1, tanh(a)), (h_new, c*t1))
    >>> derivation.backward, derivation.adjoints
    (((d_t1, c*d_h_new),), {'c': d_h_new*t1, 'a': d_t1*(1 - t1**2)})
    >>> derivation.kept
    ('c', 't1')
    """
    forward = _assignments(quantities, letter)
    computed = [target for target, _ in forward]
    adjoints: dict[sympy.Symbol, sympy.Expr] = {sympy.Symbol(f"{name}_new"): sympy.S.Zero for name in outputs}
    backward: list[Statement] = []
    for target, expr in reversed(forward):
        if target not in adjoints:
            continue
        adjoint = sympy.Symbol(f"d_{target}")
        received = adjoints.pop(target)
        if target.name.removesuffix("_new") in outputs:
            received += adjoint  # what comes from outside the step, by the same name
        if received != adjoint:
            backward.append((adjoint, received))
        for symbol in sorted(expr.free_symbols, key=str):
            slope = expr.diff(symbol).xreplace({expr: target})
            adjoints[symbol] = adjoints.get(symbol, sympy.S.Zero) + adjoint * slope
    named = {symbol.name: expr for symbol, expr in adjoints.items()}
    used = set[sympy.Symbol]().union(*(e.free_symbols for e in (*named.values(), *(e for _, e in backward))))
    kept = sorted(s.name for s in used if s in computed or not s.name.startswith(("d_", "v_")))
    return Derivation(tuple(forward), tuple(backward), named, tuple(kept))


def _assignments(quantities: Mapping[str, sympy.Expr], letter: str) -> list[Statement]:
    """The quantities one after the other, as `<name>_new`, each function in them an assignment of its own."""
    made: list[Statement] = []
    known: dict[sympy.Expr, sympy.Symbol] = {}

    def flat(expr: sympy.Expr, name: str = "") -> sympy.Expr:
        if expr in known or not expr.args:
            return known.get(expr, expr)
        short = expr.func(*(flat(argument) for argument in expr.args))
        if isinstance(short, sympy.Function) and not name:
            number = sum(target.name.startswith(letter) for target, _ in made) + 1
            known[expr] = sympy.Symbol(f"{letter}{number}")
            made.append((known[expr], short))
            return known[expr]
        return short

    for name, expr in quantities.items():
        made.append((sympy.Symbol(f"{name}_new"), flat(expr, name)))
        known.setdefault(expr, made[-1][0])
    return made
