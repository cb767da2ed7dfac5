"""What a field of a study cannot be is refused in one line, which says what it can be; nothing is taken for something else."""

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
from conftest import SMALL
from pydantic import ConfigDict, ValidationError
from pydantic.dataclasses import dataclass as pydantic_dataclass

from ablations.describe import catalogue, explain
from ablations.errors import UserError, in_one_line
from ablations.models import MODELS
from ablations.models.variant import Parameters, Variant
from ablations.registry import SYNONYMS
from ablations.studies import STUDIES
from ablations.study import Budget, Choice, Costs, Range, Scale, Study
from ablations.study.factors import MEANINGS, TRAINING
from ablations.study.search_space import flags_of
from tasks import TASKS

LR = Range(1e-3, 1e-1)
TASK = TASKS["adding"](length=4)
COSTS: dict[str, Any] = {"cells": ("lstm",), "reference": "lstm", "hidden": (8,), "rounds": 1, "length": 4, "batch": 4}


class M:
    """A class that is no variant."""


def complaint(make: Callable[[], object]) -> str:
    with pytest.raises((ValidationError, UserError)) as error:
        make()
    return in_one_line(error.value) if isinstance(error.value, ValidationError) else str(error.value)


@pytest.mark.parametrize("given", ["no", "yes", "False", 0, 1, 1.0, None, "off"])
def test_only_true_and_false_are_taken_for_one(study: Study, given: Any) -> None:
    for make in (lambda: Range(1e-3, 1e-1, log=given), lambda: replace(study, transferred=given)):
        words = complaint(make)
        assert "it is True or False" in words
        assert ("got" in words) == (given is not None)


def test_numpys_truth_is_pythons_own() -> None:
    assert Range(1, 2, log=np.bool_(False)).log is False  # type: ignore[arg-type]


@pytest.mark.parametrize("given", ["0.9", True, None, float("nan")])
def test_what_is_no_number_is_not_taken_for_one(study: Study, given: Any) -> None:
    assert "solved_at: it is a finite number" in complaint(lambda: replace(study, solved_at=given))


@pytest.mark.parametrize("field", [*asdict(SMALL)][:-1])
@pytest.mark.parametrize("given", ["4", True, None])
def test_no_count_of_a_budget_is_a_text_or_a_truth(field: str, given: Any) -> None:
    assert f"{field}: it is a whole number" in complaint(lambda: replace(SMALL, **{field: given}))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Parameters(True), "not True"),
        (lambda: Variant("x", "recurrent", parent=3, change="a"), "its parent is a text; got 3"),  # type: ignore[arg-type]
        (lambda: Variant("x", "recurrent", parent="lstm", change=4), "its change is a text; got 4"),  # type: ignore[arg-type]
        (lambda: Costs(**{**COSTS, "rounds": True}), "rounds: it is a whole number, got True"),
    ],
)
def test_a_truth_or_a_number_is_no_text_of_a_variant(make: Callable[[], object], words: str) -> None:
    assert words in complaint(make)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Budget(replicas=2), "Budget: unknown parameter 'replicas'; did you mean 'replicates'? Known: trials,"),  # type: ignore[call-arg]
        (lambda: Budget(**{**asdict(SMALL), "batch_size": 2}), "did you mean 'batch'?"),
        (lambda: Range(1, 2, lin=True), "Range: unknown parameter 'lin'; known: low, high, log, step, where"),  # type: ignore[call-arg]
        (lambda: Choice([1, 2], were={}), "did you mean 'where'?"),  # type: ignore[call-arg]
        (lambda: Scale(task={}, budget=SMALL), "Scale: unknown parameter 'task'; did you mean 'tasks'?"),  # type: ignore[call-arg]
        (lambda: Study(name="own", search={}), "Study: unknown parameter 'search'; did you mean 'nuisance'?"),  # type: ignore[call-arg]
        (lambda: Costs(**COSTS, cell="lstm"), "did you mean 'cells'?"),
    ],
)
def test_an_unknown_parameter_says_which_was_meant(make: Callable[[], object], words: str) -> None:
    assert words in complaint(make)


