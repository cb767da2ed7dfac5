"""The contract that every task keeps; what each of them promises beside it is in the file of its name."""

from dataclasses import fields, replace
from inspect import getdoc
from math import sqrt
from textwrap import indent
from typing import Any

import numpy as np
import pytest
import torch
from builders.tasks import of_difficulty
from builders.tasks_with_data import EACH_TASK, with_data
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import Tensor

from tasks import IGNORED, TASKS, Batch, Task

FORMS: list[Task] = [
    TASKS["copying"](delay=7, items=3),
    TASKS["copying"](delay=7, items=3, loss_over="recall"),
    TASKS["selective-copying"](delay=7, items=3),
    TASKS["adding"](length=24),
    TASKS["adding"](length=24, protocol="hochreiter"),
    TASKS["multiplication"](length=24),
    TASKS["temporal-order"](length=24),
    TASKS["temporal-order"](length=24, marks=3),
    TASKS["parity"](length=9),
    TASKS["modulo"](length=9, modulus=4),
    TASKS["s3"](length=9),
    TASKS["a5"](length=9),
    TASKS["anbn"](pairs=8),
    TASKS["dyck"](pairs=8),
    TASKS["recall"](pairs=4, alphabet=9, fillers=2),
    TASKS["induction"](length=12, symbols=5),
    TASKS["digits"](delay=6),
    TASKS["digits"](delay=6, scan="permuted"),
    TASKS["france"](gap=6, distractors=2),
    TASKS["disambiguation"](lookahead=3, left_cue=0.3),
    TASKS["sentiment"](distance=5),
    TASKS["reviews"](length=12, words=300),
    TASKS["dates"](languages=3),
    TASKS["numbers"](digits=4, source="fr"),
]
NAMES = [f"{type(task).__name__}-{number}" for number, task in enumerate(FORMS)]
WITH_CUE = (TASKS["france"], TASKS["disambiguation"], TASKS["induction"])
WITH_VALIDATION = (TASKS["digits"], TASKS["reviews"], TASKS["dates"], TASKS["numbers"])
each_form = pytest.mark.parametrize(
    "task",
    [
        with_data("reviews" if name.startswith("Reviews") else "", task, name=name)
        for name, task in zip(NAMES, FORMS, strict=True)
    ],
)


def one_hot(classes: Tensor, count: int) -> Tensor:
    return torch.nn.functional.one_hot(classes.clamp(min=0), count).float()


def noise(task: Task, batch: Batch) -> Tensor:
    """Random outputs: one vector for each place in the targets."""
    return torch.randn(*batch.targets.shape, task.spec.outputs, generator=torch.Generator().manual_seed(0))


def oracle(task: Task, batch: Batch) -> Tensor:
    if task.spec.outputs == 1:
        return batch.targets[:, None]
    return one_hot(batch.targets, task.spec.outputs)


