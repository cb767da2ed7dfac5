"""The equations that are printed are the ones that run: read back, differentiated, and in every notation."""

import math
import re
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest
import sympy
import torch
import typst
from builders.elementary_cell import Elementary
from builders.printed_equations import merged
from torch import Tensor

from ablations.models import CELLS, Cell
from ablations.models.cell import Functions, SymbolicFunctions, TorchFunctions, sigmoid
from ablations.models.equations import equations, marked, symbolic_step
from ablations.models.gate import Gate
from ablations.models.lstm import LSTM
from ablations.models.recurrent import RecurrentLayer
from reports.markup import checked_mathml, checked_typst


class Awkward(Cell):
    """Arithmetic whose parentheses and signs are easily lost, vectors, and gates of all kinds, some with long names."""

    name = "awkward"
    gates = (
        Gate("i", feedback=True),
        Gate("n", "apart"),
        Gate("u", "apart"),
        Gate("mix", operand=True),
        Gate("k", "none"),
    )
    state = ("h", "c", "memo", "i")
    vectors = ("p", "scale")

    @staticmethod
    def operand(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> Any:
        return f.tanh(a.k - s.c) * (s.h + v.scale)

    @staticmethod
    def step(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Any]:
        i = f.sigmoid(a.i - (s.c - v.p * s.memo))
        c = (1 - i) * (s.c + a.n.x * (a.n.h - s.h)) - i * (a.u.x + a.u.h) + f.exp(-a.mix) * (1 - 2.0 * s.h)
        memo = f.maximum(f.exp(a.i), s.memo) / (1 + f.relu(c) / (2 + s.memo * s.memo)) - 0.5 * (c - 1) / (1 + i)
        h = f.tanh(c - memo) / (i / (1 + i) + 3) - (1 - (c - memo)) * -3 + 1 / (2 + i) * (c / 4) - -a.k / (2 + i) / 2
        return {"i": i, "c": c, "memo": memo, "h": h - f.maximum(-c, 0.25)}


@pytest.fixture(autouse=True)
def awkward(monkeypatch: pytest.MonkeyPatch) -> None:
    for cell in OWN:
        monkeypatch.setitem(CELLS, cell.name, cell)


OWN = [Awkward, Elementary]
each_cell = pytest.mark.parametrize("cell", [*CELLS.values(), *OWN], ids=lambda cell: cell.name)
each_known_cell = pytest.mark.parametrize("cell", [CELLS[name] for name in ("rnn", "lstm", "gru")])
FUNCTIONS = {
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "tanh": math.tanh,
    "exp": math.exp,
    "relu": lambda x: max(x, 0.0),
    "maximum": max,
    "positive": lambda x: float(x > 0),
    "larger": lambda x, y: float(x > y),
    "log": math.log,
    "sqrt": math.sqrt,
    "sin": math.sin,
    "cos": math.cos,
    "absolute": abs,
    "sign": lambda x: math.copysign(1.0, x),
    "softplus": lambda x: math.log1p(math.exp(x)),
}
READ_BACK = FUNCTIONS | {
    "max": max,
    "abs": abs,
    "dot": lambda row, column: sum(x * y for x, y in zip(row, column, strict=True)),
}


def as_python(text: str) -> str:
    """An equation's right-hand side, as it is printed, in Python."""
    text = text.split(" = ")[1].replace("⊙", "*").replace("−", "-").replace("σ", "sigmoid").replace("^", "**")
    text = text.replace("_{t-1}", "_old").replace("_t", "_new").replace("{", "").replace("}", "")
    text = re.sub(r"\b(V_\w+) (\[.*?\])", r"dot(\1, \2)", text)
    return re.sub(r"\b([WR]_\w+|[\d.]+) (?=[\w(])", r"\1 * ", text)


def rows(weights: Tensor | None) -> Sequence[Tensor]:
    return () if weights is None else weights.unbind(0)


@each_cell
def test_the_printed_equations_compute_what_the_layer_computes(cell: type[Cell]) -> None:
    """One unit reads one number; what is printed is read back and worked out with the layer's own weights."""
    layer = RecurrentLayer(cell.name, 1, 1).double().requires_grad_(False)
    x = torch.randn((), dtype=torch.float64)
    old = torch.randn(len(cell.state), 1, 1, dtype=torch.float64)
    names: dict[str, Any] = {"x_new": float(x)}
    names |= {f"{name}_old": float(value) for name, value in zip(cell.state, old, strict=True)}
    for letter, gates, weights in (
        ("W", cell.gates_with(), layer.weight),
        ("R", cell.connected(), layer.recurrent_weight),
        ("b", cell.gates_with(), layer.bias),
        ("d", cell.gates_with(recurrent="apart"), layer.recurrent_bias),
    ):
        names |= {f"{letter}_{gate}": float(weight) for gate, weight in zip(gates, rows(weights), strict=True)}
    fed_back = zip(cell.gates_with(feedback=True), rows(layer.feedback_weight), strict=True)
    names |= {f"V_{gate}": row.tolist() for gate, row in fed_back}
    names |= {name: float(vector) for name, vector in zip(cell.vectors, rows(layer.vectors), strict=True)}
    for equation in equations(cell):
        names[f"{equation.name}_new"] = eval(as_python(equation.text), READ_BACK, names)
    _, new = layer(x.reshape(1, 1, 1), initial=old)
    assert [names[f"{name}_new"] for name in cell.state] == pytest.approx(new.flatten().tolist(), rel=1e-9)


NAMES = ["sigmoid", "tanh", "relu", "exp", "maximum", "log", "sqrt", "sin", "cos", "softplus", "abs"]


def test_every_function_is_tested() -> None:
    for functions in (TorchFunctions, SymbolicFunctions):
        assert {name for name in vars(functions) if not name.startswith("_")} == set(NAMES)


@each_cell
def test_the_symbols_derivatives_are_autograds(cell: type[Cell]) -> None:
    """Backpropagation through time can be had from the symbols."""
    symbolic = symbolic_step(cell)
    symbols = sorted({symbol for name in cell.state for symbol in symbolic[name].free_symbols}, key=str)
    values = torch.randn(len(symbols), dtype=torch.float64, requires_grad=True)
    torch_functions = {name: getattr(TorchFunctions, name) for name in NAMES} | {"absolute": torch.abs}
    for name in cell.state:
        result = sympy.lambdify(symbols, symbolic[name], [torch_functions, "math"])(*values)
        expected = torch.autograd.grad(result, values)[0].tolist()
        slopes = [symbolic[name].diff(symbol) for symbol in symbols]
        slopes = sympy.lambdify(symbols, slopes, [FUNCTIONS, "math"])(*values.tolist())
        assert [float(slope) for slope in slopes] == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_symbolic_functions_are_torchs(name: str) -> None:
    pair = sympy.symbols("u v")[: 2 if name == "maximum" else 1]
    evaluate = sympy.lambdify(pair, getattr(SymbolicFunctions, name)(*pair), [FUNCTIONS, "math"])
    for values in torch.randn(5, len(pair), dtype=torch.float64).abs() * (1 if name in ("log", "sqrt") else -1):
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
        [
            *(f"{letter}_{gate}" for letter in "WRb" for gate in cell.gates_with()),
            *(f"d_{gate}" for gate in cell.gates_with(recurrent="apart")),
        ]
    )


