"""Every cell keeps the form's contract, and its step is its textbook equations."""

import re
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ablations.models import CELLS, Cell
from ablations.models.cell import TorchFunctions
from ablations.models.cell_check import check_cell
from ablations.models.recurrent import RecurrentLayer

STEPS = {"rnn": nn.RNNCell, "lstm": nn.LSTMCell, "gru": nn.GRUCell}
each_cell = pytest.mark.parametrize("cell", CELLS.values())


def leaves(cell: type[Cell], *shape: int) -> dict[str, Tensor]:
    """Random values for all that a step reads, named as a:gate, a:gate:x, s:state, v:vector."""
    gates = [f"a:{gate}{part}" for gate in cell.gates for part in ((":x", ":h") if gate in cell.split else ("",))]
    names = [*gates, *(f"s:{name}" for name in cell.state), *(f"v:{name}" for name in cell.vectors)]
    return {name: torch.randn(shape, dtype=torch.float64, requires_grad=True) for name in names}


def step(cell: type[Cell], values: dict[str, Tensor]) -> dict[str, Tensor]:
    """The cell's step at values named as above."""

    def gate(name: str) -> Any:
        if name not in cell.split:
            return values[f"a:{name}"]
        return SimpleNamespace(x=values[f"a:{name}:x"], h=values[f"a:{name}:h"])

    return cell.step(
        TorchFunctions,
        SimpleNamespace(**{name: gate(name) for name in cell.gates}),
        SimpleNamespace(**{name: values[f"s:{name}"] for name in cell.state}),
        SimpleNamespace(**{name: values[f"v:{name}"] for name in cell.vectors}),
    )


def test_cells_are_registered_by_their_names() -> None:
    assert all(cell.name == name for name, cell in CELLS.items())
    assert {"rnn", "lstm", "gru"} <= CELLS.keys()


@each_cell
def test_a_cell_names_only_what_it_has(cell: type[Cell]) -> None:
    assert set(cell.split) <= set(cell.gates)
    assert set(cell.bias) <= set(cell.gates)
    assert len(set(cell.gates)) == len(cell.gates)
    assert cell.state[0] == "h"


@each_cell
def test_a_step_gives_every_state_with_its_shape_and_type(cell: type[Cell]) -> None:
    new = step(cell, leaves(cell, 2, 3))
    assert set(cell.state) <= new.keys()
    assert all(new[name].shape == (2, 3) and new[name].dtype == torch.float64 for name in cell.state)


@each_cell
def test_all_that_a_cell_names_matters_to_its_next_state(cell: type[Cell]) -> None:
    """But for h, which also enters through R h, for gates that are fed back, and for what a gated R reads."""
    values = leaves(cell, 50)
    new = step(cell, values)
    elsewhere = {"s:h", *(f"s:{gate}" for gate in cell.feedback), *(["a:r"] if cell.gated else [])}
    read = [value for name, value in values.items() if name not in elsewhere]
    gradients = torch.autograd.grad(sum(new[name].sum() for name in cell.state), read, allow_unused=True)
    assert all(gradient is not None and bool(gradient.any()) for gradient in gradients)


@each_cell
def test_units_do_not_mix_in_a_step(cell: type[Cell]) -> None:
    values, order = leaves(cell, 6), torch.randperm(6)
    new, moved = step(cell, values), step(cell, {name: value[order] for name, value in values.items()})
    assert all(torch.equal(moved[name], new[name][order]) for name in cell.state)


@pytest.mark.parametrize("name", STEPS)
def test_a_step_is_that_of_torch_cells(name: str) -> None:
    """The pre-activations are taken from torch.nn's own weights, so this is about `step` alone."""
    cell, theirs = CELLS[name], STEPS[name](3, 4).double()
    x = torch.randn(2, 3, dtype=torch.float64)
    state = {key: torch.randn(2, 4, dtype=torch.float64) for key in cell.state}
    inputs = (x @ theirs.weight_ih.mT + theirs.bias_ih).chunk(len(cell.gates), -1)
    recurrents = (state["h"] @ theirs.weight_hh.mT + theirs.bias_hh).chunk(len(cell.gates), -1)
    values = {f"s:{key}": value for key, value in state.items()}
    for gate, x_part, h_part in zip(cell.gates, inputs, recurrents, strict=True):
        values |= {f"a:{gate}": x_part + h_part, f"a:{gate}:x": x_part, f"a:{gate}:h": h_part}
    new = step(cell, values)
    expected = theirs(x, tuple(state.values()) if len(state) > 1 else state["h"])
    for key, value in zip(cell.state, expected if isinstance(expected, tuple) else [expected], strict=True):
        torch.testing.assert_close(new[key], value)


