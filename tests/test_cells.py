"""Every cell keeps the form's contract, and its step is its textbook equations."""

import random
import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm

from ablations.errors import UserError
from ablations.models import CELLS, Cell
from ablations.models.cell import Functions, TorchFunctions
from ablations.models.cell_check import check_cell
from ablations.models.gate import Gate
from ablations.models.recurrent import RecurrentLayer

STEPS = {"rnn": nn.RNNCell, "lstm": nn.LSTMCell, "gru": nn.GRUCell}
each_cell = pytest.mark.parametrize("cell", CELLS.values())


def leaves(cell: type[Cell], *shape: int) -> dict[str, Tensor]:
    """Random values for all that a step reads, named as a:gate, a:gate:x, s:state, v:vector."""
    parts = {"apart": (":x", ":h")}
    gates = [f"a:{gate.name}{part}" for gate in cell.gates for part in parts.get(gate.recurrent, ("",))]
    names = [*gates, *(f"s:{name}" for name in cell.state), *(f"v:{name}" for name in cell.vectors)]
    return {name: torch.randn(shape, dtype=torch.float64, requires_grad=True) for name in names}


def step(cell: type[Cell], values: dict[str, Tensor]) -> dict[str, Tensor]:
    """The cell's step at values named as above."""

    def pre_activation(gate: Gate) -> Any:
        if gate.recurrent != "apart":
            return values[f"a:{gate.name}"]
        return SimpleNamespace(x=values[f"a:{gate.name}:x"], h=values[f"a:{gate.name}:h"])

    return cell.step(
        TorchFunctions,
        SimpleNamespace(**{gate.name: pre_activation(gate) for gate in cell.gates}),
        SimpleNamespace(**{name: values[f"s:{name}"] for name in cell.state}),
        SimpleNamespace(**{name: values[f"v:{name}"] for name in cell.vectors}),
    )


def test_cells_are_registered_by_their_names() -> None:
    assert all(cell.name == name for name, cell in CELLS.items())
    assert {"rnn", "lstm", "gru"} <= CELLS.keys()


@each_cell
def test_a_step_gives_every_state_with_its_shape_and_type(cell: type[Cell]) -> None:
    new = step(cell, leaves(cell, 2, 3))
    assert set(cell.state) <= new.keys()
    assert all(new[name].shape == (2, 3) and new[name].dtype == torch.float64 for name in cell.state)


@each_cell
def test_all_that_a_cell_names_matters_to_its_next_state(cell: type[Cell]) -> None:
    """But for h, which also enters through R h, for gates that are fed back, and for what an operand is made of."""
    values = leaves(cell, 50)
    new = step(cell, values)
    fed_back = [f"s:{gate}" for gate in cell.gates_with(feedback=True)]
    elsewhere = {"s:h", *fed_back, *(["a:r"] if cell.gates_with(operand=True) else [])}
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
    for gate, x_part, h_part in zip(cell.gates_with(), inputs, recurrents, strict=True):
        values |= {f"a:{gate}": x_part + h_part, f"a:{gate}:x": x_part, f"a:{gate}:h": h_part}
    new = step(cell, values)
    expected = theirs(x, tuple(state.values()) if len(state) > 1 else state["h"])
    for key, value in zip(cell.state, expected if isinstance(expected, tuple) else [expected], strict=True):
        torch.testing.assert_close(new[key], value)


def test_the_signed_mingru_has_2a_minus_1_where_the_mingru_has_a() -> None:
    """As Grazzi et al. (2025) have it; all else is the same."""
    a = torch.linspace(-4, 4, 9, dtype=torch.float64)
    by_name = {}
    for name in ("mingru", "mingru-signed"):
        state, new = (torch.randn(9, dtype=torch.float64, requires_grad=True) for _ in range(2))
        h = step(CELLS[name], {"a:z": a, "a:n": new, "s:h": state})["h"]
        by_name[name] = torch.autograd.grad(h.sum(), (state, new))
    (kept, taken), (signed_kept, signed_taken) = by_name["mingru"], by_name["mingru-signed"]
    torch.testing.assert_close(signed_kept, 2 * kept - 1)
    torch.testing.assert_close(signed_taken, taken)
    assert bool((kept > 0).all() and (signed_kept.abs() < 1).all() and (signed_kept < 0).any())