@each_form
def test_same_state_same_batch(task: Task) -> None:
    first, second = (task.mixture().sample(np.random.default_rng(5), 9) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@each_form
def test_the_generator_is_all_that_is_drawn_from(task: Task) -> None:
    rng = np.random.default_rng(0)
    before = rng.bit_generator.state["state"], torch.get_rng_state()
    task.sample(rng, 3)
    assert before[0] != rng.bit_generator.state["state"]
    assert torch.equal(before[1], torch.get_rng_state())


@each_form
def test_shapes_and_types_are_as_the_interface_says(task: Task) -> None:
    spec = task.spec
    inputs, targets, mask = task.mixture().sample(np.random.default_rng(0), 50)
    T = mask.shape[1]
    assert inputs.shape == ((50, T) if spec.vocabulary else (50, T, spec.features))
    assert inputs.dtype == (torch.int64 if spec.vocabulary else torch.float32)
    assert targets.shape[:1] == (50,)
    assert targets.shape[1:] == ((T,) if spec.per_step else targets.shape[1:2] if spec.symbols else ())
    assert spec.symbols >= (targets.shape[1] if spec.symbols else 0)
    assert mask.dtype == torch.bool
    assert spec.length >= T
    if spec.vocabulary:
        assert 0 <= int(inputs.min()) <= int(inputs.max()) < spec.vocabulary


@each_form
def test_masks_are_prefixes_and_padding_is_zero_and_unanswered(task: Task) -> None:
    inputs, targets, mask = task.mixture().sample(np.random.default_rng(0), 50)
    assert bool((mask[:, :-1] | ~mask[:, 1:]).all())
    assert int(mask.sum(1).min()) < mask.shape[1]
    assert not inputs[~mask].any()
    if task.spec.per_step:
        assert bool((targets[~mask] == IGNORED).all())
    if task.spec.symbols:
        is_answer = targets != IGNORED
        assert bool((is_answer[:, :-1] | ~is_answer[:, 1:]).all())


@each_form
def test_the_mixture_covers_all_difficulties_and_a_fixed_one_is_fixed(task: Task) -> None:
    drawn = task.mixture().draw_difficulties(np.random.default_rng(0), 4000)
    assert set(drawn) == set(range(task.min_difficulty, task.nominal + 1))
    assert set(task.at(task.nominal).draw_difficulties(np.random.default_rng(0), 50)) == {task.nominal}
    values, probabilities = task.mixture().difficulties()
    counts = np.bincount(drawn, minlength=task.nominal + 1)[values]
    assert np.abs(counts / 4000 - probabilities).max() < 4 * sqrt(0.25 / 4000)


@each_form
def test_networks_are_chosen_by_sequences_of_the_same_difficulties(task: Task) -> None:
    for form in (task.mixture(), task.at(task.nominal)):
        expected = replace(form, split="validation") if type(task) in WITH_VALIDATION else form
        assert form.validation() == expected


@each_form
def test_the_grid_has_the_nominal_difficulty_and_longer_ones(task: Task) -> None:
    assert task.nominal in task.grid()
    assert max(task.grid()) == min(2 * task.nominal, task.max_difficulty or 2 * task.nominal)
    assert list(task.grid()) == sorted(set(task.grid()))


@each_form
def test_an_oracle_scores_one_at_every_difficulty(task: Task) -> None:
    for difficulty in task.grid():
        harder = task.at(difficulty)
        batch = harder.sample(np.random.default_rng(difficulty), 40)
        assert harder.score(oracle(harder, batch), batch) == pytest.approx(1.0)


@each_form
def test_every_example_has_equal_weight(task: Task) -> None:
    batch = task.mixture().sample(np.random.default_rng(0), 12)
    outputs = noise(task, batch)
    for measure in (task.loss, task.score):
        apart = [measure(outputs[k : k + 1], Batch(*(part[k : k + 1] for part in batch))) for k in range(12)]
        torch.testing.assert_close(measure(outputs, batch), torch.stack(apart).mean())


@each_form
def test_a_cue_is_one_step_of_each_sequence_and_the_same_in_a_longer_batch(task: Task) -> None:
    batch = task.mixture().sample(np.random.default_rng(0), 30)
    cue = task.cue(batch)
    assert (cue is not None) == (type(task) in WITH_CUE)
    if cue is not None:
        assert (cue.shape, cue.dtype) == ((30,), torch.int64)
        assert bool(batch.mask[torch.arange(30), cue].all())
        zeros = torch.zeros_like(batch.mask)
        inputs, mask = torch.cat([batch.inputs, zeros.long()], 1), torch.cat([batch.mask, zeros], 1)
        assert torch.equal(cue, task.cue(Batch(inputs, batch.targets, mask)))


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("adding", {"length": 1}),
        ("adding", {"length": 11, "protocol": "hochreiter"}),
        ("adding", {"protocol": "bengio"}),
        ("copying", {"symbols": 1}),
        ("copying", {"loss_over": "blanks"}),
        ("selective-copying", {"loss_over": "blanks"}),
        ("multiplication", {"length": 11}),
        ("temporal-order", {"length": 9}),
        ("temporal-order", {"marks": 4}),
        ("modulo", {"modulus": 1}),
        ("dyck", {"pairs": 3}),
        ("recall", {"pairs": 9, "alphabet": 8}),
        ("recall", {"fillers": -1}),
        ("induction", {"length": 2}),
        ("induction", {"symbols": 1}),
        ("digits", {"scan": "columns"}),
        ("digits", {"split": "all"}),
        ("france", {"countries": 1}),
        ("france", {"countries": 3, "distractors": 3}),
        ("france", {"distractors": 9}),
        ("disambiguation", {"split": "validation"}),
        ("disambiguation", {"left_cue": 1.5}),
        ("sentiment", {"split": "validation"}),
        ("reviews", {"words": 1}),
        ("reviews", {"split": "all"}),
        ("dates", {"languages": 11}),
        ("dates", {"languages": 5, "shortest": 4}),
        ("numbers", {"digits": 7}),
        ("numbers", {"source": "de"}),
    ],
)
def test_impossible_parameters_of_one_task_are_errors(name: str, parameters: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TASKS[name](**parameters)


@each_form
def test_tasks_cannot_be_changed(task: Task) -> None:
    with pytest.raises((ValidationError, AttributeError)):
        task.shortest = 3


@each_form
def test_the_worked_example_can_be_read(task: Task) -> None:
    batch = task.sample(np.random.default_rng(0), 9)
    assert len({task.read(batch, index) for index in range(9)}) > 1


# task -> parameters, the seed that draws the worked examples of its docstring, and how many these are
WORKED_EXAMPLES: dict[str, tuple[dict[str, Any], int, int]] = {
    "selective-copying": ({"delay": 6, "items": 3}, 0, 1),
    "multiplication": ({"length": 12}, 0, 1),
    "temporal-order": ({"length": 12}, 1, 1),
    "parity": ({"length": 8}, 0, 1),
    "modulo": ({"length": 8}, 0, 1),
    "s3": ({"length": 6}, 0, 1),
    "a5": ({"length": 6}, 3, 1),
    "anbn": ({"pairs": 3}, 21, 3),
    "dyck": ({"pairs": 5}, 21, 3),
    "recall": ({"pairs": 2, "fillers": 1}, 0, 1),
    "induction": ({"length": 10, "symbols": 4}, 2, 1),
    "digits": ({}, 25, 1),
}


@pytest.mark.parametrize("name", WORKED_EXAMPLES)
def test_the_worked_example_of_a_docstring_is_one_that_the_task_draws(name: str) -> None:
    parameters, seed, count = WORKED_EXAMPLES[name]
    task = TASKS[name](**parameters)
    batch = task.sample(np.random.default_rng(seed), 3)
    example = "\n".join(task.read(batch, index) for index in range(count))
    assert indent(example, "    ") in str(getdoc(TASKS[name]))


@each_form
def test_padding_by_hand_changes_neither_loss_nor_score(task: Task) -> None:
    inputs, targets, mask = batch = task.mixture().sample(np.random.default_rng(0), 30)

    def padded(part: Tensor, value: float) -> Tensor:
        return torch.cat([part, torch.full((30, 4, *part.shape[2:]), value).to(part.dtype)], dim=1)

    longer = Batch(padded(inputs, 0), targets, padded(mask, False))
    outputs = longer_outputs = noise(task, batch)
    if targets.dim() > 1:
        longer = longer._replace(targets=padded(targets, IGNORED))
        longer_outputs = noise(task, longer)
        outputs = longer_outputs[:, : targets.shape[1]]
    for measure in (task.loss, task.score):
        torch.testing.assert_close(measure(longer_outputs, longer), measure(outputs, batch))


@pytest.mark.parametrize("task", [task for task in FORMS if task.spec.per_step or task.spec.symbols])
def test_what_is_said_on_padding_changes_neither_loss_nor_score(task: Task) -> None:
    batch = task.mixture().sample(np.random.default_rng(0), 30)
    outputs = noise(task, batch)
    otherwise = torch.where((batch.targets != IGNORED)[..., None], outputs, 5 - outputs)
    for measure in (task.loss, task.score):
        assert measure(outputs, batch) == measure(otherwise, batch)


@each_form
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_every_sequence_has_a_difficulty_between_the_shortest_and_the_nominal_one(
    task: Task, data: st.DataObject
) -> None:
    shortest = data.draw(st.integers(task.min_difficulty, task.nominal))
    difficulty_sampling = data.draw(st.sampled_from(["uniform", "logarithmic"]))
    drawn = replace(task, shortest=shortest, difficulty_sampling=difficulty_sampling).draw_difficulties(
        np.random.default_rng(0), 50
    )
    assert shortest <= drawn.min() <= drawn.max() <= task.nominal


@each_form
def test_spreads_are_even_in_the_number_or_in_its_logarithm(task: Task) -> None:
    values, even = replace(task, shortest=task.min_difficulty, difficulty_sampling="uniform").difficulties()
    assert even == pytest.approx(1 / len(values))
    _, weights = task.mixture().difficulties()
    assert np.cumsum(weights) == pytest.approx(np.log((values + 1) / values[0]) / np.log((values[-1] + 1) / values[0]))


@pytest.mark.parametrize("name", TASKS)
@given(st.integers(12, 400))
@settings(max_examples=20, deadline=None)
def test_any_grid_goes_from_easy_to_twice_the_nominal_difficulty(name: str, nominal: int) -> None:
    task = of_difficulty(name, nominal)
    grid = task.grid()
    assert grid[0] <= max(task.min_difficulty, nominal / 8)
    assert task.nominal in grid
    assert grid[-1] == min(2 * nominal, task.max_difficulty or 2 * nominal)
    assert list(grid) == sorted(set(grid))
    assert all(task.at(difficulty).nominal == difficulty for difficulty in grid)


@pytest.mark.parametrize("name", EACH_TASK)
@pytest.mark.parametrize("n", [1, 3])
def test_a_batch_has_as_many_sequences_as_asked_for_and_other_seeds_give_others(name: str, n: int) -> None:
    task = TASKS[name]().mixture()
    one, other = (task.sample(np.random.default_rng(seed), n) for seed in (0, 1))
    assert all(len(part) == n for batch in (one, other) for part in batch)
    assert one.inputs.shape != other.inputs.shape or not torch.equal(one.inputs, other.inputs)


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"DIFFICULTY": 0}, "DIFFICULTY"),
        ({"DIFFICULTY": -1}, "DIFFICULTY"),
        ({"DIFFICULTY": 2.5}, "DIFFICULTY"),
        ({"DIFFICULTY": "long"}, "DIFFICULTY"),
        ({"DIFFICULTY": None}, "DIFFICULTY"),
        ({"shortest": 0}, "shortest"),
        ({"shortest": -4}, "shortest"),
        ({"shortest": 1000}, "shortest"),
        ({"shortest": "short"}, "shortest"),
        ({"difficulty_sampling": "odd"}, "difficulty_sampling"),
        ({"no_such_parameter": 1}, "no_such_parameter"),
    ],
)
def test_every_task_refuses_what_cannot_be_and_says_what(name: str, wrong: dict[str, Any], named: str) -> None:
    difficulty = TASKS[name].difficulty
    with pytest.raises(ValidationError, match=named.replace("DIFFICULTY", difficulty)):
        TASKS[name](**{key.replace("DIFFICULTY", difficulty): value for key, value in wrong.items()})


