"""The drop-in layers give what torch.nn's give: outputs, states, gradients, errors, from the same weights."""

import copy
import io
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence
from torch.testing._internal.common_modules import ModuleErrorEnum, module_db

import ablations.nn
from ablations.errors import UserError
from ablations.models import CELLS
from ablations.models.backends import eager_backend
from ablations.models.cell import Cell, Functions
from ablations.models.gate import Gate
from ablations.models.lstm import LSTM

KINDS = ("LSTM", "GRU", "RNN")
each_kind = pytest.mark.parametrize("kind", KINDS)
OURS: dict[str, Any] = {kind: getattr(ablations.nn, kind) for kind in KINDS}
THEIRS: dict[str, Any] = {kind: getattr(nn, kind) for kind in KINDS}


def pair(kind: str, *args: Any, **options: Any) -> tuple[nn.Module, nn.Module]:
    """Our layer and torch.nn's, with the same weights."""
    ours, theirs = OURS[kind](*args, **options), THEIRS[kind](*args, **options)
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


def tensors(value: Any) -> Iterator[Tensor]:
    """The tensors of inputs and results, whatever form they have; of packed sequences the data."""
    if isinstance(value, PackedSequence):
        yield value.data
    elif isinstance(value, Tensor):
        yield value
    elif value is not None:
        for part in value:
            yield from tensors(part)


def results(layer: nn.Module, inputs: tuple[Any, ...], seed: int = 0) -> list[Tensor]:
    """Outputs, final states, and the gradients of random sums of them by the inputs and by each parameter."""
    leaves = [leaf for leaf in tensors(inputs) if leaf.requires_grad]
    torch.manual_seed(seed)
    made = list(tensors(layer(*inputs)))
    torch.manual_seed(seed)
    total = sum((part * torch.randn(part.shape, dtype=part.dtype)).sum() for part in made)
    gradients = torch.autograd.grad(total, [*leaves, *layer.parameters()])  # type: ignore[arg-type]
    return [part.detach() for part in made] + list(gradients)


def assert_equal(ours: nn.Module, theirs: nn.Module, *inputs: Any) -> None:
    for mine, other in zip(results(ours, inputs), results(theirs, inputs), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-9, atol=1e-9)


def samples(info: Any, training: bool) -> list[Any]:
    return info.module_inputs_func(
        info, "cpu", torch.float64, requires_grad=True, training=training, with_packed_sequence=True
    )


INFOS = {info.module_cls.__name__: info for info in module_db if info.module_cls in THEIRS.values()}


@each_kind
@pytest.mark.parametrize("training", [True, False])
def test_torchs_own_samples_give_the_same_but_for_projections(kind: str, training: bool) -> None:
    """The samples by which PyTorch tests its own layers; of their options only `proj_size` is refused."""
    ran = 0
    for sample in samples(INFOS[kind], training):
        args, options = sample.constructor_input.args, sample.constructor_input.kwargs
        if options.get("proj_size"):
            with pytest.raises(
                UserError, match=r"^proj_size=2 is not available in ablations\.nn; torch\.nn\.LSTM has it$"
            ):
                OURS[kind](*args, **options)
            continue
        ours, theirs = pair(kind, *args, **options, dtype=torch.float64)
        forward = sample.forward_input
        assert_equal(ours.train(training), theirs.train(training), *forward.args, *forward.kwargs.values())
        ran += 1
    assert ran >= 16


@each_kind
def test_what_torch_refuses_is_refused_with_the_same_words(kind: str) -> None:
    info = INFOS[kind]
    for sample in info.module_error_inputs_func(info, "cpu", torch.float32, requires_grad=False, training=True):
        construction, forward = sample.module_error_input.constructor_input, sample.module_error_input.forward_input
        refusal = pytest.raises(sample.error_type, match=sample.error_regex)
        if sample.error_on == ModuleErrorEnum.CONSTRUCTION_ERROR:
            with refusal:
                OURS[kind](*construction.args, **construction.kwargs)
        else:
            layer = OURS[kind](*construction.args, **construction.kwargs)
            with refusal:
                layer(*forward.args, **forward.kwargs)


sizes = st.integers(1, 6)