@pytest.mark.parametrize(
    ("tasks", "words"),
    [
        (["adding"], """tasks: it maps names, as {"adding": TASKS["adding"](length=50)}, got ['adding']"""),
        ("adding", "tasks: it maps names, as {"),
        (TASK, "tasks: it maps names, as {"),
        (
            {"adding": TASKS["adding"]},
            'tasks.adding: it is a Task, as TASKS["adding"](length=50), and Adding is a class; did you forget ()? '
            "Adding() is one",
        ),
        ({"adding": "adding"}, "tasks.adding: it is a Task, as TASKS[\"adding\"](length=50), got 'adding'"),
        ({"adding": M}, "and M is a class"),
    ],
)
def test_what_is_no_task_is_told_how_one_is_made(tasks: Any, words: str) -> None:
    text = complaint(lambda: Scale(tasks=tasks, budget=SMALL))
    assert text.startswith("Scale: ")
    assert words in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"variants": [Variant("a", "recurrent"), M]},
            'Study: variants.1: it is a Variant, as VARIANTS["lstm"], and M is a class',
        ),
        ({"variants": ["lstm"]}, "variants.0: it is a Variant, as VARIANTS[\"lstm\"], got 'lstm'"),
        ({"variants": [{"name": "a"}]}, "variants.0: it is a Variant"),
        ({"variants": Variant("a", "recurrent")}, 'variants: it is a list, as [VARIANTS["lstm"]], got Variant('),
        ({"variants": "lstm"}, "variants: it is a list"),
        ({"scales": {"smoke": SMALL}}, "scales.smoke: it is a Scale, as Scale(tasks=…, budget=…), got Budget("),
        (
            {"scales": {"smoke": Scale}},
            "scales.smoke: it is a Scale, as Scale(tasks=…, budget=…), and Scale is a class; did you forget ()?",
        ),
        ({"scales": []}, "scales: it maps names, as {"),
    ],
)
def test_what_is_no_variant_or_scale_is_told_how_one_is_made(study: Study, changes: Any, words: str) -> None:
    assert words in complaint(lambda: replace(study, **changes))


@pytest.mark.parametrize(
    ("budget", "words"), [({"trials": 1}, "budget: it is a Budget"), (Budget, "Budget is a class")]
)
def test_what_is_no_budget_is_told_how_one_is_made(budget: Any, words: str) -> None:
    assert words in complaint(lambda: Scale(tasks={"adding": TASK}, budget=budget))


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("learning_rate", "lr"),
        ("num_layers", "layers"),
        ("hidden_size", "hidden"),
        ("batch_size", "batch"),
        ("bsz", "batch"),
        ("wd", "weight_decay"),
        ("optimizer", "optimiser"),
        ("max_grad_norm", "clip"),
        ("LR", "lr"),
    ],
)
def test_what_others_call_a_factor_is_known(study: Study, name: str, own: str) -> None:
    text = complaint(lambda: replace(study, nuisance={"lr": LR, name: LR} if own != "lr" else {name: LR}))
    assert f"unknown nuisance or fixed factor '{name}'; did you mean '{own}'? Known: " in text
    for factor in (*TRAINING, "layers", "dropout"):
        assert f" {factor}" in text
    if own in ("lr", "clip", "weight_decay"):
        assert f"did you mean '{own}'?" in complaint(lambda: replace(study, fixed={name: 0.1}))


def test_no_name_of_ours_is_a_synonym_of_another() -> None:
    others = [name for names in SYNONYMS.values() for name in names]
    assert len(others) == len({*others})
    assert not {*others} & {*SYNONYMS, *TRAINING, *MODELS}


def test_each_factor_that_can_be_searched_is_listed_with_its_meaning() -> None:
    lines = catalogue({})["factors"]
    assert {*TRAINING} <= {*lines}
    flags = {flag for name in MODELS for flag in flags_of(Variant(name, name))} - {"cell", "direction"}
    assert {*lines} == {*TRAINING, *flags}
    assert {*MEANINGS} <= {*lines}
    for name in flags:
        assert name in MEANINGS
    for name, line in lines.items():
        assert len(line) > len(name)
        assert name in STUDIES or line in explain(name, {}, lambda study: "")


@pydantic_dataclass(config=ConfigDict(extra="forbid"))
class Needy:
    """What needs a parameter."""

    group: str


def test_of_several_mistakes_the_unknown_name_is_said() -> None:
    assert complaint(lambda: Needy(grup="S3")) == "Needy: grup: Unexpected keyword argument, got 'S3'"  # type: ignore[call-arg]