@each_cell
@pytest.mark.parametrize("hidden", [1, 7, 400])
def test_weights_start_within_their_bound_and_biases_around_what_the_cell_asks(cell: type[Cell], hidden: int) -> None:
    part, bound = RecurrentLayer(cell.name, 3, hidden), 1 / hidden**0.5
    shifted = {"bias"} | ({"recurrent_weight"} if cell.start == "identity" else set())
    for name, parameter in part.named_parameters():
        assert name in shifted or bool((parameter.abs() <= bound).all())
    for gate, bias in zip(cell.gates, part.bias.chunk(len(cell.gates)), strict=True):
        assert bool(((bias - cell.bias.get(gate, 0)).abs() <= bound + 1e-6).all())


def test_only_the_candidate_of_the_gru_has_a_recurrent_bias_of_its_own() -> None:
    biases = {name: RecurrentLayer(name, 3, 5).recurrent_bias for name in STEPS}
    assert {name: bias.shape for name, bias in biases.items() if bias is not None} == {"gru": (5,)}
    assert CELLS["gru"].split == ("n",)


def test_only_the_forget_gate_of_the_lstm_starts_open() -> None:
    assert {name: dict(CELLS[name].bias) for name in STEPS} == {"rnn": {}, "lstm": {"f": 1}, "gru": {}}


def test_a_recurrence_that_starts_from_the_identity_copies_its_state_without_input() -> None:
    layer, h = RecurrentLayer("rnn-identity", 3, 5), torch.rand(1, 2, 5)
    outputs, final = layer(torch.zeros(2, 9, 3), initial=h)
    assert torch.equal(final, h)
    assert torch.equal(outputs[:, 4], h[0])


@each_cell
def test_an_ablation_differs_from_its_parent_and_says_in_what(cell: type[Cell]) -> None:
    assert (cell.parent is None) == (cell.change == "")
    if cell.parent is not None:
        own, parents = ({key: getattr(each, key) for key in FORM} for each in (cell, cell.parent))
        assert own != parents or cell.step is not cell.parent.step


FORM = ("gates", "unconnected", "split", "gated", "feedback", "state", "vectors", "bias", "start")


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "misspelt": ({"gate": ("i",)}, "has an attribute 'gate'; did you mean 'gates'?"),
    "attribute": ({"unconected": ("o",)}, "has an attribute 'unconected'; did you mean 'unconnected'?"),
    "tuple": ({"vectors": "pq"}, "has vectors = 'pq'; it must be a tuple of names"),
    "gate": ({"unconnected": ("O",)}, "has no gate 'O', which unconnected names; its gates: i, f, g, o"),
    "state": ({"state": ("c", "h")}, "it must begin with h"),
    "parent": ({"parent": "lstm"}, "has the parent 'lstm'; it must be a cell's class"),
    "pre-activation": ({"step": lambda f, a, s, v: {"h": a.q}}, "there is no 'q' among i, f, g, o"),
    "vector": ({"step": lambda f, a, s, v: {"h": v.p}}, "there is no 'p' among nothing"),
    "function": ({"step": lambda f, a, s, v: {"h": f.softplus(a.i)}}, "there is no function 'softplus' among sigmoid"),
    "missing": ({"step": lambda f, a, s, v: {"c": s.c}}, "returns no 'h', which is in its state"),
    "number": ({"step": lambda f, a, s, v: {"c": s.c, "h": 3}}, "whose 'h' is not computed from anything, but 3"),
    "nothing": ({"step": lambda f, a, s, v: None}, "returns no dictionary, but NoneType"),
    "arguments": ({"step": lambda f, a: {}}, "has a step that fails: TypeError"),
}


@pytest.mark.parametrize(("changes", "complaint"), WRONG.values(), ids=WRONG)
def test_a_cell_that_cannot_be_meant_is_one_clear_line(changes: dict[str, Any], complaint: str) -> None:
    known = {name: staticmethod(value) if name == "step" else value for name, value in changes.items()}
    with pytest.raises(ValueError, match=re.escape(complaint)) as told:
        check_cell(type("Wrong", (CELLS["lstm"],), {"name": "wrong", **known}))
    assert str(told.value).startswith("cell 'wrong' has ")
    assert "\n" not in str(told.value)
