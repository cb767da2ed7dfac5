"""A cell's equations, as text and typeset in MathML and Typst, from the very `step` that runs."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace

import sympy

from ablations.models.cell import Cell, SymbolicFunctions
from ablations.models.gate import Gate
from ablations.models.notation import (
    MathML,
    Notation,
    Text,
    Typesetter,
    Typst,
    applied,
    changed,
    is_divisor,
    stacked,
)


@dataclass(frozen=True)
class Equation:
    """One equation of a step: the quantity's name, and the whole equation in three notations."""

    name: str
    text: str
    mathml: str
    typst: str


def equations(cell: type[Cell]) -> list[Equation]:
    """The equations of one step in order; what has been named before stands by its name, also within a sum or product.

    W, R and b are the gates' weights and biases, d the bias of a recurrent part that stands apart, V the weights of
    the gates of the step before, ⊙ is elementwise.

    >>> from ablations.models.gru import GRU
    >>> print(equations(GRU)[-1].typst)
    h_(t) = (1 - z_(t)) ⊙ n_(t) + z_(t) ⊙ h_(t-1)
    """
    notations = {"text": Text(), "mathml": MathML(), "typst": Typst()}
    with sympy.evaluate(False):  # SymPy would sort terms and factors
        return [
            Equation(name, **{key: _line(notation, name, expr) for key, notation in notations.items()})
            for name, expr in _definitions(cell).items()
        ]


def marked(cell: type[Cell]) -> str:
    """The equations as text, one a line; in those of an ablation, what its parent has otherwise stands in «».

    The parent's equations that it changes or lacks follow.

    >>> from ablations.models.lstm import LSTMWithoutOutputGate
    >>> print(marked(LSTMWithoutOutputGate))
    i_t = σ(W_i x_t + R_i h_{t-1} + b_i)
    f_t = σ(W_f x_t + R_f h_{t-1} + b_f)
    g_t = tanh(W_g x_t + R_g h_{t-1} + b_g)
    c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t
    h_t = «tanh(c_t)»
    without: o_t = σ(W_o x_t + R_o h_{t-1} + b_o)
    instead of: h_t = o_t ⊙ tanh(c_t)
    """
    text, lines = Text(), []
    with sympy.evaluate(False):
        new, old = _definitions(cell), _definitions(cell.parent or cell)
        compared = {name: _compared(expr, old[name]) for name, expr in new.items() if name in old}
        for name, expr in new.items():
            line = _line(text, name, compared.get(name, expr))
            lines.append(line if name in old else text.group(line, "«»"))
        for name, expr in old.items():
            if name not in new:
                lines.append(f"without: {_line(text, name, expr)}")
            elif compared[name] != new[name]:
                lines.append(f"instead of: {_line(text, name, expr)}")
    return "\n".join(lines)


def symbolic_step(cell: type[Cell]) -> dict[str, sympy.Expr]:
    """The cell's `step` on symbols: every named quantity in terms of pre-activations, old state and vectors."""
    return cell.step(SymbolicFunctions, *_symbols(cell))


def _symbols(cell: type[Cell]) -> tuple[SimpleNamespace, SimpleNamespace, SimpleNamespace]:
    """Pre-activations "a:i" ("a:n:x" and "a:n:h" where the recurrent part stands apart), old state "h:t-1", and vectors "p:"."""
    return cell.arguments(sympy.Symbol, "a:{}", "a:{}:{}", "{}:t-1", "{}:")


def _definitions(cell: type[Cell]) -> dict[str, sympy.Expr]:
    """Every named quantity in terms of those named before it, weights, input, old state and vectors."""
    definitions: dict[str, sympy.Expr] = {}
    names: dict[sympy.Expr, sympy.Symbol] = {}
    for name, expr in symbolic_step(cell).items():
        short = _with_names(expr, names)
        definitions[name] = _flat(short.xreplace(_pre_activations(cell, names)))
        if expr.args or not expr.name.endswith(":t-1"):  # the state before the step keeps its name
            names.setdefault(_ordered(_flat(expr)), sympy.Symbol(f"{name}:t"))
    return definitions


def _with_names(expr: sympy.Expr, names: dict[sympy.Expr, sympy.Symbol]) -> sympy.Expr:
    """The expression with names in place of its parts, the largest first; in sums and products the order does not matter."""
    expr = _flat(expr)
    if name := names.get(_ordered(expr)):
        return name
    terms = list(expr.args)
    for long, short in reversed(names.items()):
        if isinstance(expr, sympy.Add | sympy.Mul) and type(long) is type(expr):
            terms = _replaced(terms, long.args, short)
    return expr.func(*(_with_names(term, names) for term in terms)) if terms else expr


def _replaced(terms: list[sympy.Expr], some: Sequence[sympy.Expr], name: sympy.Symbol) -> list[sympy.Expr]:
    """The terms with the name in place of some of them, where all of these are there, as often as they occur."""
    ordered = [_ordered(term) for term in terms]
    while not Counter(some) - Counter(ordered):
        places = sorted(ordered.index(term) for term in some)
        terms = [name if at == places[0] else term for at, term in enumerate(terms) if at not in places[1:]]
        ordered = [_ordered(term) for term in terms]
    return terms