@given(st.sampled_from(KINDS), sizes, sizes, sizes, sizes, st.integers(1, 3), st.data())
@settings(max_examples=60, deadline=None)
def test_random_layers_and_inputs_give_the_same(
    kind: str, B: int, T: int, inputs: int, H: int, layers: int, data: st.DataObject
) -> None:
    """All options, in training, with dropout: what is random is drawn alike."""
    options = {name: data.draw(st.booleans(), name) for name in ("bias", "batch_first", "bidirectional")}
    if layers > 1:
        options["dropout"] = data.draw(st.sampled_from([0.0, 0.4]))
    if kind == "RNN":
        options["nonlinearity"] = data.draw(st.sampled_from(["tanh", "relu"]))
    form = data.draw(st.sampled_from(["batched", "single", "packed"]))
    ours, theirs = pair(kind, inputs, H, layers, **options, dtype=torch.float64)
    torch.manual_seed(data.draw(sizes))
    shape = {"single": (T, inputs)}.get(form, (B, T, inputs) if options["batch_first"] else (T, B, inputs))
    x: Any = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    if form == "packed":
        lengths = torch.tensor([data.draw(st.integers(1, T)) for _ in range(B)])
        packed = pack_padded_sequence(x.detach(), lengths, options["batch_first"], enforce_sorted=False)
        x = packed._replace(data=packed.data.requires_grad_())
    rows = layers * (1 + options["bidirectional"])
    size = (rows, H) if form == "single" else (rows, B, H)
    state = [torch.randn(size, dtype=torch.float64, requires_grad=True) for _ in range(2 if kind == "LSTM" else 1)]
    initial = data.draw(st.sampled_from([None, tuple(state) if len(state) > 1 else state[0]]))
    assert_equal(ours, theirs, x, initial)


@each_kind
def test_a_seed_starts_both_with_the_same_weights(kind: str) -> None:
    torch.manual_seed(3)
    ours = OURS[kind](3, 5, 2, bidirectional=True)
    torch.manual_seed(3)
    theirs = THEIRS[kind](3, 5, 2, bidirectional=True)
    assert [name for name, _ in ours.named_parameters()] == [name for name, _ in theirs.named_parameters()]
    assert all(map(torch.equal, ours.parameters(), theirs.parameters()))


@each_kind
def test_state_dicts_load_both_ways_and_layers_are_copied_and_pickled(kind: str) -> None:
    ours, theirs = OURS[kind](3, 5, 2, bidirectional=True), THEIRS[kind](3, 5, 2, bidirectional=True)
    ours.load_state_dict(theirs.state_dict(), strict=True)
    theirs.load_state_dict(ours.state_dict(), strict=True)
    stored = io.BytesIO()
    torch.save(ours, stored)
    stored.seek(0)
    x = torch.randn(4, 2, 3)
    for other in (copy.deepcopy(ours), torch.load(stored, weights_only=False)):
        torch.testing.assert_close(other(x), ours(x), rtol=0, atol=0)
    ours.flatten_parameters()


@each_kind
def test_outputs_are_laid_out_in_memory_as_torchs_are(kind: str) -> None:
    """Else `view`, which scripts call on outputs of steps first, would fail."""
    ours, theirs = pair(kind, 3, 5)
    x = torch.randn(4, 2, 3)
    assert ours(x)[0].stride() == theirs(x)[0].stride()
    assert ours(x)[0].view(-1, 5).shape == (8, 5)


@each_kind
def test_packed_results_are_in_the_order_of_the_user(kind: str) -> None:
    ours, theirs = pair(kind, 3, 5, batch_first=True)
    packed = pack_padded_sequence(torch.randn(4, 6, 3), torch.tensor([2, 6, 1, 4]), True, enforce_sorted=False)
    mine, other = ours(packed)[0], theirs(packed)[0]
    assert isinstance(mine, PackedSequence)
    for field in ("batch_sizes", "sorted_indices", "unsorted_indices"):
        assert torch.equal(getattr(mine, field), getattr(other, field))
    torch.testing.assert_close(mine.data, other.data, rtol=1e-5, atol=1e-6)


