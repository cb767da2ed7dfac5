"""A cell's equations, as text and typeset in LaTeX, MathML and Typst, from the very `step` that runs."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar

import sympy

from ablations.models.cell import Cell, SymbolicFunctions

PRODUCT, SUM = 2, 1  # binding strength, for parentheses


@dataclass(frozen=True)
class Equation:
    """One equation of a step: the quantity's name, and the whole equation in four notations."""

    name: str
    text: str
    latex: str
    mathml: str
    typst: str


class Notation(ABC):
    """How names, products and the like are written; `signs` those that it has words for; `row` joins parts."""

    signs: ClassVar[Mapping[str, str]] = {}

    @abstractmethod
    def name(self, base: str, below: str = "") -> str: ...

    @abstractmethod
    def fraction(self, over: str, under: str) -> str: ...

    def sign(self, sign: str) -> str:
        return self.signs.get(sign, sign)

    def group(self, inner: str) -> str:
        return self.row([self.sign("("), inner, self.sign(")")])

    def row(self, parts: Sequence[str]) -> str:
        return " ".join(parts)


class Text(Notation):
    def name(self, base: str, below: str = "") -> str:
        return base + (f"_{below}" if len(below) == 1 else f"_({below})" if below else "")

    def group(self, inner: str) -> str:
        return f"({inner})"

    def fraction(self, over: str, under: str) -> str:
        return f"({over}) / ({under})"


class Latex(Notation):
    signs: ClassVar[Mapping[str, str]] = {
        "⊙": r"\odot",
        "σ": r"\sigma",
        "tanh": r"\tanh",
        "exp": r"\exp",
        "max": r"\max",
        "−": "-",
        "(": r"\left(",
        ")": r"\right)",
    }

    def name(self, base: str, below: str = "") -> str:
        return base + (f"_{{{below}}}" if below else "")

    def fraction(self, over: str, under: str) -> str:
        return rf"\frac{{{over}}}{{{under}}}"


class Typst(Notation):
    signs: ClassVar[Mapping[str, str]] = {"⊙": "dot.o", "σ": "sigma", "−": "-"}

    def name(self, base: str, below: str = "") -> str:
        return base + (f"_({below})" if below else "")

    def group(self, inner: str) -> str:
        return f"({inner})"

    def fraction(self, over: str, under: str) -> str:
        return f"frac({over}, {under})"


class MathML(Notation):
    def name(self, base: str, below: str = "") -> str:
        return f"<msub><mi>{base}</mi><mi>{below}</mi></msub>" if below else f"<mi>{base}</mi>"

    def sign(self, sign: str) -> str:
        return f"<mi>{sign}</mi>" if sign.isalpha() else f"<mo>{sign}</mo>"

    def fraction(self, over: str, under: str) -> str:
        return f"<mfrac>{over}{under}</mfrac>"

    def row(self, parts: Sequence[str]) -> str:
        return f"<mrow>{''.join(parts)}</mrow>"


