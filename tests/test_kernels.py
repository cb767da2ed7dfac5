"""The kernel backend computes what the eager backend does, for every cell, argument and shape."""

import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from builders.elementary_cell import Elementary
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.func import functional_call, vmap

from ablations.models.cell import Cell, Functions
from ablations.models.cells import CELLS
from ablations.models.eager import Weights, unroll
from ablations.models.gate import Gate
from ablations.models.kernels.sequence import compute_compiled
from ablations.models.recurrent import RecurrentLayer

Shape = tuple[int, int, int, int]
Values = list[Tensor | None]


class Everything(Cell):
    """All that the form offers at once: vectors, several states, gates of every kind, constants."""

    name = "everything"
    gates = (Gate("i"), Gate("f"), Gate("n", "apart"), Gate("u", "none"), Gate("q", operand=True))
    state = ("h", "c", "m")
    vectors = ("p", "w")

    @staticmethod
    def operand(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> Any:
        return f.sigmoid(a.f) * s.h + 0.25

    @staticmethod
    def step(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Any]:
        i, forget = f.sigmoid(a.i + v.p * s.c), f.sigmoid(a.f - f.tanh(v.w) * s.c)
        c = forget * s.c + i * f.tanh(a.n.x + forget * a.n.h) - f.relu(a.u) / 4
        m = f.maximum(a.q, s.m)
        return {"i": i, "c": c, "m": m, "h": f.tanh(c) / (1 + f.exp(-m)) + 0.5 * s.h}


def draw(cell: type[Cell], shape: Shape, dtype: torch.dtype, masked: bool) -> tuple[Values, Tensor | None]:
    """x, initial state and weights, and a mask with gaps in it."""
    B, T, inputs, H = shape
    gates, joined = len(cell.gates), len(cell.connected())
    apart, fed = len(cell.gates_with(recurrent="apart")), len(cell.gates_with(feedback=True))
    shapes = [(B, T, inputs), (len(cell.state), B, H), (gates * H, inputs), (joined * H, H), (gates * H,), (apart * H,)]
    shapes += [(len(cell.vectors), H), (fed * H, fed * H)]
    values = [torch.randn(size, dtype=dtype) / (math.sqrt(H) if index > 1 else 1) for index, size in enumerate(shapes)]
    if "n" in cell.state:
        values[1] = values[1].abs() + 0.1  # the normaliser of sLSTM, which is divided by
    mask = torch.rand(B, T) < 0.7 if masked else None
    return [value.requires_grad_() if value.numel() else None for value in values], mask


def run(compute: Any, cell: type[Cell], values: Values, mask: Tensor | None, reverse: bool) -> list[Tensor]:
    """Outputs, final state, and the gradients of both by every argument."""
    x, initial, *weights = values
    assert x is not None
    outputs, final = compute(cell, x, mask, initial, Weights(*weights), reverse)
    weighted = (outputs * torch.linspace(-1, 1, outputs.numel(), dtype=x.dtype).view_as(outputs)).sum() + final.sum()
    given = [value for value in values if value is not None]
    gradients = torch.autograd.grad(weighted, given, allow_unused=True, materialize_grads=True)
    return [outputs.detach(), final.detach(), *gradients]


def compare(cell: type[Cell], shape: Shape, dtype: torch.dtype, masked: bool, reverse: bool) -> None:
    values, mask = draw(cell, shape, dtype, masked)
    tolerance = 1e-5 if dtype == torch.float32 else 1e-11
    ours, expected = (run(path, cell, values, mask, reverse) for path in (compute_compiled, unroll))
    for mine, other in zip(ours, expected, strict=True):
        scale = max(1.0, float(other.abs().max()))
        torch.testing.assert_close(mine / scale, other / scale, rtol=0, atol=tolerance)


@pytest.mark.parametrize("cell", [*CELLS.values(), Everything, Elementary], ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_cell_equals_the_eager_backend_in_outputs_and_all_gradients(cell: type[Cell], dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    for shape in ((3, 5, 2, 4), (1, 1, 1, 1), (17, 20, 3, 19), (1, 9, 40, 33), (64, 3, 16, 32)):
        for masked in (False, True):
            for reverse in (False, True):
                compare(cell, shape, dtype, masked, reverse)


sizes = st.integers(1, 40)


@given(st.sampled_from(["rnn", "lstm", "gru"]), sizes, sizes, sizes, sizes, st.booleans(), st.booleans(), sizes)
@settings(max_examples=60, deadline=None)
def test_random_shapes_equal_the_eager_backend(
    cell: str, B: int, T: int, inputs: int, H: int, masked: bool, reverse: bool, seed: int
) -> None:
    torch.manual_seed(seed)
    compare(CELLS[cell], (B, T, inputs, H), torch.float64, masked, reverse)


@pytest.mark.parametrize("cell", [*CELLS.values(), Everything, Elementary], ids=str)
@pytest.mark.parametrize("reverse", [False, True])
def test_gradients_of_every_argument_are_the_differences_of_outputs(cell: type[Cell], reverse: bool) -> None:
    torch.manual_seed(3)
    values, mask = draw(cell, (2, 3, 2, 2), torch.float64, masked=True)

    def outputs(x: Tensor, initial: Tensor, *weights: Any) -> tuple[Tensor, Tensor]:
        return compute_compiled(cell, x, mask, initial, Weights(*weights), reverse)

    assert torch.autograd.gradcheck(outputs, values)


@pytest.mark.parametrize("name", ["rnn-relu", "lstm-peepholes", "gru-reset-before", "lstm-full-gate-recurrence"])
def test_a_run_in_a_cohort_is_the_run_alone_to_the_last_bit(name: str) -> None:
    layers = [RecurrentLayer(name, 5, 7) for _ in range(3)]
    x, mask = torch.randn(3, 4, 6, 5), torch.rand(3, 4, 6) < 0.8
    stacked = {
        key: torch.stack([layer.get_parameter(key) for layer in layers]) for key, _ in layers[0].named_parameters()
    }
    leaves = {key: value.detach().requires_grad_() for key, value in stacked.items()}
    outputs, final = vmap(lambda p, x, mask: functional_call(layers[0], p, (x, mask)))(leaves, x, mask)
    (outputs.sum() + final.sum()).backward()
    for index, layer in enumerate(layers):
        alone, end = layer(x[index], mask[index])
        (alone.sum() + end.sum()).backward()
        assert torch.equal(outputs[index], alone)
        assert torch.equal(final[index], end)
        for key, parameter in layer.named_parameters():
            assert torch.equal(leaves[key].grad[index], parameter.grad)  # type: ignore[index]


class Quotient(Cell):
    """Divides by a state, which is zero where the kernel pads the sequences of a batch."""

    name = "quotient"
    gates = (Gate("i", operand=True), Gate("f"))
    state = ("h", "c")
    vectors = ("p",)

    @staticmethod
    def operand(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> Any:
        return f.tanh(a.f) / s.h

    @staticmethod
    def step(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Any]:
        return {"c": s.c + f.relu(a.f), "h": 1 + f.sigmoid(v.p * a.i) / s.c}


@pytest.mark.parametrize("B", [1, 3, 17])
@pytest.mark.parametrize("masked", [False, True])
def test_what_is_not_a_number_in_padded_columns_reaches_no_gradient(B: int, masked: bool) -> None:
    values, mask = draw(Quotient, (B, 4, 2, 3), torch.float64, masked)
    assert values[1] is not None
    values[1] = (values[1].detach().abs() + 0.5).requires_grad_()
    ours, expected = (run(path, Quotient, values, mask, False) for path in (compute_compiled, unroll))
    for mine, other in zip(ours, expected, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-9, atol=1e-9)


def test_data_that_all_runs_share_is_given_once() -> None:
    layer, x = RecurrentLayer("gru", 3, 4), torch.randn(2, 5, 3)
    stacked = {key: torch.stack([value, 2 * value]) for key, value in layer.named_parameters()}
    outputs, _ = vmap(lambda p: functional_call(layer, p, (x,)))(stacked)
    torch.testing.assert_close(outputs[0], layer(x)[0])


def test_a_graph_can_be_walked_twice_while_others_come_and_go() -> None:
    layer, x = RecurrentLayer("lstm", 3, 40), torch.randn(8, 30, 3)
    outputs, _ = layer(x)
    first = torch.autograd.grad(outputs.sum(), layer.weight, retain_graph=True)[0]
    for _ in range(3):
        layer(torch.randn(8, 30, 3))[0].sum().backward()
    assert torch.equal(torch.autograd.grad(outputs.sum(), layer.weight)[0], first)


def test_what_is_not_a_number_stays_so() -> None:
    for cell in ("rnn", "rnn-relu", "lstm", "gru", "slstm"):
        layer, x = RecurrentLayer(cell, 2, 3), torch.zeros(2, 4, 2)
        x[0, 2, 1] = float("nan")
        outputs, _ = layer(x)
        assert bool(outputs[0, 2:].isnan().all())
        assert not bool(outputs[1].isnan().any())
        assert not bool(outputs[0, :2].isnan().any())


@pytest.mark.parametrize("cell", [CELLS["gru"], CELLS["lstm-peepholes"], Everything], ids=str)
def test_second_derivatives_are_the_differences_of_the_first(cell: type[Cell]) -> None:
    torch.manual_seed(1)
    values, mask = draw(cell, (1, 3, 2, 2), torch.float64, masked=True)

    def outputs(x: Tensor, initial: Tensor, *weights: Any) -> tuple[Tensor, Tensor]:
        return compute_compiled(cell, x, mask, initial, Weights(*weights), reverse=False)

    assert torch.autograd.gradgradcheck(outputs, values)


def test_a_penalty_on_the_gradient_reaches_the_weights() -> None:
    layer, x = RecurrentLayer("rnn", 2, 3), torch.randn(1, 4, 2, requires_grad=True)
    (gradient,) = torch.autograd.grad(layer(x)[0].sum(), x, create_graph=True)
    gradient.square().sum().backward()
    assert bool(layer.recurrent_weight.grad.any())  # type: ignore[union-attr]


def test_functional_gradients_are_those_of_autograd() -> None:
    layer, x = RecurrentLayer("lstm", 2, 3), torch.randn(2, 4, 2)
    weights = {name: value.detach() for name, value in layer.named_parameters()}
    found = torch.func.grad(lambda p: functional_call(layer, p, (x,))[0].sum())(weights)
    layer(x)[0].sum().backward()
    for name, parameter in layer.named_parameters():
        torch.testing.assert_close(found[name], parameter.grad)


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
def test_a_layer_equals_torchs_in_single_precision(name: str) -> None:
    torch.manual_seed(0)
    theirs = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[name](16, 64, batch_first=True)
    layer, x = RecurrentLayer(name, 16, 64), torch.randn(32, 50, 16)
    apart = torch.tensor([gate.recurrent == "apart" for gate in layer.cell.gates]).repeat_interleave(64)
    with torch.no_grad():
        layer.weight.copy_(theirs.weight_ih_l0)
        layer.recurrent_weight.copy_(theirs.weight_hh_l0)
        layer.bias.copy_(theirs.bias_ih_l0 + torch.where(apart, 0, theirs.bias_hh_l0))
        if layer.recurrent_bias is not None:
            layer.recurrent_bias.copy_(theirs.bias_hh_l0[apart])
    layer(x)[0].mean().backward()
    theirs(x)[0].mean().backward()
    torch.testing.assert_close(layer.weight.grad, theirs.weight_ih_l0.grad, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(layer.recurrent_weight.grad, theirs.weight_hh_l0.grad, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("x", "mask", "initial", "message"),
    [
        ((2, 4, 5), None, None, r"x must have the shape \(B, T, 3\), got \(2, 4, 5\)"),
        ((4, 3), None, None, r"x must have the shape \(B, T, 3\), got \(4, 3\)"),
        ((2, 0, 3), None, None, r"x must have at least one step, got the shape \(2, 0, 3\)"),
        ((2, 4, 3), (2, 5), None, r"mask must be bool of shape \(2, 4\), got torch.bool \(2, 5\)"),
        ((2, 4, 3), None, (2, 2, 9), r"initial must be torch.float32 of shape \(2, 2, 4\)"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(x: Any, mask: Any, initial: Any, message: str) -> None:
    given_mask = None if mask is None else torch.ones(mask, dtype=torch.bool)
    with pytest.raises(ValueError, match=message):
        RecurrentLayer("lstm", 3, 4)(torch.zeros(x), given_mask, None if initial is None else torch.zeros(initial))


def test_numbers_of_another_kind_are_refused() -> None:
    with pytest.raises(ValueError, match=r"x must be torch.float32 as the weights are, got torch.float64"):
        RecurrentLayer("lstm", 3, 4)(torch.zeros(1, 2, 3, dtype=torch.float64))
