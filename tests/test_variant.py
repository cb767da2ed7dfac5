"""Variants: built from a seed alone, counted, and sized to a number of parameters."""

import random
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from ablations.errors import UserError
from ablations.models import CELLS, MODELS, Network
from ablations.models.recurrent import RecurrentLayer
from ablations.models.sizes import count_parameters, hidden_size, solve_size
from ablations.models.variant import Variant
from ablations.study import Setting
from tasks import TASKS, TaskSpec

INTERFACES = {
    "copying": TASKS["copying"](delay=4, items=2).spec,
    "adding": TASKS["adding"](length=6).spec,
    "france": TASKS["france"](gap=3).spec,
    "disambiguation": TASKS["disambiguation"]().spec,
}
VARIANTS = {
    **{name: Variant(name, name) for name in MODELS},
    **{cell: Variant(cell, "recurrent", {"cell": cell}) for cell in CELLS},
    "deep": Variant("deep", "recurrent", {"cell": "gru", "direction": "both", "layers": 3}),
}
each_variant = pytest.mark.parametrize("name", VARIANTS)
each_task = pytest.mark.parametrize("task", INTERFACES)


@cache
def counts(name: str, task: str) -> dict[int, int]:
    """The parameters at every size from 1 to 20."""
    return {size: count_parameters(VARIANTS[name], INTERFACES[task], size) for size in range(1, 21)}


@each_variant
@each_task
def test_a_build_is_a_pure_function_of_its_seed(name: str, task: str) -> None:
    def build(seed: int) -> dict[str, torch.Tensor]:
        return VARIANTS[name].build(INTERFACES[task], 5, seed).state_dict()

    torch.manual_seed(1)
    first, other = build(7), build(8)
    torch.manual_seed(2)
    again = build(7)
    assert first.keys() == again.keys() == other.keys()
    assert all(torch.equal(first[key], again[key]) for key in first)
    fixed = ("recurrent_weight", "bias") if name == "rnn-identity" else ()
    drawn = [key for key in first if first[key].numel() and not key.endswith(fixed)] if fixed else list(first)
    assert all(not torch.equal(first[key], other[key]) for key in drawn if first[key].numel())


@each_variant
def test_a_build_touches_no_other_random_state(name: str) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    VARIANTS[name].build(INTERFACES["france"], 5, seed=3)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1]
    assert np.random.get_state()[1].tolist() == before[2]  # noqa: NPY002


def test_a_build_that_fails_leaves_the_random_state_too() -> None:
    before = torch.get_rng_state()
    with pytest.raises(ValueError, match="direction"):
        Variant("x", "recurrent", {"direction": "sideways"}).build(INTERFACES["france"], 5, seed=3)
    assert torch.equal(torch.get_rng_state(), before)