@each_form
def test_references_are_scores_between_chance_and_perfect(task: Task) -> None:
    references = task.references()
    assert references["perfect"] == 1
    assert 0 < references["chance"] < 1
    assert all(0 <= value <= 1 for value in references.values())
    assert all(value > 0 for value in task.loss_references().values())


# Every parameter of every task that its references may depend on, over values inside and outside what it allows.
PARAMETERS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "copying": {
        "delay": st.integers(0, 60),
        "items": st.integers(0, 5),
        "symbols": st.integers(0, 9),
        "loss_over": st.sampled_from(["all steps", "recall"]),
    },
    "selective-copying": {
        "delay": st.integers(0, 60),
        "items": st.integers(0, 5),
        "symbols": st.integers(0, 9),
        "loss_over": st.sampled_from(["all steps", "recall"]),
    },
    "adding": {"length": st.integers(0, 60), "protocol": st.sampled_from(["arjovsky", "hochreiter"])},
    "multiplication": {"length": st.integers(0, 60)},
    "temporal-order": {"length": st.integers(0, 60), "marks": st.integers(1, 4)},
    "parity": {"length": st.integers(0, 60)},
    "modulo": {"length": st.integers(0, 60), "modulus": st.integers(0, 9)},
    "s3": {"length": st.integers(0, 60)},
    "a5": {"length": st.integers(0, 60)},
    "anbn": {"pairs": st.integers(0, 60)},
    "dyck": {"pairs": st.integers(0, 60)},
    "recall": {"pairs": st.integers(0, 9), "alphabet": st.integers(0, 9), "fillers": st.integers(-1, 4)},
    "induction": {"length": st.integers(0, 60), "symbols": st.integers(0, 9)},
    "digits": {
        "delay": st.integers(0, 9),
        "scan": st.sampled_from(["rows", "permuted"]),
        "split": st.sampled_from(["training", "test"]),
    },
    "france": {"gap": st.integers(0, 60), "distractors": st.integers(0, 8), "countries": st.integers(0, 11)},
    "disambiguation": {
        "lookahead": st.integers(0, 9),
        "left_cue": st.floats(-0.1, 1.1) | st.just(float("nan")),
        "split": st.sampled_from(["training", "test"]),
    },
    "sentiment": {"distance": st.integers(0, 60), "split": st.sampled_from(["training", "test"])},
    "reviews": {
        "length": st.integers(0, 60),
        "words": st.integers(0, 3000),
        "split": st.sampled_from(["training", "validation", "test"]),
    },
    "dates": {"languages": st.integers(0, 11), "split": st.sampled_from(["training", "validation", "test"])},
    "numbers": {
        "source": st.sampled_from(["en", "de", "fr"]),
        "target": st.sampled_from(["en", "de", "fr"]),
        "digits": st.integers(2, 5),
        "split": st.sampled_from(["training", "validation", "test"]),
    },
}