WRONG: dict[str, Callable[[nn.Module], Any]] = {
    "no dimension": lambda layer: layer(torch.zeros(3)),
    "another input size": lambda layer: layer(torch.zeros(4, 2, 6)),
    "no steps": lambda layer: layer(torch.zeros(0, 2, 3)),
    "double": lambda layer: layer(torch.zeros(4, 2, 3).double()),
    "a state of another batch": lambda layer: layer(torch.zeros(4, 2, 3), _state(layer, 1, 3, 5)),
    "a state of another size": lambda layer: layer(torch.zeros(4, 2, 3), _state(layer, 1, 2, 6)),
    "a state without batch": lambda layer: layer(torch.zeros(4, 2, 3), _state(layer, 1, 5)),
    "a state with batch": lambda layer: layer(torch.zeros(4, 3), _state(layer, 1, 1, 5)),
    "a state of doubles": lambda layer: layer(torch.zeros(4, 2, 3), _state(layer, 1, 2, 5, dtype=torch.float64)),
}


def _state(layer: nn.Module, *shape: int, dtype: torch.dtype = torch.float32) -> Any:
    state = torch.zeros(shape, dtype=dtype)
    return (state, state) if isinstance(layer, nn.LSTM) else state


@each_kind
@pytest.mark.parametrize("wrong", WRONG)
def test_inputs_that_do_not_fit_are_refused_as_torch_refuses_them(kind: str, wrong: str) -> None:
    ours, theirs = pair(kind, 3, 5)
    with pytest.raises((ValueError, RuntimeError)) as expected:
        WRONG[wrong](theirs)
    with pytest.raises((ValueError, RuntimeError)) as refusal:
        WRONG[wrong](ours)
    assert "\n" not in str(refusal.value)
    if wrong != "a state of doubles":  # torch calls it a mismatch of matrices
        assert type(refusal.value) is type(expected.value)


def test_a_state_of_another_number_of_tensors_is_one_clear_line() -> None:
    x, state = torch.zeros(4, 2, 3), torch.zeros(1, 2, 5)
    with pytest.raises(UserError, match=r"hx must be a tuple \(h_0, c_0\), got a tensor"):
        ablations.nn.LSTM(3, 5)(x, state)
    with pytest.raises(UserError, match="hx must be one tensor, got 2 of them"):
        ablations.nn.GRU(3, 5)(x, (state, state))


@each_kind
def test_a_batch_of_none_gives_nothing_and_gradients_of_zero(kind: str) -> None:
    ours, theirs = pair(kind, 3, 5, 2, bidirectional=True, dtype=torch.float64)
    assert_equal(ours, theirs, torch.zeros(4, 0, 3, dtype=torch.float64, requires_grad=True))


@each_kind
def test_layers_on_the_meta_device_have_shapes_and_no_numbers(kind: str) -> None:
    layer = OURS[kind](3, 5, 2, bidirectional=True, device="meta")
    outputs, _ = layer(torch.zeros(4, 2, 3, device="meta"))
    assert (outputs.shape, outputs.is_meta) == ((4, 2, 10), True)
    assert "backend=eager" in repr(layer)
    filled = layer.to_empty(device="cpu")
    filled.reset_parameters()
    assert filled(torch.zeros(4, 2, 3))[0].isfinite().all()


@each_kind
def test_a_long_sequence_is_read_chunk_by_chunk(kind: str) -> None:
    """With the state, and gradients through it, carried from one to the next."""
    layer = OURS[kind](3, 5, 2, dtype=torch.float64)
    x = torch.randn(12, 2, 3, dtype=torch.float64, requires_grad=True)
    state, parts = None, []
    for chunk in x.split(5):
        outputs, state = layer(chunk, state)
        parts.append(outputs)
    whole, end = layer(x)
    torch.testing.assert_close((torch.cat(parts), state), (whole, end), rtol=1e-12, atol=1e-12)
    ours, expected = (
        torch.autograd.grad(y.square().sum(), [x, *layer.parameters()]) for y in (torch.cat(parts), whole)
    )
    torch.testing.assert_close(ours, expected, rtol=1e-10, atol=1e-10)