class _Typesetter:
    """Writes a SymPy expression in a notation, its terms and factors in the order of the cell's own code."""

    signs: ClassVar[Mapping[str, str]] = {"sigmoid": "σ", "Max": "max"}

    def __init__(self, notation: Notation) -> None:
        self.notation = notation

    def write(self, expr: sympy.Expr, binding: int = 0) -> str:
        if isinstance(expr, sympy.Add):
            return self._grouped(self._sum(expr), binding > SUM)
        if isinstance(expr, sympy.Mul):
            return self._product(expr)
        if isinstance(expr, sympy.Pow):
            return self.notation.fraction(self.notation.name("1"), self.write(expr.base))
        if isinstance(expr, sympy.Symbol):
            return self._grouped(self._symbol(expr.name), binding > SUM and expr.name.startswith("a:"))
        if isinstance(expr, sympy.Function | sympy.Max):
            return self._call(expr)
        return self.notation.name(str(expr))

    def _grouped(self, inner: str, needed: bool) -> str:
        return self.notation.group(inner) if needed else inner

    def _sum(self, expr: sympy.Add) -> str:
        parts: list[str] = []
        for term in expr.args:
            negative = isinstance(term, sympy.Mul) and term.args[0] == -1
            if parts or negative:
                parts.append(self.notation.sign("−" if negative else "+"))
            rest = sympy.Mul(*term.args[1:], evaluate=False) if negative else term
            parts.append(self.write(rest, PRODUCT if negative else SUM))
        return self.notation.row(parts)

    def _product(self, expr: sympy.Mul) -> str:
        under = [factor.base for factor in expr.args if isinstance(factor, sympy.Pow)]
        over = [self.write(factor, PRODUCT) for factor in expr.args if not isinstance(factor, sympy.Pow)]
        times = self.notation.sign("⊙")
        product = self.notation.row([part for factor in over for part in (times, factor)][1:])
        return self.notation.fraction(product, self.write(sympy.Mul(*under))) if under else product

    def _call(self, expr: sympy.Expr) -> str:
        name = type(expr).__name__
        comma = self.notation.sign(",")
        inner = [part for argument in expr.args for part in (comma, self.write(argument))][1:]
        return self.notation.row(
            [self.notation.sign(self.signs.get(name, name)), self.notation.group(self.notation.row(inner))]
        )

    def _symbol(self, name: str) -> str:
        """ "h:t-1" is h at time t − 1; "a:i" the pre-activation of gate i, "a:n:x" and "a:n:h" its two parts apart."""
        base, below, *part = name.split(":")
        if base != "a":
            return self.notation.name(base, below)
        n, plus = self.notation, self.notation.sign("+")
        input_ = [n.name("W", below), n.name("x", "t")]
        recurrent = [n.name("R", below), n.name("h", "t-1")]
        match part:
            case ["x"]:
                return n.row([*input_, plus, n.name("b", below)])
            case ["h"]:
                return n.row([*recurrent, plus, n.name("d", below)])
        return n.row([*input_, plus, *recurrent, plus, n.name("b", below)])


def symbolic_step(cell: type[Cell]) -> dict[str, sympy.Expr]:
    """The cell's `step` on symbols: every named quantity in terms of pre-activations, old state and vectors."""
    gates = {gate: sympy.Symbol(f"a:{gate}") for gate in cell.gates if gate not in cell.split}
    for gate in cell.split:
        gates[gate] = SimpleNamespace(x=sympy.Symbol(f"a:{gate}:x"), h=sympy.Symbol(f"a:{gate}:h"))
    state = {name: sympy.Symbol(f"{name}:t-1") for name in cell.state}
    vectors = {name: sympy.Symbol(f"{name}:") for name in cell.vectors}
    return cell.step(SymbolicFunctions, *(SimpleNamespace(**part) for part in (gates, state, vectors)))


def equations(cell: type[Cell]) -> list[Equation]:
    """The equations of one step in order; a quantity named earlier stands by its name.

    W, R and b are the gates' weights and biases, d the bias of a recurrent part that stands apart, ⊙ is elementwise.

    >>> from ablations.models.cell import GRU
    >>> print(equations(GRU)[-1].latex)
    h_{t} = \\left( 1 - z_{t} \\right) \\odot n_{t} + z_{t} \\odot h_{t-1}
    """
    notations = {"text": Text(), "latex": Latex(), "mathml": MathML(), "typst": Typst()}
    typeset: list[Equation] = []
    known: dict[sympy.Expr, sympy.Symbol] = {}
    with sympy.evaluate(False):  # SymPy would sort terms and factors
        for name, expr in symbolic_step(cell).items():
            short = _with_names(expr, known)
            known[expr] = sympy.Symbol(f"{name}:t")
            equation = {key: _equation(notation, name, short) for key, notation in notations.items()}
            typeset.append(Equation(name, **equation))
    return typeset


def _with_names(expr: sympy.Expr, known: dict[sympy.Expr, sympy.Symbol]) -> sympy.Expr:
    for long, short in reversed(known.items()):
        expr = expr.xreplace({long: short})
    return expr


def _equation(notation: Notation, name: str, expr: sympy.Expr) -> str:
    line = notation.row([notation.name(name, "t"), notation.sign("="), _Typesetter(notation).write(expr)])
    return f'<math display="block">{line}</math>' if isinstance(notation, MathML) else line
