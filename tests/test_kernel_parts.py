"""What kernels are made of: functions on lanes, products, transposes, each against NumPy or SciPy."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from ablations.models.cell import SymbolicFunctions
from ablations.models.cells import CELLS
from ablations.models.gru import GRUResetBefore
from ablations.models.kernels import functions
from ablations.models.kernels.derivation import derive
from ablations.models.kernels.lanes import LANES, compiled, load, padded, store
from ablations.models.kernels.matrices import add_rows, clear_inactive, copy, copy_padded, fetch_rows, transpose
from ablations.models.kernels.products import add_product, multiply
from ablations.models.kernels.source import source, tape_entries

numbers = st.integers(1, 40)


def evaluated(name: str, values: np.ndarray) -> np.ndarray:
    """A function of lanes at many places."""
    function = getattr(functions, name)

    @compiled
    def run(x: Any, y: Any) -> None:
        for column in range(0, x.shape[1], LANES):
            store(function(load(x, 0, column)), y, 0, column)

    x = np.zeros((1, padded(len(values))), values.dtype)
    x[0, : len(values)] = values
    y = np.empty_like(x)
    run(x, y)
    return y[0, : len(values)]


@pytest.mark.parametrize(("name", "oracle"), [("exp", np.exp), ("sigmoid", expit), ("tanh", np.tanh)])
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 4e-7), (np.float64, 1e-15)])
def test_functions_are_scipys(name: str, oracle: Any, dtype: Any, tolerance: float) -> None:
    x = np.concatenate([np.linspace(-30, 30, 20001), np.linspace(-0.01, 0.01, 2001)]).astype(dtype)
    expected = oracle(x.astype(np.float64))
    scale = expected if name == "exp" else 1.0
    assert np.max(np.abs(evaluated(name, x) - expected) / scale) < tolerance


def test_a_small_tanh_is_as_exact_as_a_large_one() -> None:
    x = np.geomspace(1e-6, 1, 1000).astype(np.float32)
    assert np.max(np.abs(evaluated("tanh", x) / np.tanh(x.astype(np.float64)) - 1)) < 5e-7


@pytest.mark.parametrize("name", ["exp", "sigmoid", "tanh", "relu"])
def test_functions_have_their_limits_and_keep_what_is_not_a_number(name: str) -> None:
    ends = evaluated(name, np.array([-np.inf, np.inf, np.nan], dtype=np.float32))
    expected = {"exp": (0, np.inf), "sigmoid": (0, 1), "tanh": (-1, 1), "relu": (0, np.inf)}[name]
    np.testing.assert_allclose(ends[:2], expected, atol=2e-7)
    assert np.isnan(ends[2])


def strided(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """A matrix in a wider one, so that its rows lie apart."""
    return rng.standard_normal((rows, columns + 3)).astype(np.float32)[:, :columns]


@given(numbers, numbers, st.integers(1, 4), st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_products_are_numpys_and_touch_nothing_else(rows: int, inner: int, vectors: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = strided(rng, rows, inner), strided(rng, inner, vectors * LANES)
    whole = np.full((rows + 1, vectors * LANES + 3), 7, dtype=np.float32)
    c, before = whole[:rows, :-3], (a.copy(), b.copy())
    multiply(c, a, b)
    np.testing.assert_allclose(c, a @ b, atol=1e-4)
    add_product(c, np.ascontiguousarray(a.T).T, b)
    np.testing.assert_allclose(c, 2 * (a @ b), atol=1e-4)
    assert (whole[rows] == 7).all()
    assert (whole[:, -3:] == 7).all()
    assert all(np.array_equal(*pair) for pair in zip(before, (a, b), strict=True))


@given(numbers, numbers, st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_transposes_and_copies_touch_nothing_else(rows: int, columns: int, seed: int) -> None:
    matrix = strided(np.random.default_rng(seed), rows, columns)
    to = np.full((columns + 1, rows + 2), 7, dtype=np.float32)
    transpose(to, matrix)
    assert np.array_equal(to[:columns, :rows], matrix.T)
    assert (to[columns:] == 7).all()
    assert (to[:, rows:] == 7).all()
    to = np.full((rows + 1, columns + 2), 7, dtype=np.float32)
    copy(to, matrix)
    assert np.array_equal(to[:rows, :columns], matrix)
    assert (to[rows:] == 7).all()
    assert (to[:, columns:] == 7).all()


@given(numbers, numbers, st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_padded_copies_end_in_zeros_and_touch_nothing_else(rows: int, columns: int, seed: int) -> None:
    matrix = strided(np.random.default_rng(seed), rows, columns)
    to = np.full((rows + 1, padded(columns) + 2), 7, dtype=np.float32)
    copy_padded(to, matrix)
    assert np.array_equal(to[:rows, :columns], matrix)
    assert (to[:rows, columns : padded(columns)] == 0).all()
    assert (to[rows:] == 7).all()
    assert (to[:, padded(columns) :] == 7).all()


def test_memory_may_be_asked_for_that_does_not_exist() -> None:
    """The step after the last one has no tape."""
    small = np.zeros((2, 2), dtype=np.float32)
    fetch_rows(np.lib.stride_tricks.as_strided(small, (64, 64), (1 << 30, 4)))


def test_rows_are_summed_onto_what_is_there() -> None:
    matrix = np.random.default_rng(0).standard_normal((5, 3 * LANES)).astype(np.float32)
    sums = np.ones(9, dtype=np.float32)
    add_rows(sums, 2, matrix)
    np.testing.assert_allclose(sums, 1 + np.pad(matrix.sum(1), (2, 2)), rtol=1e-4)


@pytest.mark.parametrize("sequences", [1, LANES - 1, LANES, LANES + 1])
def test_inactive_columns_are_cleared_whatever_stands_there(sequences: int) -> None:
    whole = np.full((4, padded(sequences) + 3), np.nan, dtype=np.float32)
    whole[:, :sequences] = 7
    active = np.zeros((1, padded(sequences)), dtype=np.float32)
    active[0, :sequences] = 1
    clear_inactive(whole[:3, : padded(sequences)], padded(sequences) - LANES, active)
    assert (whole[:, :sequences] == 7).all()
    assert (whole[:3, sequences : padded(sequences)] == 0).all()
    assert np.isnan(whole[3, sequences:]).all()
    assert np.isnan(whole[:, padded(sequences) :]).all()


def test_columns_are_cleared_from_the_first_that_is_named() -> None:
    for first in (0, LANES):
        matrix, active = np.full((2, 3 * LANES), np.nan, dtype=np.float32), np.zeros((1, 3 * LANES), dtype=np.float32)
        clear_inactive(matrix, first, active)
        assert (matrix[:, first:] == 0).all()
        assert np.isnan(matrix[:, :first]).all()


def test_adjoints_are_sympys_own_derivatives() -> None:
    """The assignments and their adjoints, put together again, against the derivative of the whole expression."""
    a, b, c = sympy.symbols("a b c")
    f = SymbolicFunctions
    inner = f.sigmoid(a * b)
    whole = f.tanh(inner * c + f.exp(-b)) / (1 + inner)
    found = derive({"g": inner, "h": whole}, ["h"], "t")
    values = {a: 0.3, b: -0.7, c: 1.9, sympy.Symbol("d_h"): 1.0}
    known = {"sigmoid": lambda x: 1 / (1 + sympy.exp(-x)), "tanh": sympy.tanh, "exp": sympy.exp}

    def number(expr: sympy.Expr) -> float:
        for name, function in known.items():
            expr = expr.replace(getattr(f, name), function)
        return float(expr.subs(values))

    for target, expr in (*found.forward, *found.backward):
        values[target] = number(expr)
    plain = whole
    for name, function in known.items():
        plain = plain.replace(getattr(f, name), function)
    for symbol in (a, b, c):
        expected = float(plain.diff(symbol).subs({a: 0.3, b: -0.7, c: 1.9}))
        assert number(found.adjoints[symbol.name]) == pytest.approx(expected, rel=1e-9)


def test_a_function_of_the_operand_and_the_step_is_computed_and_kept_once() -> None:
    forward = source(CELLS["mgu"]).partition("def backward(")[0]
    assert forward.count("= sigmoid(") == 1
    assert tape_entries(CELLS["mgu"]) == ("new_f", "new_n", "old_h")


OPERANDS: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {
    "a product of what is kept anyway": (lambda f, a, s: f.sigmoid(a.r) * s.h, ("u1",)),
    "a function": (lambda f, a, s: f.tanh(a.r * s.h), ("a_r", "u_operand")),
    "a sum of what nothing else reads": (lambda f, a, s: a.r + s.h, ("u_operand",)),
}


@pytest.mark.parametrize("kind", OPERANDS)
def test_an_operand_is_kept_where_it_cannot_be_made_again_without_a_function(kind: str) -> None:
    function, beside = OPERANDS[kind]
    operand = staticmethod(lambda f, a, s, v: function(f, a, s))
    cell = type("Other", (GRUResetBefore,), {"name": "other", "operand": operand})
    assert tape_entries(cell) == ("new_n", "new_z", "old_h", *beside)
