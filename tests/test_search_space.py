"""What a study may search: ranges, choices and Optuna's distributions, checked in one clear line when it is defined."""

from collections import Counter
from collections.abc import Callable
from inspect import Parameter, Signature, signature
from typing import Any

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.pruners import MedianPruner
from optuna.samplers import GridSampler, TPESampler
from pydantic import ValidationError

from ablations.models import MODELS, Network
from ablations.models.variant import Variant
from ablations.record.protocol import as_recorded
from ablations.study import VARIANTS, Choice, Range, Study
from ablations.study.factors import CURRICULA, OPTIMISERS, SCHEDULES
from ablations.study.search_space import RESERVED
from ablations.study.space import as_space, is_drawn
from ablations.train import optimisers
from ablations.train.curriculum import training_task
from ablations.train.schedule import rate_factor
from tasks import TASKS, TaskSpec

LR = Range(1e-3, 1e-1)
SHARES = (np.arange(6000) + 0.5) / 6000


@pytest.mark.parametrize("space", [Range(2, 7, log=False), Range(0, 20, log=False, step=5), Choice([1, None, "a"])])
def test_equal_shares_give_each_value_equally_often(space: Range | Choice) -> None:
    counts = Counter(space.at(share) for share in SHARES)
    assert max(counts.values()) - min(counts.values()) <= 1
    assert len(counts) == {2: 6, 0: 5}.get(getattr(space, "low", -1), 3)


def test_whole_numbers_on_a_logarithmic_scale_have_the_share_of_what_rounds_to_them() -> None:
    counts = Counter(Range(1, 8).at(share) for share in SHARES)
    assert sorted(counts) == [*range(1, 9)]
    whole = np.log(8.5 / 0.5)
    for value, count in counts.items():
        assert count / len(SHARES) == pytest.approx(np.log((value + 0.5) / (value - 0.5)) / whole, abs=1e-3)


def test_a_float_with_a_step_reaches_its_high_end() -> None:
    assert {round(Range(0.0, 0.5, log=False, step=0.1).at(share), 6) for share in SHARES} == {
        0,
        0.1,
        0.2,
        0.3,
        0.4,
        0.5,
    }


@pytest.mark.parametrize(
    ("distribution", "space"),
    [
        (FloatDistribution(0.1, 1.0, log=True), Range(0.1, 1.0)),
        (FloatDistribution(0.0, 1.0, step=0.25), Range(0.0, 1.0, log=False, step=0.25)),
        (IntDistribution(1, 3), Range(1, 3, log=False)),
        (IntDistribution(8, 64, log=True), Range(8, 64)),
        (IntDistribution(8, 64, step=8), Range(8, 64, log=False, step=8)),
        (CategoricalDistribution(["a", None, 2]), Choice(["a", None, 2])),
    ],
)
def test_optunas_distributions_are_what_they_say(distribution: Any, space: Range | Choice) -> None:
    assert as_space(distribution) == space


def test_a_study_takes_any_of_them(study: Study, changed: Callable[..., Study]) -> None:
    spaces = changed(study, nuisance={"lr": FloatDistribution(0.01, 0.1), "layers": IntDistribution(1, 2)}).nuisance
    assert spaces == {"lr": Range(0.01, 0.1, log=False), "layers": Range(1, 2, log=False)}


@pytest.mark.parametrize("flag", RESERVED)
def test_a_flag_under_a_name_that_the_record_needs_cannot_be_searched(
    study: Study, changed: Callable[..., Study], monkeypatch: pytest.MonkeyPatch, flag: str
) -> None:
    model = type("Named", (Network,), {"__init__": _with_flag(flag)})
    monkeypatch.setitem(MODELS, "named", model)
    with pytest.raises(ValidationError, match=f"no factor can be named '{flag}'"):
        changed(study, variants=(*study.variants, Variant("named", "named")), nuisance={"lr": LR, flag: Choice([1, 2])})


def _with_flag(flag: str) -> Any:
    """A constructor with a flag of that name."""

    def construct(self: Network, spec: TaskSpec, size: int, **flags: Any) -> None: ...

    first = [*signature(construct).parameters.values()][:3]
    construct.__signature__ = Signature([*first, Parameter(flag, Parameter.KEYWORD_ONLY)])  # type: ignore[attr-defined]
    return construct


@pytest.mark.parametrize(
    ("values", "plain"),
    [
        ([np.int64(1), 2], (1, 2)),
        ([np.bool_(True), False], (True, False)),
        (np.array([0.5, 1.0]), (0.5, 1.0)),
        ([np.str_("a"), None], ("a", None)),
        (range(1, 3), (1, 2)),
    ],
)
def test_numpys_values_of_a_choice_are_pythons_own(values: Any, plain: tuple[Any, ...]) -> None:
    choice = Choice(values)
    assert [(type(value), value) for value in choice.values] == [(type(value), value) for value in plain]


