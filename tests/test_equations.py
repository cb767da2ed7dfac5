"""The equations that are printed are the ones that run: read back, differentiated, and in every notation."""

import math
import re
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest
import sympy
import torch

from ablations.models import CELLS, Cell
from ablations.models.cell import Functions, SymbolicFunctions, TorchFunctions, sigmoid
from ablations.models.equations import equations, symbolic_step
from ablations.models.recurrent import Recurrence


class Awkward(Cell):
    """Arithmetic whose parentheses are easily lost, a vector, three states and two split gates."""

    name = "awkward"
    gates = ("i", "n", "u")
    split = ("n", "u")
    state = ("h", "c", "m")
    vectors = ("p",)

    @staticmethod
    def step(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Any]:
        i = f.sigmoid(a.i - (s.c - v.p * s.m))
        c = (1 - i) * (s.c + a.n.x * (a.n.h - s.h)) - i * (a.u.x + a.u.h)
        m = f.maximum(f.exp(a.i), s.m) / (1 + f.relu(c) / (2 + s.m * s.m))
        return {"i": i, "c": c, "m": m, "h": f.tanh(c - m) / (i / (1 + i) + 3) - (1 - (c - m))}


@pytest.fixture(autouse=True)
def awkward(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CELLS, "awkward", Awkward)


each_cell = pytest.mark.parametrize("cell", [*CELLS.values(), Awkward])
each_known_cell = pytest.mark.parametrize("cell", [CELLS[name] for name in ("rnn", "lstm", "gru")])
FUNCTIONS = {"sigmoid": lambda x: 1 / (1 + math.exp(-x)), "tanh": math.tanh, "exp": math.exp, "max": max}


def as_python(text: str) -> str:
    """An equation's right-hand side, as it is printed, in Python."""
    text = text.split(" = ")[1].replace("⊙", "*").replace("−", "-").replace("σ", "sigmoid")
    text = text.replace("_(t-1)", "_old").replace("_t", "_new")
    return re.sub(r"\b([WR]_\w) (\w)", r"\1 * \2", text)


@each_cell
def test_the_printed_equations_compute_what_the_layer_computes(cell: type[Cell]) -> None:
    """One unit reads one number; what is printed is read back and worked out with the layer's own weights."""
    layer = Recurrence(cell.name, 1, 1).double().requires_grad_(False)
    x = torch.randn((), dtype=torch.float64)
    old = {name: torch.randn(1, 1, dtype=torch.float64) for name in cell.state}
    names = {"x_new": float(x), **{f"{name}_old": float(value) for name, value in old.items()}}
    for letter, gates, weights in (
        ("W", cell.gates, layer.weight),
        ("R", cell.gates, layer.recurrent_weight),
        ("b", cell.gates, layer.bias),
        ("d", cell.split, layer.recurrent_bias),
    ):
        names |= {f"{letter}_{gate}": float(weight) for gate, weight in zip(gates, weights, strict=True)}
    names |= {name: float(vector) for name, vector in zip(cell.vectors, layer.vectors, strict=True)}
    for equation in equations(cell):
        names[f"{equation.name}_new"] = eval(as_python(equation.text), FUNCTIONS, names)
    _, new = layer(x.reshape(1, 1, 1), initial=old)
    assert {name: names[f"{name}_new"] for name in cell.state} == pytest.approx(
        {name: float(value) for name, value in new.items()}, rel=1e-9
    )


@each_cell
def test_the_symbols_derivatives_are_autograds(cell: type[Cell]) -> None:
    """Backpropagation through time can be had from the symbols."""
    symbolic = symbolic_step(cell)
    symbols = sorted({symbol for name in cell.state for symbol in symbolic[name].free_symbols}, key=str)
    values = torch.randn(len(symbols), dtype=torch.float64, requires_grad=True)
    modules = [{"sigmoid": torch.sigmoid, "tanh": torch.tanh, "exp": torch.exp, "Max": maximum}, "math"]
    for name in cell.state:
        result = sympy.lambdify(symbols, symbolic[name], modules)(*values)
        (expected,) = torch.autograd.grad(result, values)
        slopes = [symbolic[name].diff(symbol).rewrite(sympy.Piecewise) for symbol in symbols]
        slopes = sympy.lambdify(symbols, slopes, [FUNCTIONS, "math"])(*values.tolist())
        assert [float(slope) for slope in slopes] == pytest.approx(expected.tolist(), rel=1e-9)