def _ordered(expr: sympy.Expr) -> sympy.Expr:
    """The same for sums and products that differ only in the order of their terms."""
    parts = [_ordered(part) for part in expr.args]
    if isinstance(expr, sympy.Add | sympy.Mul):
        parts.sort(key=sympy.default_sort_key)
    return expr.func(*parts) if parts else expr


def _pre_activations(cell: type[Cell], names: dict[sympy.Expr, sympy.Symbol]) -> dict[sympy.Symbol, sympy.Expr]:
    """What the symbols of the pre-activations stand for."""
    meaning: dict[sympy.Symbol, sympy.Expr] = {}
    for gate in sorted(cell.gates, key=lambda gate: gate.operand):  # what the operand is made of comes first
        operand = sympy.Symbol(f"{cell.state[0]}:t-1")
        if gate.operand:
            read = cell.operand_arguments(*_symbols(cell))
            operand = _with_names(cell.operand(SymbolicFunctions, *read), names).xreplace(meaning)
        meaning |= _pre_activation(cell, gate, operand)
    return meaning


def _pre_activation(cell: type[Cell], gate: Gate, operand: sympy.Expr) -> dict[sympy.Symbol, sympy.Expr]:
    """What the symbols of one gate's pre-activation stand for; its R multiplies the operand."""

    def times(letter: str, vector: sympy.Expr) -> sympy.Expr:
        return applied(sympy.Symbol(f"{letter}:{gate.name}"), vector)

    fed = stacked(*(sympy.Symbol(f"{name}:t-1") for name in cell.gates_with(feedback=True)))
    inputs, bias = times("W", sympy.Symbol("x:t")), sympy.Symbol(f"b:{gate.name}")
    recurrent = [] if gate.recurrent == "none" else [times("R", operand)]
    feedback = [times("V", fed)] if gate.feedback else []
    if gate.recurrent != "apart":
        return {sympy.Symbol(f"a:{gate.name}"): sympy.Add(inputs, *recurrent, *feedback, bias)}
    return {
        sympy.Symbol(f"a:{gate.name}:x"): sympy.Add(inputs, *feedback, bias),
        sympy.Symbol(f"a:{gate.name}:h"): sympy.Add(*recurrent, sympy.Symbol(f"d:{gate.name}")),
    }


def _flat(expr: sympy.Expr) -> sympy.Expr:
    """Sums in sums and products in products made one, but for fractions."""
    if not expr.args:
        return expr
    arguments: list[sympy.Expr] = []
    for argument in map(_flat, expr.args):
        fraction = any(map(is_divisor, argument.args))
        merged = isinstance(argument, sympy.Add | sympy.Mul) and type(argument) is type(expr) and not fraction
        arguments += argument.args if merged else [argument]
    return expr.func(*arguments)


def _compared(new: sympy.Expr, old: sympy.Expr) -> sympy.Expr:
    """The new expression, with its terms that the old one has otherwise marked."""
    if new == old:
        return new
    if type(new) is not type(old) or not new.args or (isinstance(new, sympy.Pow) and new.exp != old.exp):
        return changed(new)
    if isinstance(new, sympy.Add | sympy.Mul):
        return _compared_terms(new, old)
    if len(new.args) != len(old.args):
        return changed(new)
    return new.func(*map(_compared, new.args, old.args))


def _compared_terms(new: sympy.Expr, old: sympy.Expr) -> sympy.Expr:
    """As `_compared`, for sums and products in any order."""
    fresh, gone = Counter(new.args) - Counter(old.args), Counter(old.args) - Counter(new.args)
    if not fresh and not gone:
        return new
    if not fresh or any(term.is_Number for term in fresh):
        return changed(new)
    terms: list[sympy.Expr] = []
    for term in new.args:
        counterpart = next((other for other in gone if _alike(term, other)), None)
        if not fresh[term]:
            terms.append(term)
        elif counterpart is None:
            terms.append(changed(term))
        else:
            gone -= Counter([counterpart])
            terms.append(_compared(term, counterpart))
    return changed(new) if all(isinstance(term, changed) for term in terms) else new.func(*terms)


def _alike(term: sympy.Expr, other: sympy.Expr) -> bool:
    """Whether two terms are two forms of one: of the same kind, with a part in common."""
    if type(term) is not type(other):
        return False
    if isinstance(term, sympy.Function):
        return any(part == its or _alike(part, its) for part, its in zip(term.args, other.args, strict=False))
    return bool(set(term.args) & set(other.args))


def _line(notation: Notation, name: str, expr: sympy.Expr) -> str:
    line = notation.row([notation.name(name, "t"), notation.sign("="), Typesetter(notation).write(expr)])
    return f'<math display="block">{line}</math>' if isinstance(notation, MathML) else line