@pytest.mark.parametrize("length", [1, 40, 10_000])
def test_one_unit_of_a_signed_mingru_is_enough_for_parity(length: int) -> None:
    """A one sets h to 1 − h, a zero keeps it: that is what the theorem's “can” means."""
    layer = RecurrentLayer("mingru-signed", 1, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[40.0], [0.0]]))
        layer.bias.copy_(torch.tensor([-20.0, 1.0]))
        bits = torch.randint(2, (8, length))
        states, _ = layer(bits.unsqueeze(-1).float())
    assert torch.equal(states.squeeze(-1) > 0.5, bits.cumsum(1) % 2 == 1)


@each_cell
@pytest.mark.parametrize("hidden", [1, 7, 400])
def test_weights_start_within_their_bound_and_biases_around_what_the_cell_asks(cell: type[Cell], hidden: int) -> None:
    part, bound = RecurrentLayer(cell.name, 3, hidden), 1 / hidden**0.5
    shifted = {"bias"} | ({"recurrent_weight"} if cell.start == "identity" else set())
    for name, parameter in part.named_parameters():
        assert name in shifted or bool((parameter.abs() <= bound).all())
    for gate, bias in zip(cell.gates, part.bias.chunk(len(cell.gates)), strict=True):
        assert bool(((bias - gate.bias).abs() <= bound + 1e-6).all())


def test_only_the_candidate_of_the_gru_has_a_recurrent_bias_of_its_own() -> None:
    biases = {name: RecurrentLayer(name, 3, 5).recurrent_bias for name in STEPS}
    assert {name: bias.shape for name, bias in biases.items() if bias is not None} == {"gru": (5,)}
    assert CELLS["gru"].gates_with(recurrent="apart") == ("n",)


def test_only_the_forget_gate_of_the_lstm_starts_open() -> None:
    assert {name: CELLS[name].biases() for name in STEPS} == {"rnn": {}, "lstm": {"f": 1}, "gru": {}}


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


FORM = ("gates", "state", "vectors", "start")


# What cannot be meant, and what is said of it; a class with it, made from the LSTM, is refused when it is made.
MISDECLARED: dict[str, tuple[dict[str, Any], str]] = {
    "misspelt": ({"gate": ("i",)}, "has an attribute 'gate'; did you mean 'gates'?"),
    "attribute": ({"vector": ("p",)}, "has an attribute 'vector'; did you mean 'vectors'?"),
    "tuple": ({"vectors": "pq"}, "has vectors = 'pq'; it must be a tuple of names"),
    "space": ({"vectors": ("p q",)}, "has 'p q' in its vectors; a name is a Python identifier"),
    "ligature": (
        {"state": ("h", "ﬁ")},
        "has 'ﬁ' in its state; a name is a Python identifier and no keyword, in Unicode's NFKC form",
    ),
    "vectors": ({"vectors": ("p", "p")}, "has 'p' twice in its vectors"),
    "state": ({"state": ("c", "h")}, "has the state c, h; it must begin with h"),
    "states": ({"state": ("h", "c", "c")}, "has 'c' twice in its state"),
    "no gates": ({"gates": ()}, "has gates = (); it must be a tuple of gates"),
    "one gate": ({"gates": Gate("h")}, "it must be a tuple of gates, as (Gate('i'), Gate('f', bias=1.0))"),
    "strings": ({"gates": ("i", "f")}, "has the gate 'i'; write Gate('i')"),
    "twice": ({"gates": (Gate("i"), Gate("f"), Gate("i", "apart"))}, "has the gate 'i' twice"),
    "unconnected": (
        {"unconnected": ("o",)},
        "has unconnected = ('o',); say it of each gate: Gate(name, recurrent='none'",
    ),
    "split": ({"split": ("g",)}, "has split = ('g',); say it of each gate: Gate(name, recurrent='apart')"),
    "gated": ({"gated": ("g",)}, "has gated = ('g',); say it of each gate: Gate(name, operand=True)"),
    "feedback": ({"feedback": ("g",)}, "has feedback = ('g',); say it of each gate: Gate(name, feedback=True)"),
    "bias": ({"bias": {"f": 1}}, "has bias = {'f': 1}; say it of each gate: Gate(name, bias=1.0)"),
    "fed back": (
        {"gates": (Gate("i", feedback=True),)},
        "feeds back the gate 'i', which is not in its state: h, c",
    ),
    "fed back h": (
        {"gates": (Gate("h", feedback=True),)},
        "feeds back the gate 'h'; the state h enters by R already",
    ),
    "operand": ({"gates": (Gate("i", operand=True),)}, "has the gate 'i' with operand=True, but no method operand"),
    "no operand": ({"operand": lambda f, a, s, v: s.h}, "has a method operand, but no gate with operand=True"),
    "start": ({"start": "identiy"}, "has start = 'identiy'; known: uniform, identity"),
    "parent": ({"parent": "lstm"}, "has the parent 'lstm'; it must be a cell's class"),
    "name": ({"name": None}, "has name = None; it must be a text"),
}


