"""Cells equal torch.nn's layers, in outputs and in all gradients."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ablations.errors import UserError
from ablations.models.cell import Cell, Functions
from ablations.models.cells import CELLS
from ablations.models.gate import Gate
from ablations.models.recurrent import Recurrent, RecurrentLayer

TORCH = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
each_cell = pytest.mark.parametrize("cell", TORCH)


def directions(layer: Recurrent) -> list[tuple[str, list[RecurrentLayer]]]:
    """The suffix by which torch.nn calls a direction, and its layers."""
    by_direction = zip(*layer.layers, strict=True)
    return [(suffix, list(ours)) for suffix, ours in zip(("", "_reverse"), by_direction, strict=False)]


def twin(layer: Recurrent, cell: str, inputs: int, hidden: int, both: bool, layers: int) -> nn.Module:
    """torch.nn's layer with the weights of ours; where it has two biases and ours one, the second is zero."""
    theirs = TORCH[cell](inputs, hidden, num_layers=layers, bidirectional=both, batch_first=True)
    with torch.no_grad():
        for depth in range(layers):
            for suffix, ours in directions(layer):
                own, end = ours[depth], f"_l{depth}{suffix}"
                getattr(theirs, "weight_ih" + end).copy_(own.weight)
                getattr(theirs, "weight_hh" + end).copy_(own.recurrent_weight)
                getattr(theirs, "bias_ih" + end).copy_(own.bias)
                getattr(theirs, "bias_hh" + end).zero_()
                if own.recurrent_bias is not None:
                    getattr(theirs, "bias_hh" + end)[-hidden:].copy_(own.recurrent_bias)
    return theirs


def gradients(layer: Recurrent, theirs: nn.Module, hidden: int) -> list[tuple[Tensor, Tensor]]:
    pairs = []
    for suffix, ours in directions(layer):
        for depth, own in enumerate(ours):
            end = f"_l{depth}{suffix}"
            pairs += [(own.weight.grad, getattr(theirs, "weight_ih" + end).grad)]
            pairs += [(own.recurrent_weight.grad, getattr(theirs, "weight_hh" + end).grad)]
            pairs += [(own.bias.grad, getattr(theirs, "bias_ih" + end).grad)]
            if own.recurrent_bias is not None:
                pairs += [(own.recurrent_bias.grad, getattr(theirs, "bias_hh" + end).grad[-hidden:])]
    return pairs


@each_cell
@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize(("B", "T", "H", "layers"), [(3, 7, 5, 1), (3, 7, 5, 3), (1, 1, 1, 1), (2, 4, 1, 2)])
def test_layers_equal_torch_in_outputs_and_gradients(
    cell: str, both: bool, B: int, T: int, H: int, layers: int
) -> None:
    torch.manual_seed(0)
    layer = Recurrent(cell, 4, H, bidirectional=both, layers=layers)
    theirs = twin(layer, cell, 4, H, both, layers)
    x, weights = torch.randn(B, T, 4), torch.randn(B, T, H * (1 + both))
    own_x, their_x = x.clone().requires_grad_(), x.clone().requires_grad_()
    ours, expected = layer(own_x), theirs(their_x)[0]
    torch.testing.assert_close(ours, expected, rtol=1e-5, atol=1e-5)
    (ours * weights).sum().backward()
    (expected * weights).sum().backward()
    for own, other in [(own_x.grad, their_x.grad), *gradients(layer, theirs, H)]:
        torch.testing.assert_close(own, other, rtol=1e-5, atol=1e-5)


@each_cell
@pytest.mark.parametrize("both", [False, True])
def test_padded_batches_equal_packed_ones(cell: str, both: bool) -> None:
    torch.manual_seed(0)
    lengths = torch.tensor([6, 2, 4, 1])
    mask = torch.arange(6) < lengths[:, None]
    layer = Recurrent(cell, 3, 5, bidirectional=both, layers=2)
    theirs = twin(layer, cell, 3, 5, both, 2)
    x = torch.randn(4, 6, 3)
    packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    expected, _ = nn.utils.rnn.pad_packed_sequence(theirs(packed)[0], batch_first=True)
    torch.testing.assert_close(layer(x, mask)[mask], expected[mask], rtol=1e-5, atol=1e-5)