@each_kind
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_whatever_stands_in_the_padding_reaches_nothing(kind: str, value: float) -> None:
    """The mask of a layer: packed sequences hold no padding at all."""
    cell = {"LSTM": "lstm-full-gate-recurrence", "GRU": "gru-reset-before", "RNN": "rnn"}[kind]
    layer = ablations.models.Recurrent(cell, 3, 5, bidirectional=True, layers=2)
    mask = torch.arange(6) < torch.tensor([[6], [2], [4]])
    clean = torch.randn(3, 6, 3)
    for backend in (nullcontext, eager_backend):
        made = []
        for padding in (0.0, value):
            x = clean.masked_fill(~mask.unsqueeze(-1), padding).requires_grad_()
            with backend():
                outputs = layer(x, mask)
                made.append([outputs, *torch.autograd.grad(outputs[mask].square().sum(), [x, *layer.parameters()])])
        for dirty, expected in zip(made[1], made[0], strict=True):
            assert torch.equal(dirty, expected)
            assert dirty.isfinite().all()


class Decay(Cell):
    """A cell of a user's own, in no registry."""

    name = "decay"
    gates = (Gate("a"),)
    state = ("h", "c", "d")

    @staticmethod
    def step(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Any]:
        c = 0.5 * s.c + f.tanh(a.a)
        return {"c": c, "d": s.d + 1 - c, "h": f.tanh(c - 0.1 * s.d)}


def test_recurrent_takes_a_cell_by_its_class_and_has_a_state_for_each_of_the_cells() -> None:
    layer = ablations.nn.Recurrent(Decay, 3, 5, 2, batch_first=True, bidirectional=True, dtype=torch.float64)
    x = torch.randn(4, 6, 3, dtype=torch.float64)
    outputs, state = layer(x)
    assert [part.shape for part in state] == [(4, 4, 5)] * 3
    _, half = layer(x[:, :3])
    assert layer(x[:, 3:], half)[0].shape == outputs[:, 3:].shape
    with eager_backend():
        torch.testing.assert_close(layer(x), (outputs, state), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("cell", ["gru", "lstm", "rnn"])
def test_recurrent_of_torchs_cells_is_their_layer(cell: str) -> None:
    layer = ablations.nn.Recurrent(CELLS[cell], 3, 5, 2, bidirectional=True, dropout=0.3)
    twin = OURS[cell.upper()](3, 5, 2, bidirectional=True, dropout=0.3)
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.zero_()
        for depth, directions in enumerate(layer.layers):
            for suffix, own in zip(("", "_reverse"), directions.children(), strict=True):
                getattr(twin, f"weight_ih_l{depth}{suffix}").copy_(own.weight)
                getattr(twin, f"weight_hh_l{depth}{suffix}").copy_(own.recurrent_weight)
                getattr(twin, f"bias_ih_l{depth}{suffix}").copy_(own.bias)
                if own.recurrent_bias is not None:
                    getattr(twin, f"bias_hh_l{depth}{suffix}")[-5:].copy_(own.recurrent_bias)
    packed = pack_padded_sequence(torch.randn(6, 4, 3), torch.tensor([2, 6, 1, 4]), enforce_sorted=False)
    torch.manual_seed(0)
    ours = list(tensors(layer(packed)))
    torch.manual_seed(0)
    torch.testing.assert_close(ours, list(tensors(twin(packed))), rtol=1e-5, atol=1e-6)


def test_the_class_of_a_cell_is_its_name() -> None:
    torch.manual_seed(0)
    by_class = ablations.models.Recurrent(LSTM, 3, 4)
    torch.manual_seed(0)
    by_name = ablations.models.Recurrent("lstm", 3, 4)
    x = torch.randn(2, 5, 3)
    assert torch.equal(by_class(x), by_name(x))


@pytest.mark.parametrize("wrong", [nn.LSTM, 3, LSTM.step])
def test_what_is_no_cell_is_one_clear_line(wrong: Any) -> None:
    with pytest.raises(UserError, match="cell must be the name of a cell or a subclass of Cell, got"):
        ablations.nn.Recurrent(wrong, 3, 4)


def test_options_that_cells_do_not_have_are_refused_in_one_line() -> None:
    with pytest.raises(UserError, match="bias=False is not available for cells"):
        ablations.nn.Recurrent("gru", 3, 4, bias=False)
    with pytest.raises(UserError, match=r"dropout must be a probability, got 1\.5"):
        ablations.nn.Recurrent("gru", 3, 4, dropout=1.5)