@each_variant
@pytest.mark.parametrize("task", ["copying", "adding"])
def test_the_solved_size_comes_nearest_whatever_the_number_asked_for(name: str, task: str) -> None:
    known = counts(name, task)
    for parameters in ((known[1] + 1) // 2, known[1] - 1, known[8], (known[8] + known[9]) // 2 + 1):
        size = solve_size(VARIANTS[name], INTERFACES[task], parameters)
        assert abs(known[size] - parameters) == min(abs(count - parameters) for count in known.values())


@given(st.integers(1, 2800))
@settings(max_examples=30, deadline=None)
def test_every_number_is_met_as_nearly_as_can_be_or_refused(parameters: int) -> None:
    known = counts("bigru", "adding")
    if known[1] > 2 * parameters:
        with pytest.raises(ValueError, match=f"bigru has {known[1]} parameters at least; {parameters} cannot be met"):
            solve_size(VARIANTS["bigru"], INTERFACES["adding"], parameters)
    else:
        size = solve_size(VARIANTS["bigru"], INTERFACES["adding"], parameters)
        assert abs(known[size] - parameters) == min(abs(count - parameters) for count in known.values())


@each_variant
def test_less_than_half_of_the_smallest_network_is_refused(name: str) -> None:
    for parameters in (-1, 0, (counts(name, "france")[1] - 1) // 2):
        with pytest.raises(ValueError, match=f"{name} has .* {parameters} cannot be met"):
            solve_size(VARIANTS[name], INTERFACES["france"], parameters)


@pytest.mark.parametrize(("cell", "gates", "split"), [("rnn", 1, 0), ("gru", 3, 1), ("lstm", 4, 0)])
@pytest.mark.parametrize("both", [False, True])
def test_parameters_are_those_of_the_formula(cell: str, gates: int, split: int, both: bool) -> None:
    """Features go in as they are, two of them; H(I + H + 1) for a gate, H more for a split one."""
    variant = Variant("x", "recurrent", {"cell": cell, "direction": "both" if both else "forward"})
    for size in (1, 3, 20):
        layer = gates * size * (2 + size + 1) + split * size
        head = (1 + both) * size + 1
        assert count_parameters(variant, INTERFACES["adding"], size) == (1 + both) * layer + head


def test_frozen_parameters_count() -> None:
    size = 9
    rnn, reservoir = (counts(name, "france")[size] for name in ("rnn", "reservoir"))
    assert rnn == reservoir


@pytest.mark.parametrize(("wrong", "near"), [("bilstn", "bilstm"), ("feed-forward", "feedforward"), ("tnc", "tcn")])
def test_an_unknown_model_is_named_with_a_near_one_and_all_there_are(wrong: str, near: str) -> None:
    with pytest.raises(ValueError, match=f"unknown model '{wrong}'; did you mean '{near}'.*Known: .*reservoir"):
        Variant("x", wrong)


def test_a_model_unlike_all_others_is_named_without_a_guess() -> None:
    with pytest.raises(ValueError, match=r"unknown model 'zzz'; known: feedforward, "):
        Variant("x", "zzz")


@each_variant
def test_a_variant_knows_the_cell_whose_equations_run(name: str) -> None:
    expected = {
        "feedforward": None,
        "cnn": None,
        "tcn": None,
        "bag-of-words": None,
        "birnn": "rnn",
        "bigru": "gru",
        "deep": "gru",
    }
    expected |= {"reservoir": "rnn", **{cell: cell for cell in CELLS}}
    cell = VARIANTS[name].cell
    assert (cell and cell.name) == expected.get(name, "lstm")


def test_equal_variants_are_one_and_others_are_not() -> None:
    flags = {"cell": "gru", "layers": 2}
    same = Variant("x", "recurrent", dict(reversed(flags.items())))
    assert len({Variant("x", "recurrent", flags), same}) == 1
    assert len({same, Variant("x", "recurrent", {"cell": "gru"}), Variant("x", "bigru"), Variant("y", "bigru")}) == 4


def test_flags_parents_and_changes_are_checked_when_a_variant_is_made() -> None:
    with pytest.raises(ValueError, match="unknown flag of the model recurrent 'cel'; did you mean 'cell'"):
        Variant("x", "recurrent", {"cel": "lstm"})
    for parent, change in ((None, "something"), ("y", ""), ("x", "itself")):
        with pytest.raises(ValueError, match="an ablation has a parent, another variant, and says the change"):
            Variant("x", "recurrent", {}, parent, change)


class Sizeless(Network):
    """A model that ignores its size."""

    causal = True

    def __init__(self, spec: TaskSpec, size: int) -> None:
        super().__init__(spec)
        self.head = nn.Linear(self.encoder.size, spec.outputs)

    def forward_encoded(self, x: Tensor, mask: Tensor | None) -> Tensor:
        return self.head(x)


def test_a_model_that_ignores_its_size_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODELS, "sizeless", Sizeless)
    with pytest.raises(UserError, match=r"Does the model ignore its size\?"):
        solve_size(Variant("sizeless", "sizeless"), INTERFACES["adding"], 3000)


class Sized(Sizeless):
    """A model as wide as it is told."""

    def __init__(self, spec: TaskSpec, size: int) -> None:
        super().__init__(spec, size)
        self.wide = nn.Linear(self.encoder.size, size)


def test_a_model_that_takes_the_name_of_another_is_counted_and_built_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODELS, "mine", Sizeless)
    task, variant = TASKS["adding"](), Variant("mine", "mine")
    narrow = count_parameters(variant, task.spec, 10)
    assert isinstance(Setting("adding", task, variant, 10).network, Sizeless)
    monkeypatch.setitem(MODELS, "mine", Sized)
    assert count_parameters(variant, task.spec, 10) > narrow
    assert isinstance(Setting("adding", task, variant, 10).network, Sized)
    assert 5000 < count_parameters(variant, task.spec, solve_size(variant, task.spec, 5010)) < 5020


