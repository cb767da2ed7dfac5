"""A cell takes the kernel backend where there can be one, and the eager backend everywhere else."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from ablations.models.backends import backend_of, eager_backend
from ablations.models.cell import Cell, Functions
from ablations.models.cells import CELLS
from ablations.models.gate import Gate
from ablations.models.kernels.source import source
from ablations.models.lstm import LSTM
from ablations.models.recurrent import Recurrent


class Cosine(Cell):
    """A cell with a function that equations are not made of."""

    name = "cosine"
    gates = (Gate("h"),)

    @staticmethod
    def step(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Any]:
        return {"h": torch.cos(a.h)}


def test_the_eager_backend_is_for_what_cannot_be_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CELLS, "cosine", Cosine)
    assert backend_of(Cosine) == "eager"
    assert Recurrent("cosine", 2, 3)(torch.randn(1, 4, 2)).shape == (1, 4, 3)
    assert backend_of(CELLS["lstm"]) == "kernel"
    assert backend_of(CELLS["lstm"], device="cuda") == "eager"
    assert backend_of(CELLS["lstm"], dtype=torch.bfloat16) == "eager"
    with eager_backend():
        assert backend_of(CELLS["lstm"]) == "eager"
    layer = Recurrent("gru", 2, 3).bfloat16()
    assert layer(torch.randn(1, 4, 2, dtype=torch.bfloat16)).dtype == torch.bfloat16


class Constants(LSTM):
    """Quantities that are numbers, or functions of numbers: a kernel has no lanes of them."""

    name = "constants"
    gates = (Gate("i"),)

    @staticmethod
    def step(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Any]:
        minus = 0 * a.i - 1
        return {"minus": minus, "c": s.c + a.i, "h": minus * f.tanh(a.i) / (2 + f.exp(s.c))}


class FunctionOfConstant(Constants):
    name = "function-of-constant"

    @staticmethod
    def step(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Any]:
        return {"c": s.c + a.i, "h": f.sigmoid(0 * a.i + 1) * a.i + f.tanh(s.c)}


@pytest.mark.parametrize(("cell", "backend"), [(Constants, "kernel"), (FunctionOfConstant, "eager")])
def test_constants_in_a_step_are_computed_by_either_backend(
    cell: type[Cell], backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CELLS, cell.name, cell)
    assert backend_of(cell) == backend
    layer, x = Recurrent(cell.name, 2, 3), torch.randn(2, 4, 2)
    outputs = layer(x)
    outputs.sum().backward()
    with eager_backend():
        torch.testing.assert_close(outputs, layer(x), rtol=1e-5, atol=1e-6)


class Odd(LSTM):
    """An operand that is made of more than h and gates, for which there is no kernel."""

    name = "odd"
    gates = (Gate("i"), Gate("f"), Gate("g", operand=True), Gate("o"))

    @staticmethod
    def operand(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> Any:
        return f.sigmoid(a.f) * s.c


def test_no_gradient_is_lost_where_a_kernel_has_no_place_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CELLS, "odd", Odd)
    with pytest.raises(ValueError, match="an operand is made of h and of gates, got old_c"):
        source(Odd)
    assert backend_of(Odd) == "eager"
    Recurrent("odd", 2, 3)(torch.randn(1, 4, 2)).sum().backward()