@each_cell
def test_every_kind_of_weight_that_a_cell_has_is_printed_and_no_other(cell: type[Cell]) -> None:
    printed = " ".join(equation.text for equation in equations(cell))
    kinds = {"W": cell.gates_with(), "R": cell.connected(), "b": cell.gates_with()}
    kinds |= {"d": cell.gates_with(recurrent="apart"), "V": cell.gates_with(feedback=True)}
    for letter, gates in kinds.items():
        assert set(re.findall(rf"\b{letter}_{{?(\w+)", printed)) == set(gates)


@each_cell
def test_all_notations_say_the_same(cell: type[Cell]) -> None:
    def bare(text: str) -> str:
        for sign in ("frac", "op(", "/"):
            text = text.replace(sign, "")
        text = text.replace("sigma", "σ").replace("-", "−").replace("√", "sqrt")
        return re.sub(r"""[\s(){}_^,"]""", "", text)

    for equation in equations(cell):
        tree = ElementTree.fromstring(equation.mathml)
        assert (tree.tag, tree.get("display")) == ("math", "block")
        assert {element.tag for element in tree.iter()} <= {"math", "mrow", "msub", "msup", "mfrac", "mi", "mo", "mn"}
        written = ["".join(tree.itertext()), equation.typst, equation.text]
        assert {bare(text) for text in written} == {bare(equation.text)}


@each_cell
def test_typst_compiles_what_is_written_for_it(cell: type[Cell]) -> None:
    assert typst.compile("\n".join(f"$ {equation.typst} $" for equation in equations(cell)).encode())