def made(changes: dict[str, Any]) -> type[Cell]:
    """The LSTM with some of its attributes changed."""
    methods = {"step", "operand"}
    known = {name: staticmethod(value) if name in methods else value for name, value in changes.items()}
    return type("Wrong", (CELLS["lstm"],), {"name": "wrong", **known})


@pytest.mark.parametrize(("changes", "complaint"), MISDECLARED.values(), ids=MISDECLARED)
def test_a_declaration_that_cannot_be_meant_is_one_clear_line_when_the_class_is_made(
    changes: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(UserError, match=re.escape(complaint)) as told:
        made(changes)
    assert str(told.value).startswith(f"cell {changes.get('name', 'wrong')!r} ")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("roles", "complaint"),
    [
        ({"name": "a b"}, "a gate is named 'a b'; a name is a Python identifier"),
        ({"name": "ﬁ"}, "a gate is named 'ﬁ'; a name is a Python identifier and no keyword, in Unicode's NFKC form"),
        ({"name": 3}, "a gate is named 3"),
        ({"recurrent": "split"}, "gate 'n' has recurrent = 'split'; known: added, apart, none"),
        ({"recurrent": "none", "operand": True}, "gate 'n' has an operand and no recurrent part"),
        ({"operand": "h"}, "gate 'n' has operand = 'h'; it must be True or False"),
        ({"bias": "chrono"}, "gate 'n' has bias = 'chrono'; it must be a finite number"),
        ({"bias": float("nan")}, "gate 'n' has bias = nan; it must be a finite number"),
    ],
)
def test_a_gate_that_cannot_be_meant_is_one_clear_line(roles: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UserError, match=re.escape(complaint)):
        Gate(**{"name": "n", **roles})


def test_a_class_for_others_to_inherit_from_need_not_be_a_cell_yet() -> None:
    class WithMemory(Cell):
        state = ("h", "c")

    assert WithMemory.state == ("h", "c")


class Counted:
    """A step that counts how often it was called."""

    calls = 0

    @classmethod
    def step(cls, f: Any, a: Any, s: Any, v: Any) -> dict[str, Any]:
        cls.calls += 1
        return {"c": s.c, "h": a.i * cls.calls}


def peephole(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Any]:
    return {**CELLS["lstm"].step(f, a, s, v), "k": v.p * s.h}


def normalised(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Any]:
    return {**CELLS["lstm"].step(f, a, s, v), "n": s.n + 1}


def without_forget(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Any]:
    return CELLS["lstm-no-forget-gate"].step(f, a, s, v)


def forget_computed(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Any]:
    return {"f": f.sigmoid(a.f), **CELLS["lstm-no-forget-gate"].step(f, a, s, v)}


def forget_as_state(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Any]:
    return {"f": f.tanh(a.f), "h": f.tanh(a.i)}