@pytest.mark.parametrize("values", [[1, 0.5], [True, False, None], ["1", "2e0", "nan"], [0.1, "a", None, True, 7]])
def test_every_value_of_a_choice_is_known_again_by_what_the_record_has(values: list[Any]) -> None:
    choice = Choice(values)
    for value in values:
        again = choice.from_record(as_recorded({"": value})[""])
        assert (type(again), again) == (type(value), value)


@pytest.mark.parametrize("values", [[1, 1.0], ["1", 1], [None, "None"], ["True", True], ["0.5", "5e-1"]])
def test_values_that_the_record_could_not_tell_apart_are_no_choice(values: list[Any]) -> None:
    with pytest.raises(ValidationError, match="the record could not tell some of these values apart"):
        Choice(values)


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ("adam", "the values of a choice are a list of .*; got 'adam'"),
        ({1, 2}, "the values of a choice are a list of"),
        (["a", ("b",)], r"each value is a text, a number, True, False or None; got \('b',\)"),
    ],
)
def test_what_is_no_list_of_values_is_refused_in_one_line(values: Any, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        Choice(values)


def test_a_condition_holds_only_where_its_factor_is_drawn() -> None:
    dropout = Range(0.0, 0.5, log=False, where={"layers": (2, 3)})
    assert is_drawn(dropout, {"layers": 2})
    assert not is_drawn(dropout, {"layers": 1})
    assert not is_drawn(dropout, {})


def test_a_factor_of_the_training_takes_numbers_of_its_own_type(study: Study, changed: Callable[..., Study]) -> None:
    """Whole numbers as ends of a range of a learning rate do not make it whole, nor change what it was called before."""
    data = changed(study, nuisance={"lr": Range(1, 2)}).at("smoke").data["nuisance"]["lr"]
    assert data == {"low": 1.0, "high": 2.0, "log": True}
    assert all(isinstance(data[end], float) for end in ("low", "high"))


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"lrr": LR, "lr": LR}, "unknown nuisance or fixed factor 'lrr'; did you mean 'lr'"),
    ({"lr": 0.1}, "the factor 'lr' is a Range, a Choice or a distribution of Optuna's, not 0.1"),
    ({"lr": LR, "batch": Range(8.0, 64.0)}, "'batch' cannot be 8.0; it is a whole number of sequences"),
    ({"lr": LR, "hidden": Range(8.5, 64)}, "'hidden' cannot be 8.5; it is a hidden size, a whole number"),
    ({"lr": LR, "layers": Range(1.0, 2.0)}, "'layers' is a whole number"),
    ({"lr": LR, "optimiser": Choice(["adam", "lion"])}, "'optimiser' cannot be 'lion'; it is one of adam, adamw"),
    ({"lr": LR, "schedule": Range(1, 2)}, "'schedule' cannot be a range; it is one of linear, cosine, constant"),
    ({"lr": LR, "warmup": Range(0.5, 1.0)}, "'warmup' cannot be 1.0; it is a share of the steps"),
    ({"lr": LR, "dropout": Range(0.1, 0.5)}, "cannot have dropout=0.1: dropout acts between layers"),
    ({"lr": LR, "dropout": Range(0.1, 0.5, where={"layers": 2})}, "the condition of 'dropout' names 'layers'"),
    (
        {"lr": LR, "layers": Range(1, 2), "dropout": Range(0.1, 0.5, where={"layers": 3})},
        "needs layers to be 3; it is 1 to 2",
    ),
    ({"lr": LR, "momentum": Range(0.5, 0.9)}, "adam has no 'momentum'; it is a factor of rmsprop and sgd"),
    (
        {"lr": LR, "optimiser": Choice(["adam", "sgd"]), "momentum": Range(0.5, 0.9)},
        "adam has no 'momentum'.*where={'optimiser': 'sgd'}",
    ),
    (
        {"lr": LR, "hidden": Range(4, 8), "parameters": Range(100, 200)},
        "'hidden' and 'parameters' both choose the size",
    ),
    ({"lr": LR, "parameters": Range(3, 900)}, r"rnn has \d+ parameters at least; 3 cannot be met"),
    ({"lr": LR, "cell": Choice(["rnn", "gru"])}, "every variant sets 'cell' itself"),
    ({"lr": LR, "direction": Choice(["forward", "both"])}, "reads in another direction: that is no nuisance factor"),
    ({"lr": LR, "forget_bias": Range(0.0, 2.0, log=False)}, "'rnn' cannot have forget_bias=0.0: .* rnn has none"),
    ({"lr": LR, "initialisation": Choice(["orthogonal", "zeros"])}, "unknown initialisation 'zeros'"),
]