PRINTED = {
    "rnn": [f"h_t = tanh({merged('h')})"],
    "lstm": [
        f"i_t = σ({merged('i')})",
        f"f_t = σ({merged('f')})",
        f"g_t = tanh({merged('g')})",
        f"o_t = σ({merged('o')})",
        "c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t",
        "h_t = o_t ⊙ tanh(c_t)",
    ],
    "gru": [
        f"r_t = σ({merged('r')})",
        f"z_t = σ({merged('z')})",
        "n_t = tanh(W_n x_t + b_n + r_t ⊙ (R_n h_{t-1} + d_n))",
        "h_t = (1 − z_t) ⊙ n_t + z_t ⊙ h_{t-1}",
    ],
    "rnn-no-recurrence": ["h_t = tanh(W_h x_t + b_h)"],
    "rnn-relu": [f"h_t = relu({merged('h')})"],
    "slstm": [
        f"m_t = max({merged('f')} + m_{{t-1}}, {merged('i')})",
        f"i_t = exp({merged('i')} − m_t)",
        f"f_t = exp({merged('f')} + m_{{t-1}} − m_t)",
        f"z_t = tanh({merged('z')})",
        f"o_t = σ({merged('o')})",
        "c_t = f_t ⊙ c_{t-1} + i_t ⊙ z_t",
        "n_t = f_t ⊙ n_{t-1} + i_t",
        "h_t = o_t ⊙ (c_t / n_t)",
    ],
    "gru-reset-before": [
        f"r_t = σ({merged('r')})",
        f"z_t = σ({merged('z')})",
        "n_t = tanh(W_n x_t + R_n (r_t ⊙ h_{t-1}) + b_n)",
        "h_t = (1 − z_t) ⊙ n_t + z_t ⊙ h_{t-1}",
    ],
    "mingru": ["z_t = σ(W_z x_t + b_z)", "n_t = W_n x_t + b_n", "h_t = (1 − z_t) ⊙ h_{t-1} + z_t ⊙ n_t"],
    "mingru-signed": ["z_t = σ(W_z x_t + b_z)", "n_t = W_n x_t + b_n", "h_t = (1 − 2 z_t) ⊙ h_{t-1} + z_t ⊙ n_t"],
}


@pytest.mark.parametrize("cell", PRINTED)
def test_equations_read_as_they_would_be_written_by_hand(cell: str) -> None:
    assert [equation.text for equation in equations(CELLS[cell])] == PRINTED[cell]


@pytest.mark.parametrize(
    ("made", "text", "typeset"),
    [
        (lambda f, s, v: f.exp(-s.c), "exp(−c_{t-1})", "exp (-c_(t-1))"),
        (lambda f, s, v: 0.5 * s.c, "0.5 c_{t-1}", "0.5 c_(t-1)"),
        (lambda f, s, v: 1 - 2.0 * s.h, "1 − 2 h_{t-1}", "1 - 2 h_(t-1)"),
        (lambda f, s, v: s.h * 2 - 1e-5, "2 h_{t-1} − 0.00001", "2 h_(t-1) - 0.00001"),
        (lambda f, s, v: -(s.h - s.c), "−(h_{t-1} − c_{t-1})", "-(h_(t-1) - c_(t-1))"),
        (lambda f, s, v: s.h * -s.c, "−h_{t-1} ⊙ c_{t-1}", "-h_(t-1) ⊙ c_(t-1)"),
        (lambda f, s, v: 1 / s.c, "1 / c_{t-1}", "frac(1, c_(t-1))"),
        (lambda f, s, v: s.h / s.c / 2, "h_{t-1} / c_{t-1} / 2", "frac(frac(h_(t-1), c_(t-1)), 2)"),
        (lambda f, s, v: (1 + s.h) / (s.h * s.c), "(1 + h_{t-1}) / (h_{t-1} ⊙ c_{t-1})", None),
        (lambda f, s, v: (1 + s.h) / (1 + s.c), "(1 + h_{t-1}) / (1 + c_{t-1})", "frac(1 + h_(t-1), 1 + c_(t-1))"),
        (lambda f, s, v: s.h - s.c / v.scale, "h_{t-1} − c_{t-1} / scale", 'h_(t-1) - frac(c_(t-1), "scale")'),
    ],
)
def test_arithmetic_is_written_without_needless_signs(made: Any, text: str, typeset: str | None) -> None:
    class Made(LSTM):
        vectors = ("scale",)
        step = staticmethod(lambda f, a, s, v: {"h": made(f, s, v)})

    (equation,) = equations(Made)
    assert equation.text == f"h_t = {text}"
    assert typeset is None or equation.typst == f"h_(t) = {typeset}"


def test_names_of_several_letters_are_quoted_for_typst() -> None:
    class Named(LSTM):
        gates = (Gate("mix"),)
        step = staticmethod(lambda f, a, s, v: {"mix": f.relu(a.mix), "h": f.relu(a.mix) * s.c})

    mix, h = equations(Named)
    assert h.text == "h_t = mix_t ⊙ c_{t-1}"
    assert h.typst == 'h_(t) = "mix"_(t) ⊙ c_(t-1)'
    assert mix.typst == '"mix"_(t) = op("relu") (W_("mix") x_(t) + R_("mix") h_(t-1) + b_("mix"))'


