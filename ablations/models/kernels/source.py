"""The compiled source of a cell: a forward and a backward function for whole sequences, written from its equations.

R runs, B sequences, T steps, I inputs, H units, N columns: B, padded to a multiple of LANES. See README.md.
"""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import sympy
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sympy.printing.str import StrPrinter

from ablations.models.cell import FUNCTIONS, Cell
from ablations.models.kernels.derivation import NEW, OLD, OPERAND, Derivation, Statement, derive_operand, derive_step
from ablations.models.kernels.layout import Layout


class _Printer(StrPrinter):
    """SymPy expressions as Python: whole powers as products and quotients, others by root or exp and log."""

    def _print_Pow(self, expr: sympy.Pow, rational: bool = False) -> str:
        if not expr.exp.is_Number:
            raise ValueError(f"an exponent is a number; write f.exp(y * f.log(x)), not {expr}")
        exponent = abs(float(expr.exp))
        if exponent.is_integer():
            power = "*".join([self.parenthesize(expr.base, 100)] * int(exponent))
        elif exponent == 0.5:
            power = f"sqrt({self._print(expr.base)})"
        else:
            power = f"exp({exponent!r} * log({self._print(expr.base)}))"
        return f"({power})" if expr.exp > 0 else f"(1/({power}))"


PARTS = (sympy.Symbol, sympy.Number, sympy.Add, sympy.Mul, sympy.Pow, *FUNCTIONS)
"""What equations may be made of."""


FURTHER = ("absolute", "cos", "log", "sign", "sin", "softplus", "sqrt")
"""The functions that are imported where a cell calls them; the template imports those of most cells."""

IMPORTS = "from ablations.models.kernels.lanes import"
"""The beginning of the line above which they are imported."""


@cache
def _derivations(cell: type[Cell]) -> tuple[Derivation, Derivation]:
    """Those of the step and of the operand, in which what both compute has one name."""
    step = derive_step(cell)
    if not cell.gates_with(operand=True):
        return step, Derivation((), (), {}, ())
    operand = derive_operand(cell)
    return step, operand.renamed(_same(operand, step))


def _same(operand: Derivation, step: Derivation) -> dict[sympy.Symbol, sympy.Symbol]:
    """The functions in the operand that the step has as well, by the name that they have there; but for the whole of it."""
    read = _symbols(expr for _, expr in step.forward)
    known = {expr: target for target, expr in step.forward if isinstance(expr, sympy.Function) and target in read}
    names: dict[sympy.Symbol, sympy.Symbol] = {}
    for target, expr in operand.forward[:-1]:
        if same := known.get(expr.xreplace(names)):
            names[target] = same
    return names


def _symbols(exprs: Iterable[sympy.Expr]) -> set[sympy.Symbol]:
    return set[sympy.Symbol]().union(*(expr.free_symbols for expr in exprs))


def _again(operand: Derivation) -> tuple[Statement, ...]:
    """The operand made anew from what is on its tape; nothing, where that would take a function, or is not there."""
    last = operand.forward[-1:]
    names = {symbol.name for symbol in _symbols(expr for _, expr in last)}
    cheap = not any(expr.has(*FUNCTIONS) for _, expr in last) and names <= set(operand.tape)
    return last if cheap else ()


@cache
def tape_entries(cell: type[Cell]) -> tuple[str, ...]:
    """The quantities of each step that the forward pass saves for the backward one, K of them, of H units each."""
    step, operand = _derivations(cell)
    return tuple(dict.fromkeys((*step.tape, *_fed_back(cell), *_recalled(operand))))


def _recalled(operand: Derivation) -> tuple[str, ...]:
    """What the operand's part of the backward pass reads from the tape."""
    return tuple(dict.fromkeys((*operand.tape, *[OPERAND] * bool(operand.forward and not _again(operand)))))


def _fed_back(cell: type[Cell]) -> list[str]:
    return [OLD.format(name) for name in cell.gates_with(feedback=True)]


