"""Three notations for equations, and the typesetter that writes a SymPy expression in any of them."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import chain
from math import prod
from typing import ClassVar

import sympy

SUM, PRODUCT, ATOM, BASE = 1, 2, 3, 4  # binding strength, for parentheses


class applied(sympy.Function):
    """A matrix times a vector."""


class stacked(sympy.Function):
    """Vectors one below the other, as one vector."""


class changed(sympy.Function):
    """A term to be marked."""


class Notation(ABC):
    """How names, products and the like are written; `signs` those that it has words for; `row` joins parts."""

    signs: ClassVar[Mapping[str, str]] = {}
    linear: ClassVar[bool] = False
    """Whether a fraction stands in the line, so that its parts need parentheses."""

    def name(self, base: str, below: str = "") -> str:
        return self.letters(base) + (f"_{{{self.letters(below)}}}" if below else "")

    def letters(self, text: str) -> str:
        return text if len(text) == 1 or text == "t-1" else self.word(text)

    @abstractmethod
    def word(self, text: str) -> str:
        """A name of more than one letter."""

    @abstractmethod
    def fraction(self, over: str, under: str) -> str: ...

    @abstractmethod
    def power(self, base: str, exponent: str) -> str: ...

    def number(self, value: float) -> str:
        return f"{Decimal(repr(value)).normalize():f}"

    def negative(self, inner: str) -> str:
        return self.sign("−") + inner

    def sign(self, sign: str) -> str:
        return self.signs.get(sign, sign)

    def function(self, name: str) -> str:
        return self.signs.get(name) or self.word(name)

    def call(self, name: str, arguments: Sequence[str]) -> str:
        return self.row([self.function(name), self.group(self.listed(arguments))])

    def group(self, inner: str, brackets: str = "()") -> str:
        return self.sign(brackets[0]) + inner + self.sign(brackets[1])

    def listed(self, parts: Sequence[str]) -> str:
        return ", ".join(parts)

    def row(self, parts: Sequence[str]) -> str:
        return " ".join(parts)


class Text(Notation):
    signs: ClassVar[Mapping[str, str]] = {"sigmoid": "σ", "maximum": "max", "absolute": "abs"}
    linear = True

    def name(self, base: str, below: str = "") -> str:
        return f"{base}_{below}" if len(below) == 1 else super().name(base, below)

    def word(self, text: str) -> str:
        return text

    def fraction(self, over: str, under: str) -> str:
        return f"{over} / {under}"

    def power(self, base: str, exponent: str) -> str:
        return f"{base}^{exponent}"

    def call(self, name: str, arguments: Sequence[str]) -> str:
        return self.function(name) + self.group(self.listed(arguments))


class Typst(Notation):
    signs: ClassVar[Mapping[str, str]] = {
        "sigmoid": "sigma",
        "tanh": "tanh",
        "exp": "exp",
        "maximum": "max",
        "relu": 'op("relu")',
        "softplus": 'op("softplus")',
        "log": "log",
        "sqrt": "sqrt",
        "sin": "sin",
        "cos": "cos",
        "absolute": "abs",
        "−": "-",
    }

    def name(self, base: str, below: str = "") -> str:
        return self.letters(base) + (f"_({self.letters(below)})" if below else "")

    def word(self, text: str) -> str:
        return f'"{text}"'

    def fraction(self, over: str, under: str) -> str:
        return f"frac({over}, {under})"

    def power(self, base: str, exponent: str) -> str:
        return f"{base}^({exponent})"


class MathML(Notation):
    signs: ClassVar[Mapping[str, str]] = {
        "sigmoid": "<mi>σ</mi>",
        "maximum": "<mi>max</mi>",
        "sqrt": "<mo>√</mo>",
        "absolute": "<mi>abs</mi>",
    }

    def name(self, base: str, below: str = "") -> str:
        return f"<msub>{self.word(base)}{self.letters(below)}</msub>" if below else self.word(base)

    def letters(self, text: str) -> str:
        return self.row([self.word("t"), self.sign("−"), self.number(1)]) if text == "t-1" else self.word(text)

    def word(self, text: str) -> str:
        return f"<mi>{text}</mi>"

    def number(self, value: float) -> str:
        return f"<mn>{super().number(value)}</mn>"

    def sign(self, sign: str) -> str:
        return f"<mo>{sign}</mo>"

    def negative(self, inner: str) -> str:
        return self.row([self.sign("−"), inner])

    def fraction(self, over: str, under: str) -> str:
        return f"<mfrac>{over}{under}</mfrac>"

    def power(self, base: str, exponent: str) -> str:
        return f"<msup>{base}{exponent}</msup>"

    def group(self, inner: str, brackets: str = "()") -> str:
        return self.row([super().group(inner, brackets)])

    def listed(self, parts: Sequence[str]) -> str:
        return self.row([self.sign(",").join(parts)])

    def row(self, parts: Sequence[str]) -> str:
        return f"<mrow>{''.join(parts)}</mrow>"


class Typesetter:
    """Writes a SymPy expression, sums in sums and products in products flattened, in the order of its terms and factors.

    The symbol "h:t-1" is h at time t − 1, "W:i" the W of i, "p:" a plain p.
    """

    def __init__(self, notation: Notation) -> None:
        self.notation = notation

    def write(self, expr: sympy.Expr, binding: int = 0) -> str:
        """The expression, in parentheses if it binds less than is asked."""
        n = self.notation
        if isinstance(expr, changed):
            return n.group(self.write(expr.args[0], binding), "«»")
        if isinstance(expr, sympy.Symbol):
            return n.name(*expr.name.split(":"))
        if isinstance(expr, sympy.Add):
            return self._grouped(self._sum(expr.args), binding > SUM)
        if isinstance(expr, sympy.Function):
            return self._function(expr, binding)
        unsigned = self._unsigned(expr, PRODUCT if _is_negative(expr) else binding)
        return self._grouped(n.negative(unsigned), binding > SUM) if _is_negative(expr) else unsigned

    def _grouped(self, inner: str, needed: bool) -> str:
        return self.notation.group(inner) if needed else inner

    def _function(self, expr: sympy.Expr, binding: int) -> str:
        if isinstance(expr, applied):
            matrix, vector = expr.args
            return self._grouped(self.notation.row([self.write(matrix), self.write(vector, ATOM)]), binding > PRODUCT)
        arguments = [self.write(argument) for argument in expr.args]
        if isinstance(expr, stacked):
            return self.notation.group(self.notation.listed(arguments), "[]")
        return self.notation.call(type(expr).__name__, arguments)

    def _sum(self, terms: Sequence[sympy.Expr]) -> str:
        n = self.notation
        parts = [self.write(terms[0], SUM)]
        for term in terms[1:]:
            inner = term.args[0] if isinstance(term, changed) else term
            signed = [n.sign("−" if _is_negative(inner) else "+"), self._unsigned(inner, PRODUCT)]
            parts += [n.group(n.row(signed), "«»")] if isinstance(term, changed) else signed
        return n.row(parts)

    def _unsigned(self, expr: sympy.Expr, binding: int) -> str:
        number, over, under = _factors(expr)
        if isinstance(expr, sympy.Pow) and not under:
            power = self.notation.power(self.write(expr.base, BASE), self.notation.number(float(expr.exp)))
            return self._grouped(power, binding >= BASE)
        if not under:
            return self._product(abs(number), over, binding)
        linear = self.notation.linear
        top = self._product(abs(number), over, PRODUCT if linear else 0)
        bottom = self._product(1, under, ATOM if linear else 0)
        return self._grouped(self.notation.fraction(top, bottom), linear and binding > PRODUCT)

    def _product(self, number: float, factors: Sequence[sympy.Expr], binding: int) -> str:
        """A number stands next to what it multiplies."""
        n = self.notation
        if number == 1 and len(factors) == 1:
            return self.write(factors[0], binding)
        terms = [(n.sign("⊙"), self.write(factor, ATOM)) for factor in factors]
        numbers = [] if number == 1 and factors else [n.number(number)]
        return self._grouped(n.row([*numbers, *[*chain(*terms)][1:]]), bool(factors) and binding > PRODUCT)


def _factors(expr: sympy.Expr) -> tuple[float, list[sympy.Expr], list[sympy.Expr]]:
    """The number in a product, the other factors, and those that it is divided by."""
    factors = expr.args if isinstance(expr, sympy.Mul) else [expr]
    number = prod(float(factor) for factor in factors if factor.is_Number)
    under = [factor for factor in factors if is_divisor(factor)]
    over = [factor for factor in factors if not factor.is_Number and not is_divisor(factor)]
    if any(isinstance(factor, sympy.Pow) and not factor.exp.is_Number for factor in over):
        raise ValueError(f"an exponent is a number; write f.exp(y * f.log(x)), not {expr}")
    return number, over, [f.base if f.exp == -1 else sympy.Pow(f.base, -f.exp) for f in under]


def is_divisor(factor: sympy.Expr) -> bool:
    """Whether a factor is what a product is divided by."""
    return isinstance(factor, sympy.Pow) and bool(factor.exp.is_negative)


def _is_negative(expr: sympy.Expr) -> bool:
    return _factors(expr)[0] < 0