@pytest.mark.parametrize(("nuisance", "complaint"), REFUSED)
def test_what_cannot_be_searched_is_refused_in_one_line_when_the_study_is_defined(
    study: Study, changed: Callable[..., Study], nuisance: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ValidationError, match=complaint) as refused:
        changed(study, nuisance=nuisance)
    assert "\n" not in refused.value.errors()[0]["msg"]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"fixed": {"batch": 8}}, "the factor 'batch' is not fixed here; the budget's `batch` says it"),
        ({"fixed": {"layers": 2}}, "unknown fixed factor 'layers'"),
        ({"fixed": {"schedule": "step"}}, "'schedule' cannot be 'step'; it is one of linear, cosine, constant"),
        ({"fixed": {"momentum": 0.9}}, "adam has no 'momentum'"),
        ({"sampler": "tpee"}, "unknown sampler 'tpee'; did you mean 'tpe'"),
        ({"sampler": TPESampler}, "the sampler is one of tpe, random, qmc, gp, or an object of optuna.samplers"),
        ({"sampler": GridSampler({"lr": [0.1]})}, "a GridSampler cannot be asked round by round"),
        ({"pruner": 3}, "the pruner is one of clear, median, hyperband, none, or an object of optuna.pruners"),
    ],
)
def test_what_cannot_be_fixed_or_proposed_by_is_refused(
    study: Study, changed: Callable[..., Study], changes: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ValidationError, match=complaint):
        changed(study, **changes)


def test_a_range_needs_sense() -> None:
    for wrong in (
        {"low": 0.0, "high": 1.0},
        {"low": 1, "high": 9, "step": 2},
        {"low": 1, "high": 2, "log": False, "step": 3},
    ):
        with pytest.raises(ValidationError):
            Range(**wrong)
    for values in ([], ["a"], ["a", "a"]):
        with pytest.raises(ValidationError, match="a choice needs two values or more"):
            Choice(values)
    Choice([True, 1, 1.5])  # True is no 1


def test_a_flag_is_searched_for_the_variants_that_do_not_set_it(study: Study, changed: Callable[..., Study]) -> None:
    two = Variant("two-layers", "recurrent", {"cell": "lstm", "layers": 2}, "lstm", "two layers")
    own = changed(
        study,
        variants=(VARIANTS["lstm"], two, VARIANTS["reservoir"] if "reservoir" in VARIANTS else Variant("cnn", "cnn")),
        nuisance={"lr": LR, "layers": Range(1, 2), "initialisation": Choice([None, "orthogonal"])},
    ).at("smoke")
    spaces = {setting.variant.name: [*own.space_of(setting)] for setting in own.settings}
    assert spaces.pop("lstm") == ["lr", "layers", "initialisation"]
    assert spaces.pop("two-layers") == ["lr", "initialisation"]
    assert [*spaces.values()] == [["lr"]]


def test_a_factor_can_be_for_one_variant(study: Study, changed: Callable[..., Study]) -> None:
    bias = Range(0.0, 2.0, log=False, where={"variant": "lstm", "task": "adding"})
    own = changed(study, nuisance={"lr": LR, "forget_bias": bias}).at("smoke")
    spaces = {setting.name: [*own.space_of(setting)] for setting in own.settings}
    assert spaces.pop("adding/lstm") == ["lr", "forget_bias"]
    assert [*spaces.values()] == [["lr"]] * 3


def test_every_name_has_code_behind_it() -> None:
    assert set(OPTIMISERS) == optimisers.OPTIMISERS.keys()
    assert all(rate_factor(3, 4, schedule) > 0 for schedule in SCHEDULES)
    assert all(training_task(TASKS["adding"](), curriculum, 0.5) for curriculum in CURRICULA)


def test_factors_samplers_and_pruners_change_identities_and_what_is_not_said_does_not(
    study: Study, changed: Callable[..., Study]
) -> None:
    def identities(**changes: Any) -> set[str]:
        return set(changed(study, **changes).at("smoke").identities.values())

    plain = identities()
    assert identities(fixed={"clip": 1.0, "weight_decay": 0.0}, sampler="tpe", pruner="clear") == plain
    others: list[dict[str, Any]] = [
        {"nuisance": {"lr": LR, "layers": Range(1, 2)}},
        {"nuisance": {"lr": LR, "batch": Choice([4, 8])}},
        {"fixed": {"schedule": "cosine"}},
        {"sampler": TPESampler(n_ei_candidates=5)},
        {"sampler": TPESampler(n_ei_candidates=6)},
        {"pruner": MedianPruner()},
        {"pruner": "none"},
        {"optimiser": "adamw"},
    ]
    for number, changes in enumerate(others):
        for other in others[:number]:
            assert not identities(**changes) & (plain | identities(**other)), changes
    assert identities(sampler=TPESampler(seed=1)) == identities(sampler=TPESampler(seed=2))  # the study's seed counts