def maximum(*values: Any) -> torch.Tensor:
    """SymPy flattens nested maxima, and puts plain numbers among them."""
    return torch.stack([torch.as_tensor(value, dtype=torch.float64) for value in values]).max()


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "relu", "exp", "maximum"])
def test_symbolic_functions_are_torchs(name: str) -> None:
    pair = sympy.symbols("u v")[: 2 if name == "maximum" else 1]
    evaluate = sympy.lambdify(pair, getattr(SymbolicFunctions, name)(*pair), [FUNCTIONS | {"Max": max}, "math"])
    for values in torch.randn(5, len(pair), dtype=torch.float64):
        assert float(getattr(TorchFunctions, name)(*values)) == pytest.approx(evaluate(*values.tolist()))


def test_the_logistic_function_knows_its_derivative() -> None:
    x = sympy.Symbol("x")
    assert sigmoid(x).diff(x) == sigmoid(x) * (1 - sigmoid(x))


@each_cell
def test_every_quantity_is_printed_once_in_the_order_of_the_step(cell: type[Cell]) -> None:
    assert [equation.name for equation in equations(cell)] == list(symbolic_step(cell))


@each_known_cell
def test_every_weight_is_printed_once_so_that_names_stand_for_what_is_known(cell: type[Cell]) -> None:
    printed = " ".join(equation.text for equation in equations(cell))
    assert sorted(re.findall(r"[WRbd]_\w", printed)) == sorted(
        [*(f"{letter}_{gate}" for letter in "WRb" for gate in cell.gates), *(f"d_{gate}" for gate in cell.split)]
    )


@each_known_cell
def test_all_notations_say_the_same(cell: type[Cell]) -> None:
    def bare(text: str) -> str:
        for written, sign in {"\\left": "", "\\right": "", "\\odot": "⊙", "dot.o": "⊙", "\\sigma": "σ"}.items():
            text = text.replace(written, sign)
        return re.sub(r"[\s(){}_\\]", "", text.replace("sigma", "σ").replace("-", "−"))

    for equation in equations(cell):
        tree = ElementTree.fromstring(equation.mathml)
        assert (tree.tag, tree.get("display")) == ("math", "block")
        assert {element.tag for element in tree.iter()} <= {"math", "mrow", "msub", "mfrac", "mi", "mo", "mn"}
        written = ["".join(tree.itertext()), equation.latex, equation.typst, equation.text]
        assert {bare(text) for text in written} == {bare(equation.text)}


@pytest.mark.parametrize(
    ("cell", "pieces"),
    [
        ("rnn", [r"h_{t} = \tanh \left( W_{h} x_{t} + R_{h} h_{t-1} + b_{h} \right)"]),
        (
            "lstm",
            [
                r"f_{t} = \sigma \left( W_{f} x_{t} + R_{f} h_{t-1} + b_{f} \right)",
                r"c_{t} = f_{t} \odot c_{t-1} + i_{t} \odot g_{t}",
                r"h_{t} = o_{t} \odot \tanh \left( c_{t} \right)",
            ],
        ),
        (
            "gru",
            [
                r"W_{n} x_{t} + b_{n} + r_{t} \odot \left( R_{n} h_{t-1} + d_{n} \right)",
                r"h_{t} = \left( 1 - z_{t} \right) \odot n_{t} + z_{t} \odot h_{t-1}",
            ],
        ),
    ],
)
def test_known_cells_read_as_in_the_books(cell: str, pieces: list[str]) -> None:
    printed = "\n".join(equation.latex for equation in equations(CELLS[cell]))
    assert all(piece in printed for piece in pieces)