def test_a_quantity_that_is_an_old_state_does_not_rename_it() -> None:
    class Delay(LSTM):
        step = staticmethod(lambda f, a, s, v: {"c": s.h, "h": s.h * s.c, "o": s.h * s.c})

    assert [equation.text for equation in equations(Delay)] == ["c_t = h_{t-1}", "h_t = h_{t-1} ⊙ c_{t-1}", "o_t = h_t"]


@pytest.mark.parametrize(
    ("quantity", "use", "printed"),
    [
        (lambda f, a, s, v: v.p, lambda f, a, s, v: v.p * s.h, "k_t ⊙ h_{t-1}"),
        (lambda f, a, s, v: 0 * v.p + 0.5, lambda f, a, s, v: (0 * v.p + 0.5) * s.h, "k_t ⊙ h_{t-1}"),
        (lambda f, a, s, v: 2 * v.p, lambda f, a, s, v: s.h * 2 * v.p, "h_{t-1} ⊙ k_t"),
        (lambda f, a, s, v: 2 * v.p, lambda f, a, s, v: v.p * 2 - f.tanh(v.p * 2), "k_t − tanh(k_t)"),
        (lambda f, a, s, v: s.h + s.c, lambda f, a, s, v: s.c + v.p + s.h, "k_t + p"),
        (lambda f, a, s, v: s.h + s.c, lambda f, a, s, v: f.tanh(s.c + s.h), "tanh(k_t)"),
        (lambda f, a, s, v: f.tanh(s.h * s.c), lambda f, a, s, v: 1 - f.tanh(s.c * s.h), "1 − k_t"),
        (lambda f, a, s, v: s.h * s.c, lambda f, a, s, v: s.h * s.h * s.c * s.c, "k_t ⊙ k_t"),
        (lambda f, a, s, v: s.h * s.c, lambda f, a, s, v: s.h * s.h, "h_{t-1} ⊙ h_{t-1}"),
        (lambda f, a, s, v: 1 - v.p, lambda f, a, s, v: (1 - v.p) * s.h / (1 - v.p), "k_t ⊙ h_{t-1} / k_t"),
    ],
)
def test_what_has_been_named_stands_by_its_name(quantity: Any, use: Any, printed: str) -> None:
    """Constants of a step, sums and products in another order, and parts of longer ones."""

    class Made(LSTM):
        vectors = ("p",)
        step = staticmethod(lambda *read: {"k": quantity(*read), "h": use(*read)})

    assert equations(Made)[1].text == f"h_t = {printed}"


def test_an_exponent_that_is_no_number_is_told_how_to_be_written() -> None:
    class Squared(LSTM):
        step = staticmethod(lambda f, a, s, v: {"h": s.c * s.h**s.c})

    with pytest.raises(ValueError, match=r"an exponent is a number; write f\.exp"):
        equations(Squared)


@pytest.mark.parametrize(
    ("made", "text", "mathml"),
    [
        (lambda f, s: s.h**2, "h_{t-1}^2", "<msup>"),
        (lambda f, s: 2 * s.h**0.5, "2 h_{t-1}^0.5", "<mn>0.5</mn>"),
        (lambda f, s: (s.h + s.c) ** 3, "(h_{t-1} + c_{t-1})^3", "<msup>"),
        (lambda f, s: f.tanh(s.h) ** 2 * s.c, "tanh(h_{t-1})^2 ⊙ c_{t-1}", "<msup>"),
        (lambda f, s: s.c * s.h**-2, "c_{t-1} / h_{t-1}^2", "<mfrac>"),
        (lambda f, s: (s.h**2) ** 0.5, "(h_{t-1}^2)^0.5", "<msup>"),
        (lambda f, s: f.sqrt(s.h) + f.abs(s.c), "sqrt(h_{t-1}) + abs(c_{t-1})", "√"),
        (lambda f, s: f.softplus(s.h) * f.log(s.c), "softplus(h_{t-1}) ⊙ log(c_{t-1})", "softplus"),
    ],
)
def test_powers_and_elementary_functions_are_typeset(made: Any, text: str, mathml: str) -> None:
    class Made(LSTM):
        step = staticmethod(lambda f, a, s, v: {"h": made(f, s)})

    (equation,) = equations(Made)
    assert equation.text == f"h_t = {text}"
    assert mathml in checked_mathml(equation.mathml)
    checked_typst(equation.typst)


def test_a_changed_exponent_is_marked_as_a_whole() -> None:
    class Parent(LSTM):
        step = staticmethod(lambda f, a, s, v: {"h": s.c + s.h**2})

    class Child(Parent):
        parent, change = Parent, "cubed"
        step = staticmethod(lambda f, a, s, v: {"h": s.c + s.h**3})

    assert marked(Child).splitlines()[0] == "h_t = c_{t-1} «+ h_{t-1}^3»"