@cache
def source(cell: type[Cell]) -> str:
    """The module with `forward` and `backward` of that cell. Raises ValueError where it has what a kernel cannot do."""
    layout = Layout(cell)
    step, operand = _derivations(cell)
    _check(layout, step, operand)
    operand_symbols = _symbols(expr for _, expr in operand.forward)
    shared = [target.name for target, _ in operand.forward if target in dict(step.forward)]
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    text = environment.get_template("sequence.jinja").render(
        name=ascii(cell.name),
        cell=cell,
        layout=layout,
        fed_back=cell.gates_with(feedback=True),
        connected=cell.connected(),
        step=step,
        operand=operand,
        operand_gates=[name for name in layout.symbols if sympy.Symbol(name) in operand_symbols],
        tape=tape_entries(cell),
        step_tape=[name for name in tape_entries(cell) if name in step.tape or name in _fed_back(cell)],
        operand_tape=[name for name in _recalled(operand) if name not in step.tape],
        operand_recalled=_recalled(operand),
        operand_again=_again(operand),
        shared=shared,
        rest_of_step=[(target, expr) for target, expr in step.forward if target.name not in shared],
        forward_workspace=_forward_workspace(layout, len(shared)),
        backward_workspace=_backward_workspace(layout),
        row=cell.gates_with().index,
        recurrent_row=cell.connected().index,
        python=_Printer().doprint,
        adjoint=lambda derivation, name: _Printer().doprint(derivation.adjoints.get(name, sympy.S.Zero)),
    )
    text = re.sub(r"\n( *\n)+(?= )", "\n", text)  # the empty lines that macros leave within functions
    called = [name for name in FURTHER if re.search(rf"\b{name}\(", text)]
    lines = f"from ablations.models.kernels.functions import {', '.join(called)}\n" if called else ""
    return text.replace(IMPORTS, lines + IMPORTS)


def _check(layout: Layout, step: Derivation, operand: Derivation) -> None:
    if beyond := operand.adjoints.keys() - {OLD.format("h"), *layout.symbols}:
        raise ValueError(f"an operand is made of h and of gates, got {', '.join(sorted(beyond))}")
    targets = {target.name for target, _ in step.forward}
    if missing := [name for name in layout.cell.state if NEW.format(name) not in targets]:
        raise ValueError(f"step gives no {missing[0]}, which is in the state")
    for _, expr in (*step.forward, *operand.forward):
        if strange := [part for part in sympy.preorder_traversal(expr) if not isinstance(part, PARTS)]:
            raise ValueError(f"equations are not made of {type(strange[0]).__name__}")
        if fixed := [part for part in expr.atoms(*FUNCTIONS) if not part.free_symbols]:
            raise ValueError(f"a function of lanes cannot be applied to a number, got {fixed[0]}")


Matrix = tuple[str, str, str, bool]
"""A matrix of one step: its name, rows and columns, and whether it is a sum that starts from zero in each run."""


def _forward_workspace(layout: Layout, shared: int) -> list[Matrix]:
    memory, operand = len(layout.memory), layout.of_operand
    return [
        ("active", "1", "N", False),
        ("stack", "(H + I)", "N", False),  # h above x
        *([("memory", f"{memory} * H", "N", False)] if memory else []),  # the state but for h
        ("gates", f"{len(layout.symbols)} * H", "N", False),
        *([("operand", "H", "N", False)] if operand else []),
        *([("shared", f"{shared} * H", "N", False)] if shared else []),  # what the operand and the step both read
        ("packed", f"{len(layout.inputs)} * H", "(H + I)", False),  # recurrent weights beside input weights
    ]


def _backward_workspace(layout: Layout) -> list[Matrix]:
    memory, inputs, fed = len(layout.memory), len(layout.inputs), len(layout.cell.gates_with(feedback=True))
    matrices = [
        ("active", "1", "N", False),
        ("d_out", "H", "N", False),
        ("d_h", "H", "N", False),
        *([("d_memory", f"{memory} * H", "N", False)] if memory else []),
        ("d_input", "I", "N", False),
        ("d_gates", f"{len(layout.symbols)} * H", "columns", False),  # of several steps, whose products are one
        ("past", "columns", "(padded(H) + padded(I))", False),  # h before the step beside x, a row for each sequence
        ("d_packed", f"{inputs} * H", "(padded(H) + padded(I))", True),
    ]
    if layout.of_operand:
        matrices += [("operand", "H", "N", False), ("past_operand", "columns", "padded(H)", False)]
    if fed:
        wide = f"padded({fed} * H)"
        matrices += [("fed", f"{fed} * H", "N", False), ("past_fed", "columns", wide, False)]
        matrices += [("d_fed", f"{fed} * H", wide, True)]
    return [*matrices, ("packed", f"{inputs} * H", "(H + I)", False)]