UNREAD: dict[str, tuple[dict[str, Any], str]] = {
    "gate": ({"step": without_forget}, "the gate 'f', which its step does not read: leave it out of `gates`"),
    "gate times zero": (
        {"step": lambda f, a, s, v: {"c": s.c, "h": a.i + 0 * a.f + a.g * a.o + s.c}},
        "the gate 'f', which its step does not read",
    ),
    "gate of a quantity that nothing uses": (
        {"step": forget_computed},
        "the gate 'f', on which its h never depends: leave it out of `gates`",
    ),
    "gate of a state that nothing uses": (
        {"gates": (Gate("i"), Gate("f")), "state": ("h", "f"), "step": forget_as_state},
        "the gate 'f', on which its h never depends",
    ),
    "vector": ({"vectors": ("p",)}, "the vector 'p', which its step does not read: leave it out of `vectors`"),
    "vector of a quantity that nothing uses": (
        {"vectors": ("p",), "step": peephole},
        "the vector 'p', on which its h never depends",
    ),
    "state": (
        {"state": ("h", "c"), "step": lambda f, a, s, v: {"c": a.i + a.f, "h": a.i + a.f + a.g + a.o}},
        "the state 'c', which its step does not read: leave it out of `state`",
    ),
    "state of itself": ({"state": ("h", "c", "n"), "step": normalised}, "the state 'n', on which its h never depends"),
    "recurrent part": (
        {
            "gates": (Gate("n", recurrent="apart"),),
            "state": ("h",),
            "step": lambda f, a, s, v: {"h": f.tanh(a.n.x + s.h)},
        },
        "the gate 'n' with recurrent='apart' and so a.n.h, which its step does not read: write recurrent='none'",
    ),
    "input part": (
        {"gates": (Gate("n", recurrent="apart"),), "state": ("h",), "step": lambda f, a, s, v: {"h": f.tanh(a.n.h)}},
        "the gate 'n' with recurrent='apart' and so a.n.x, which its step does not read: use it, or leave out the gate",
    ),
}