@pytest.mark.parametrize("name", TASKS)
def test_every_parameter_of_a_task_is_drawn_in_the_test_of_its_references(name: str) -> None:
    assert {field.name for field in fields(TASKS[name])} == {*PARAMETERS[name], "shortest", "difficulty_sampling"}  # type: ignore[arg-type]


@pytest.mark.parametrize("name", EACH_TASK)
@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_chance_is_below_perfect_in_every_task_that_can_be_made(name: str, data: st.DataObject) -> None:
    """Otherwise skill, (score − chance) / (perfect − chance), would divide by zero."""
    parameters = {parameter: data.draw(values, parameter) for parameter, values in PARAMETERS[name].items()}
    try:
        references = TASKS[name](**parameters).references()
    except ValidationError:
        return
    assert references["chance"] < references["perfect"]


@pytest.mark.parametrize("name", EACH_TASK)
def test_the_steps_of_a_sequence_are_as_many_as_it_has(name: str) -> None:
    task = of_difficulty(name, 3)
    batch = task.sample(np.random.default_rng(0), 3)
    for index in range(3):
        assert len(task.read_steps(batch, index)) == int(batch.mask[index].sum())


def test_what_is_to_be_stored_is_where_the_answer_comes_from() -> None:
    copying, adding = TASKS["copying"](delay=4, items=3), TASKS["adding"](length=6)
    rng = np.random.default_rng(0)
    batch = copying.sample(rng, 1)
    steps = copying.read_steps(batch, 0)
    stored, answered = ([step for step in steps if step.role == role] for role in ("store", "answer"))
    assert len(stored) == len(answered) == 3
    names = [chr(ord("a") + k) for k in batch.targets[0, -3:].tolist()]
    assert [step.text for step in stored] == names
    batch = adding.sample(rng, 1)
    marked = [float(step.text) for step in adding.read_steps(batch, 0) if step.role == "store"]
    assert sum(marked) == pytest.approx(float(batch.targets[0]), abs=0.11)