@each_cell
def test_a_sequence_can_be_read_in_two_parts(cell: str) -> None:
    layer, x = RecurrentLayer(cell, 3, 5), torch.randn(2, 9, 3)
    whole, end = layer(x)
    first, middle = layer(x[:, :4])
    second, last = layer(x[:, 4:], initial=middle)
    torch.testing.assert_close(torch.cat([first, second], 1), whole)
    torch.testing.assert_close(last, end)


def test_the_forget_gate_starts_open() -> None:
    bias = RecurrentLayer("lstm", 3, 100).bias.detach().chunk(4)
    assert [round(float(part.mean())) for part in bias] == [0, 1, 0, 0]


def test_an_unknown_cell_is_named_with_a_near_one() -> None:
    with pytest.raises(ValueError, match="did you mean 'lstm'"):
        Recurrent("ltsm", 3, 4)


class Peephole(Cell):
    """Per-unit vectors, several states, a gate whose recurrent part stands apart, a maximum."""

    name = "peephole"
    gates = (Gate("i"), Gate("f"), Gate("n", "apart"))
    state = ("h", "c", "m")
    vectors = ("p", "q")

    @staticmethod
    def step(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Any]:
        i, forget = f.sigmoid(a.i + v.p * s.c), f.sigmoid(a.f + v.q * s.c)
        c = forget * s.c + i * f.tanh(a.n.x + forget * a.n.h)
        m = f.maximum(a.i, s.m)
        return {"i": i, "c": c, "m": m, "h": f.tanh(c) / (1 + f.exp(-m))}


def test_the_form_takes_vectors_states_and_parts_that_stand_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CELLS, "peephole", Peephole)
    layer = RecurrentLayer("peephole", 2, 3).double()
    x = torch.randn(2, 4, 2, dtype=torch.float64, requires_grad=True)
    names, values = zip(*layer.named_parameters(), strict=True)

    def outputs(x: Tensor, *parameters: Tensor) -> Tensor:
        return torch.func.functional_call(layer, dict(zip(names, parameters, strict=True)), (x,))[0]

    assert torch.autograd.gradcheck(outputs, (x, *values))


@each_cell
@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_two_biases_of_torch_are_one_and_padded_gradients_equal_packed_ones(cell: str, both: bool, layers: int) -> None:
    """From torch.nn's weights to ours: b_ih + b_hh is the bias, but for gates whose recurrent part stands apart."""
    theirs = TORCH[cell](3, 5, num_layers=layers, bidirectional=both, batch_first=True)
    layer = Recurrent(cell, 3, 5, bidirectional=both, layers=layers)
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    pairs = [
        (own, *(getattr(theirs, f"{name}_l{depth}{suffix}") for name in names))
        for suffix, ours in directions(layer)
        for depth, own in enumerate(ours)
    ]
    apart = torch.tensor([gate.recurrent == "apart" for gate in CELLS[cell].gates]).repeat_interleave(5)
    with torch.no_grad():
        for own, w, r, b, d in pairs:
            own.weight.copy_(w)
            own.recurrent_weight.copy_(r)
            own.bias.copy_(torch.where(apart, b, b + d))
            if own.recurrent_bias is not None:
                own.recurrent_bias.copy_(d[apart])
    lengths = torch.tensor([6, 2, 4, 1])
    mask = torch.arange(6) < lengths[:, None]
    x, weights = torch.randn(4, 6, 3), torch.randn(4, 6, layer.output_size)
    own_x, their_x = x.clone().requires_grad_(), x.clone().requires_grad_()
    packed = nn.utils.rnn.pack_padded_sequence(their_x, lengths, batch_first=True, enforce_sorted=False)
    expected, _ = nn.utils.rnn.pad_packed_sequence(theirs(packed)[0], batch_first=True)
    (expected * weights)[mask].sum().backward()
    (layer(own_x, mask) * weights)[mask].sum().backward()
    gradients = [(own_x.grad, their_x.grad)]
    for own, w, r, b, d in pairs:
        gradients += [(own.weight.grad, w.grad), (own.recurrent_weight.grad, r.grad), (own.bias.grad, b.grad)]
        gradients += [(own.bias.grad[~apart], d.grad[~apart])]
        gradients += [(own.recurrent_bias.grad, d.grad[apart])] if apart.any() else []
    for mine, other in gradients:
        torch.testing.assert_close(mine, other, rtol=1e-5, atol=1e-5)


