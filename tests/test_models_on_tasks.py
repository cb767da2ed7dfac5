"""Every model fits every task, and keeps its promises on the sequences that the task draws."""

from collections.abc import Iterable
from itertools import cycle
from typing import Any

import numpy as np
import pytest
import torch
from builders.tasks import WRITERS, can_answer
from builders.tasks_with_data import with_data
from torch.func import functional_call, vmap

from ablations.errors import UserError
from ablations.models import CELLS, MODELS, LengthError, Network
from ablations.models.variant import Variant
from tasks import TASKS, Batch, Task

REAL: dict[str, Task] = {
    "copying": TASKS["copying"](delay=5, items=2).mixture(),
    "adding": TASKS["adding"](length=12, protocol="hochreiter").mixture(),
    "selective-copying": TASKS["selective-copying"](delay=5, items=2).mixture(),
    "multiplication": TASKS["multiplication"](length=14).mixture(),
    "temporal-order": TASKS["temporal-order"](length=12).mixture(),
    "parity": TASKS["parity"](length=7).mixture(),
    "modulo": TASKS["modulo"](length=7).mixture(),
    "s3": TASKS["s3"](length=7).mixture(),
    "a5": TASKS["a5"](length=7).mixture(),
    "anbn": TASKS["anbn"](pairs=4).mixture(),
    "dyck": TASKS["dyck"](pairs=6).mixture(),
    "recall": TASKS["recall"](pairs=3, alphabet=6, fillers=1).mixture(),
    "induction": TASKS["induction"](length=7).mixture(),
    "digits": TASKS["digits"](delay=4).mixture(),
    "france": TASKS["france"](gap=5).mixture(),
    "disambiguation": TASKS["disambiguation"](lookahead=4).mixture(),
    "sentiment": TASKS["sentiment"](distance=2).mixture(),
    "reviews": TASKS["reviews"](length=20, words=50).mixture(),
    "dates": TASKS["dates"](languages=2).mixture(),
    "numbers": TASKS["numbers"](digits=4).mixture(),
}


def pairs(variants: Iterable[Variant], tasks: Iterable[str]) -> list[Any]:
    """Every variant on every task that it can answer, as the arguments of a test."""
    tasks = list(tasks)
    return [
        with_data(task, v, task, name=f"{v.name}-{task}")
        for v in variants
        for task in tasks
        if can_answer(v.model, task)
    ]


MODEL_VARIANTS = [Variant(name, name) for name in MODELS]
ONE_OF_EACH_KIND = ("copying", "adding")  # words with an answer for each step; features with one answer
ON_ALL_TASKS = pairs(MODEL_VARIANTS, REAL)
ON_TWO_TASKS = pairs(MODEL_VARIANTS, ONE_OF_EACH_KIND)
WRITING = pairs(MODEL_VARIANTS, ["dates", "numbers"])
# Every cell in both directions and two layers, each on one task, the tasks in turn.
CELLS_ON_A_TASK = [
    pair
    for cell, task in zip(CELLS, cycle(REAL), strict=False)
    for pair in pairs([Variant(cell, "recurrent", {"cell": cell, "layers": 2, "direction": "both"})], [task])
]


def fit(variant: Variant, task: str, n: int = 8) -> tuple[Network, Batch]:
    """A model of a task, and a batch of sequences of several lengths."""
    torch.manual_seed(0)
    return variant.build(REAL[task].spec, 6, seed=1), REAL[task].sample(np.random.default_rng(2), n)


def test_every_task_has_a_small_form_here() -> None:
    assert REAL.keys() == TASKS.keys()


@pytest.mark.parametrize(("variant", "task"), [*ON_ALL_TASKS, *CELLS_ON_A_TASK])
def test_every_model_fits_every_task(variant: Variant, task: str) -> None:
    model, batch = fit(variant, task)
    outputs = model(batch.inputs, batch.mask, **model.told(batch.targets))
    assert outputs.shape == (*batch.targets.shape, REAL[task].spec.outputs)
    REAL[task].loss(outputs, batch).backward()
    for name, parameter in model.named_parameters():
        if parameter.numel():
            assert (parameter.grad is not None) == parameter.requires_grad, name
    assert 0 <= float(REAL[task].score(outputs, batch)) <= 1


