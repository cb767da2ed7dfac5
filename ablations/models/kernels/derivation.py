"""The derivatives of a cell's step: its equations as a list of assignments, and their adjoints in reverse order.

This is reverse-mode differentiation on symbols, once for each cell; the kernel then runs it at each step and unit. The
adjoint of a quantity is the derivative of the loss by it.
"""

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
    adjoints: what each symbol that is not computed here receives in the end. tape: the quantities of `forward` that
    `backward` and the adjoints read.
    """

    forward: tuple[Statement, ...]
    backward: tuple[Statement, ...]
    adjoints: Mapping[str, sympy.Expr]
    tape: tuple[str, ...]

    def renamed(self, names: Mapping[sympy.Symbol, sympy.Symbol]) -> "Derivation":
        """The same with other names for some of what `forward` computes; the adjoints keep theirs."""
        by_name = {old.name: new.name for old, new in names.items()}
        return Derivation(
            tuple((names.get(target, target), expr.xreplace(names)) for target, expr in self.forward),
            tuple((target, expr.xreplace(names)) for target, expr in self.backward),
            {name: expr.xreplace(names) for name, expr in self.adjoints.items()},
            tuple(by_name.get(name, name) for name in self.tape),
        )


# Names of generated code: what a symbol is comes first, and the cell's own name of it last, so that no two symbols can
# have the same name, whatever a cell calls its quantities. The template's own variables begin otherwise.
GATE, PART, OLD, NEW, VECTOR, OPERAND = "a_{}", "a{1}_{0}", "old_{}", "new_{}", "v_{}", "u_operand"


def symbols_of(cell: type[Cell]) -> tuple[SimpleNamespace, SimpleNamespace, SimpleNamespace]:
    """Pre-activations `a_i` (`ax_n` and `ah_n` where the recurrent part stands apart), old state `old_h`, and vectors `v_p`."""
    return cell.arguments(sympy.Symbol, GATE, PART, OLD, VECTOR)


def derive_step(cell: type[Cell]) -> Derivation:
    """The derivation of the new state, `new_<name>`, by everything that a step depends on."""
    quantities = cell.step(SymbolicFunctions, *symbols_of(cell))
    new = {NEW.format(name): expr for name, expr in quantities.items()}
    return derive(new, [NEW.format(name) for name in cell.state], "t")


def derive_operand(cell: type[Cell]) -> Derivation:
    """The derivation of what R multiplies for the gates with an operand, `u_operand`."""
    return derive(
        {OPERAND: cell.operand(SymbolicFunctions, *cell.operand_arguments(*symbols_of(cell)))}, [OPERAND], "u"
    )


def derive(quantities: Mapping[str, sympy.Expr], outputs: Sequence[str], letter: str) -> Derivation:
    """Differentiates named quantities; functions inside them are named with the letter and a number.

    >>> a, c = sympy.symbols("a c")
    >>> derivation = derive({"h": c * SymbolicFunctions.tanh(a)}, ["h"], "t")
    >>> derivation.forward
    ((t1, tanh(a)), (h, c*t1))
    >>> derivation.backward, derivation.adjoints
    (((d_t1, c*d_h),), {'c': d_h*t1, 'a': d_t1*(1 - t1**2)})
    >>> derivation.tape
    ('c', 't1')
    """
    forward = _assignments(quantities, letter)
    adjoint_of = {target: sympy.Symbol(f"d_{target}") for target, _ in forward}
    adjoints: dict[sympy.Symbol, sympy.Expr] = {sympy.Symbol(name): sympy.S.Zero for name in outputs}
    backward: list[Statement] = []
    for target, expr in reversed(forward):
        if target not in adjoints:
            continue
        adjoint, received = adjoint_of[target], adjoints.pop(target)
        if target.name in outputs:
            received += adjoint  # what comes from outside the step, by the same name
        if received != adjoint:
            backward.append((adjoint, received))
        for symbol in sorted(expr.free_symbols, key=str):
            slope = expr.diff(symbol).xreplace({expr: target})
            adjoints[symbol] = adjoints.get(symbol, sympy.S.Zero) + adjoint * slope
    by_name = {symbol.name: expr for symbol, expr in adjoints.items()}
    read = set[sympy.Symbol]().union(*(e.free_symbols for e in (*by_name.values(), *(e for _, e in backward))))
    vectors = VECTOR.format("")  # they are the same at each step, and read again rather than saved
    tape = sorted(s.name for s in read.difference(adjoint_of.values()) if not s.name.startswith(vectors))
    return Derivation(tuple(forward), tuple(backward), by_name, tuple(tape))


def _assignments(quantities: Mapping[str, sympy.Expr], letter: str) -> list[Statement]:
    """The quantities one after the other, each function in them an assignment of its own."""
    statements: list[Statement] = []
    names: dict[sympy.Expr, sympy.Symbol] = {}

    def flat(expr: sympy.Expr, name: str = "") -> sympy.Expr:
        if expr in names or not expr.args:
            return names.get(expr, expr)
        short = expr.func(*(flat(argument) for argument in expr.args))
        if isinstance(short, sympy.Function) and not name:
            names[expr] = sympy.Symbol(f"{letter}{len(statements) + 1}")
            statements.append((names[expr], short))
            return names[expr]
        return short

    for name, expr in quantities.items():
        statements.append((sympy.Symbol(name), flat(expr, name)))
        if not expr.is_Number:  # else every number like it, exponents among them, would be that name
            names.setdefault(expr, statements[-1][0])
    return statements