@each_cell
@pytest.mark.parametrize("lengths", [None, [7, 3, 1]])
def test_initial_and_final_states_are_torchs(cell: str, lengths: list[int] | None) -> None:
    layer = Recurrent(cell, 3, 5)
    theirs = twin(layer, cell, 3, 5, both=False, layers=1)
    x, initial = torch.randn(3, 7, 3), torch.randn(len(CELLS[cell].state), 3, 5)
    mask = None if lengths is None else torch.arange(7) < torch.tensor(lengths)[:, None]
    given = x if lengths is None else nn.utils.rnn.pack_padded_sequence(x, torch.tensor(lengths), batch_first=True)
    states = [value[None] for value in initial]
    _, expected = theirs(given, tuple(states) if len(states) > 1 else states[0])
    _, final = layer.layers[0][0](x, mask, initial)
    for own, other in zip(final, expected if isinstance(expected, tuple) else [expected], strict=True):
        torch.testing.assert_close(own, other[0], rtol=1e-5, atol=1e-5)


@each_cell
@pytest.mark.parametrize("both", [False, True])
def test_the_layer_tells_what_each_direction_holds_in_the_end(cell: str, both: bool) -> None:
    layer = Recurrent(cell, 3, 5, bidirectional=both, layers=2)
    theirs = twin(layer, cell, 3, 5, both, layers=2)
    lengths = torch.tensor([6, 4, 1])
    x = torch.randn(3, 6, 3)
    final = theirs(nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True))[1]
    h = final[0] if isinstance(final, tuple) else final
    expected = torch.cat([h[-2], h[-1]], dim=-1) if both else h[-1]
    mask = torch.arange(6) < lengths[:, None]
    torch.testing.assert_close(layer.forward_with_state(x, mask)[1], expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("both", [False, True])
def test_a_cell_of_every_kind_of_part_runs_in_stacks_and_on_padding(
    monkeypatch: pytest.MonkeyPatch, both: bool
) -> None:
    monkeypatch.setitem(CELLS, "peephole", Peephole)
    layer = Recurrent("peephole", 2, 2, bidirectional=both, layers=2).double()
    mask = torch.tensor([[True, True, True], [True, False, False]])
    x = torch.randn(2, 3, 2, dtype=torch.float64, requires_grad=True)
    names, values = zip(*layer.named_parameters(), strict=True)

    def outputs(x: Tensor, *parameters: Tensor) -> Tensor:
        return torch.func.functional_call(layer, dict(zip(names, parameters, strict=True)), (x, mask))[mask]

    assert torch.autograd.gradcheck(outputs, (x, *values))
    torch.testing.assert_close(layer(x, mask)[1, :1], layer(x[1:, :1])[0])


def test_gates_vectors_and_biases_are_wired_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same layer written out by hand, with every block of weights cut out by its name."""
    monkeypatch.setitem(CELLS, "peephole", Peephole)
    layer, x = RecurrentLayer("peephole", 2, 3).double(), torch.randn(1, 4, 2, dtype=torch.float64)
    W, R, b = (
        dict(zip("ifn", part.split(3), strict=True)) for part in (layer.weight, layer.recurrent_weight, layer.bias)
    )
    d, (p, q) = layer.recurrent_bias, layer.vectors
    h = c = m = torch.zeros(3, dtype=torch.float64)
    for t in range(4):
        a = {gate: W[gate] @ x[0, t] + b[gate] + R[gate] @ h for gate in "if"}
        i, forget = torch.sigmoid(a["i"] + p * c), torch.sigmoid(a["f"] + q * c)
        c = forget * c + i * torch.tanh(W["n"] @ x[0, t] + b["n"] + forget * (R["n"] @ h + d))
        m = torch.maximum(a["i"], m)
        h = torch.tanh(c) * torch.sigmoid(m)
    _, final = layer(x)
    torch.testing.assert_close(final[:, 0], torch.stack([h, c, m]))


def test_sizes_may_be_numpys_integers() -> None:
    layer = Recurrent("lstm", np.int64(3), np.int64(4), layers=np.int64(2))  # type: ignore[arg-type]
    assert layer(torch.zeros(1, 2, 3)).shape == (1, 2, 4)
    assert type(layer.output_size) is int


@pytest.mark.parametrize("sizes", [(0, 4, 1), (3, 0, 1), (3, 4, 0), (3, 4.0, 1), ("3", 4, 1), (3, True, 1)])
def test_a_size_that_is_none_is_one_clear_line(sizes: Any) -> None:
    with pytest.raises(UserError, match=r"(input_size|hidden_size|layers) must be an integer of at least 1, got "):
        Recurrent("lstm", *sizes[:2], layers=sizes[2])