@given(st.integers(800, 40_000), st.integers(100, 5000))
@settings(max_examples=15, deadline=None)
def test_a_sized_variant_has_its_parameters_at_any_budget(parameters: int, budget: int) -> None:
    spec = INTERFACES["france"]
    sized = VARIANTS["lstm"].sized(parameters)
    assert hidden_size(sized, spec, budget) == solve_size(VARIANTS["lstm"], spec, parameters)
    assert str(sized.size_rule(budget)) == f"{parameters:,} parameters"
    assert str(VARIANTS["lstm"].size_rule(budget)) == f"{budget:,} parameters"


@each_variant
@each_task
def test_a_variant_at_the_hidden_size_of_another_has_that_and_else_its_own_network(name: str, task: str) -> None:
    other, spec = VARIANTS["gru"], INTERFACES[task]
    same = VARIANTS[name].at_hidden_of(other)
    for budget in (2000, 4000):
        size = hidden_size(same, spec, budget)
        assert size == solve_size(other, spec, budget)
    assert hidden_size(VARIANTS[name].at_hidden_of(other.sized(3000)), spec, 2000) == solve_size(other, spec, 3000)
    expected = {key: value.shape for key, value in VARIANTS[name].build(spec, size, 0).state_dict().items()}
    assert {key: value.shape for key, value in same.build(spec, size, 0).state_dict().items()} == expected
    assert str(same.size_rule(2000)) == "hidden size of gru"


@pytest.mark.parametrize(("parameters", "name"), [(10_000, "x-10k"), (1500, "x-1500"), (300, "x-300")])
def test_another_size_is_named_after_the_variant_and_knows_it(parameters: int, name: str) -> None:
    ablation = Variant("x", "recurrent", {"cell": "gru"}, "y", "something")
    sized = ablation.sized(parameters)
    assert (sized.name, sized.base, sized.parent) == (name, "x", name.replace("x", "y"))
    same = ablation.at_hidden_of(Variant("y", "recurrent"))
    assert (same.name, same.base, same.parent, same.change) == ("x-same-hidden", "x", "y", "something")
    assert same.sized(parameters).base == "x"
    assert (same.flags, sized.flags) == (ablation.flags, ablation.flags)


@pytest.mark.parametrize("parameters", [0, -3000, 1e4, "3000"])
def test_a_size_that_is_no_number_of_parameters_is_refused(parameters: Any) -> None:
    with pytest.raises(UserError, match="a number of parameters is a whole number of at least 1, not"):
        VARIANTS["lstm"].sized(parameters)


def test_a_flag_of_numpy_is_a_plain_number() -> None:
    variant = Variant("deep", "recurrent", {"cell": "gru", "layers": np.int64(2)})
    assert type(variant.flags["layers"]) is int
    assert variant == Variant("deep", "recurrent", {"cell": "gru", "layers": 2})


def test_sizes_cells_and_causality_are_known_without_drawing_a_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Variant, "build", None)
    before = torch.random.get_rng_state()
    for variant in VARIANTS.values():
        spec = INTERFACES["adding"]
        assert variant.cell is None or variant.cell.name
        assert variant.causal in (True, False)
        assert count_parameters(variant, spec, solve_size(variant, spec, 2000)) > 1000
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("name", [*MODELS, *VARIANTS])
def test_causality_and_parameters_that_are_declared_are_those_of_the_network(name: str) -> None:
    variant = VARIANTS.get(name) or Variant(name, name)
    spec = INTERFACES["adding"]
    network = variant.build(spec, size=5, seed=0)
    assert network.causal == variant.causal
    assert sum(parameter.numel() for parameter in network.parameters()) == count_parameters(variant, spec, 5)
    cells = {part.cell for part in network.modules() if isinstance(part, RecurrentLayer)}
    assert cells == ({variant.cell} if variant.cell else set())