@pytest.mark.parametrize(("changes", "complaint"), UNREAD.values(), ids=UNREAD)
def test_what_a_cell_declares_and_its_output_never_depends_on_is_one_clear_line(
    changes: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(UserError, match=re.escape(f"cell 'wrong' declares {complaint}")):
        check_cell(made(changes))


@pytest.mark.parametrize(
    "changes",
    [
        {
            "gates": (Gate("i", feedback=True), Gate("f", feedback=True)),
            "state": ("h", "i", "f"),
            "step": lambda f, a, s, v: {"i": f.tanh(a.i), "f": f.tanh(a.f), "h": f.tanh(a.i)},
        },
        {
            "gates": (Gate("i", operand=True), Gate("f")),
            "state": ("h",),
            "operand": lambda f, a, s, v: f.sigmoid(a.f) * s.h,
            "step": lambda f, a, s, v: {"h": f.tanh(a.i)},
        },
        {"state": ("h", "c", "n"), "step": lambda f, a, s, v: {"n": a.i * a.f, "c": s.n, "h": a.g * a.o + s.c}},
    ],
    ids=["fed back alone", "through the operand alone", "two steps later"],
)
def test_what_the_output_depends_on_in_a_roundabout_way_is_read(changes: dict[str, Any]) -> None:
    check_cell(made(changes))


numbers = np.random.default_rng(0)
MISCOMPUTED: dict[str, tuple[dict[str, Any], str]] = {
    "pre-activation": ({"step": lambda f, a, s, v: {"h": a.q}}, "there is no 'q' among i, f, g, o"),
    "vector": ({"step": lambda f, a, s, v: {"h": v.p}}, "there is no 'p' among nothing"),
    "function": ({"step": lambda f, a, s, v: {"h": f.softmax(a.i)}}, "there is no function 'softmax' among sigmoid"),
    "over units": ({"step": lambda f, a, s, v: {"c": s.c, "h": layer_norm(a.i, (8,))}}, "write it as a model"),
    "unknown function": ({"step": lambda f, a, s, v: {"h": f.layer_norm(a.i)}}, "write it as a model"),
    "missing": ({"step": lambda f, a, s, v: {"c": s.c}}, "returns no 'h', which is in its state"),
    "number": ({"step": lambda f, a, s, v: {"c": s.c, "h": 3}}, "whose 'h' is not computed from anything, but 3"),
    "nothing": ({"step": lambda f, a, s, v: None}, "returns no dictionary, but NoneType"),
    "arguments": ({"step": lambda f, a: {}}, "has a step that fails: TypeError"),
    "key": (
        {"step": lambda f, a, s, v: {"h": a.i, "c": s.c, "new c": s.c}},
        "returns 'new c'; a name is a Python ident",
    ),
    "constant": (
        {"step": lambda f, a, s, v: {"c": s.c, "h": 0 * a.i + 1}},
        "has a step whose state 'h' is always 1; it must be computed from something",
    ),
    "operand's own gate": (
        {"gates": (Gate("i", operand=True), Gate("f")), "operand": lambda f, a, s, v: a.i * s.h},
        "there is no 'i' among f",
    ),
    "constant operand": (
        {
            "gates": (Gate("i", operand=True), Gate("f")),
            "operand": lambda f, a, s, v: 0 * s.h + 1,
            "step": lambda f, a, s, v: {"c": s.c, "h": a.i + a.f},
        },
        "has an operand that is always 1",
    ),
    "random": (
        {"step": lambda f, a, s, v: {"c": s.c, "h": a.i * random.random()}},
        "has a step that draws random numbers",
    ),
    "NumPy's": (
        {"step": lambda f, a, s, v: {"c": s.c, "h": a.i * np.random.rand()}},  # noqa: NPY002
        "has a step that draws random numbers",
    ),
    "torch's": (
        {"step": lambda f, a, s, v: {"c": s.c, "h": a.i + torch.rand(1)}},
        "has a step that draws random numbers; what looks at several units at once",
    ),
    "a generator's": (
        {"step": lambda f, a, s, v: {"c": s.c, "h": a.i * numbers.random()}},
        "has a step that is not deterministic",
    ),
    "a coin": (
        {"step": lambda f, a, s, v: {"c": s.c, "h": a.i if numbers.random() < 0.5 else a.f}},
        "has a step that is not deterministic",
    ),
    "count": ({"step": Counted.step}, "has a step that is not deterministic"),
    "random operand": (
        {
            "gates": (Gate("i", operand=True), Gate("f")),
            "operand": lambda f, a, s, v: s.h * numbers.random(),
            "step": lambda f, a, s, v: {"c": s.c, "h": a.i + a.f},
        },
        "has a step that is not deterministic",
    ),
}


@pytest.mark.parametrize(("changes", "complaint"), MISCOMPUTED.values(), ids=MISCOMPUTED)
def test_a_step_that_cannot_be_meant_is_one_clear_line_at_its_first_use(
    changes: dict[str, Any], complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CELLS, "wrong", made(changes))
    with pytest.raises(UserError, match=re.escape(complaint)) as told:
        RecurrentLayer("wrong", 2, 3)
    assert str(told.value).startswith("cell 'wrong' has ")
    assert "\n" not in str(told.value)


@each_cell
def test_every_cell_of_the_registry_can_be_meant(cell: type[Cell]) -> None:
    check_cell(cell)


def test_a_cell_is_checked_also_where_its_layer_is_made_without_numbers() -> None:
    check_cell.cache_clear()
    with torch.device("meta"):
        assert RecurrentLayer("gru", 2, 3).weight.shape == (9, 2)


def test_a_gate_that_is_kept_apart_and_read_whole_is_told_how_to_be_read() -> None:
    def step(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Any]:
        return {"h": f.tanh(a.n + s.h)}

    own = type(
        "Whole", (Cell,), {"name": "whole", "gates": (Gate("n", recurrent="apart"),), "step": staticmethod(step)}
    )
    with pytest.raises(UserError, match=r"write a\.n\.x and a\.n\.h, not a\.n"):
        check_cell(own)