@pytest.mark.parametrize(("variant", "task"), [*ON_TWO_TASKS, *WRITING, *CELLS_ON_A_TASK])
def test_a_sequence_is_answered_alike_alone_and_among_longer_ones(variant: Variant, task: str) -> None:
    """Whatever stands in the padding."""
    model, batch = fit(variant, task)
    inputs, _, mask = batch
    prefix = model.told(batch.targets)
    assert not bool(mask.all())
    noise = (
        torch.randn_like(inputs) if inputs.ndim == 3 else torch.randint_like(inputs, REAL[task].spec.vocabulary or 1)
    )
    inputs = torch.where(mask if inputs.ndim == 2 else mask[..., None], inputs, noise)
    together = model(inputs, mask, **prefix)
    for row, length in enumerate(mask.sum(1).tolist()):
        own = {name: symbols[row : row + 1] for name, symbols in prefix.items()}
        alone = model(inputs[row : row + 1, :length], **own)[0]
        among = together[row, :length] if REAL[task].spec.per_step else together[row]
        torch.testing.assert_close(among, alone, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("variant", "task"), pairs(MODEL_VARIANTS, ["copying"]))
def test_what_comes_later_matters_to_those_that_are_not_causal_and_to_no_other(variant: Variant, task: str) -> None:
    """One step after another is changed alone; the answers before it change every time, or never."""
    model, (inputs, _, _) = fit(variant, task)
    answers, changed = model(inputs), []
    for step in range(1, inputs.shape[1]):
        other = inputs.clone()
        other[:, step] = (other[:, step] + 1) % REAL[task].spec.vocabulary
        assert not torch.equal(model(other)[:, step:], answers[:, step:])
        changed.append(not torch.allclose(model(other)[:, :step], answers[:, :step], rtol=0, atol=1e-7))
    assert set(changed) == {not model.causal}


@pytest.mark.parametrize(("variant", "task"), [*ON_TWO_TASKS, *WRITING])
def test_a_cohort_on_padded_batches_is_its_members(variant: Variant, task: str) -> None:
    models = [variant.build(REAL[task].spec, 6, seed) for seed in range(3)]
    stacked = {
        name: torch.stack([model.get_parameter(name) for model in models]) for name, _ in models[0].named_parameters()
    }
    batch = REAL[task].sample(np.random.default_rng(0), 4)
    arguments, prefix = (batch.inputs, batch.mask), models[0].told(batch.targets)
    together = vmap(lambda parameters: functional_call(models[0], parameters, arguments, prefix))(stacked)
    alone = torch.stack([model(*arguments, **prefix) for model in models])
    torch.testing.assert_close(together, alone, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("variant", "task"), ON_TWO_TASKS)
def test_only_the_feedforward_network_cannot_take_longer_sequences(variant: Variant, task: str) -> None:
    model, _ = fit(variant, task)
    harder = REAL[task].at(2 * REAL[task].nominal)
    inputs, _, mask = harder.sample(np.random.default_rng(0), 2)
    longest, T = REAL[task].spec.length, mask.shape[1]
    assert longest < T
    if variant.model == "feedforward":
        with pytest.raises(LengthError, match=f"at most {longest} steps, the sequence has {T}"):
            model(inputs, mask)
    else:
        assert bool(model(inputs, mask).isfinite().all())


@pytest.mark.parametrize("name", sorted(MODELS.keys() - WRITERS))
def test_a_model_without_a_decoder_says_that_it_cannot_write_answers(name: str) -> None:
    with pytest.raises(UserError, match=f"the model '{name}' has no decoder"):
        Variant(name, name).build(REAL["dates"].spec, 6, seed=1)
