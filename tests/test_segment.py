"""A cohort trains as its runs would alone, and every number is a pure function of its arguments."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from builders.tasks import can_answer
from builders.tasks_with_data import with_data

from ablations.models import MODELS
from ablations.models.variant import Variant
from ablations.train.batches import training_batches
from ablations.train.cohort import Cohort, TrainState
from ablations.train.segment import train_segment
from ablations.train.stacked import StackedNetworks
from ablations.train.training import Training
from tasks import TASKS, Batch

MakeCohort = Callable[..., Cohort]
VARIANTS = [Variant(name, name) for name in MODELS if name != "recurrent"]
VARIANTS += [Variant(cell, "recurrent", {"cell": cell}) for cell in ("rnn", "lstm", "gru")]


@pytest.mark.parametrize(
    ("variant", "task"),
    [
        with_data(task, variant, task, name=f"{variant.name}-{task}")
        for variant in VARIANTS
        for task in TASKS
        if can_answer(variant.model, task)
    ],
)
def test_a_step_in_a_cohort_agrees_with_the_same_step_alone(cohort: MakeCohort, task: str, variant: Variant) -> None:
    # Adam divides by the gradient's own size, and so turns the rounding of a gradient near zero into a visible step.
    optimiser = "adam" if variant.name == "lstm" else "sgd"
    together = replace(cohort(0.01, 0.003, 0.1, task=task, variant=variant), optimiser=optimiser)
    start = StackedNetworks(together).initial
    state, _ = train_segment(together, None, 1)
    for index in range(3):
        alone, _ = train_segment(together.only([index]), TrainState(start[[index]]), 1)
        torch.testing.assert_close(alone.theta[0], state.theta[index], rtol=0, atol=1e-6)


def test_a_cohort_step_is_the_step_of_a_plain_training_loop(cohort: MakeCohort) -> None:
    one = cohort(0.01, weight_decay=0.1, clip=0.05)
    networks = StackedNetworks(one)
    network, task, run = networks.model, one.setting.task, one.runs[0]
    optimiser = torch.optim.Adam(network.parameters(), lr=run.lr, weight_decay=run.weight_decay)
    stream = [lambda chunk: one.generator(run, "train", chunk)]
    for step, stacked in enumerate(training_batches(task, stream, 0, 8, one.budget.batch)):
        optimiser.param_groups[0]["lr"] = run.lr * (1 - step / one.budget.steps)
        batch = Batch(*(part[0] for part in stacked))
        optimiser.zero_grad()
        task.loss(network(batch.inputs, batch.mask), batch).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), run.clip)
        optimiser.step()
    expected = torch.cat([parameter.detach().flatten() for parameter in network.parameters()])
    state, _ = train_segment(one, None, 8)
    torch.testing.assert_close(state.theta[0], expected, rtol=0, atol=1e-5)


def test_segments_add_up(cohort: MakeCohort) -> None:
    runs = cohort(0.01, 0.02)
    whole, _ = train_segment(runs, None, 8)
    half, _ = train_segment(runs, None, 4)
    rest, _ = train_segment(runs, half, 4)
    torch.testing.assert_close(whole.theta, rest.theta, rtol=0, atol=0)


def test_advance_leaves_its_state_as_it_is(cohort: MakeCohort) -> None:
    runs = cohort(0.01, 0.02)
    state, _ = train_segment(runs, None, 4)
    kept = TrainState(state.theta.clone(), {name: moment.clone() for name, moment in state.moments.items()}, state.step)
    train_segment(runs, state, 4)
    assert torch.equal(state.theta, kept.theta)
    assert all(torch.equal(state.moments[name], kept.moments[name]) for name in kept.moments)


def test_same_arguments_give_the_same_bits(cohort: MakeCohort) -> None:
    first, second = (train_segment(cohort(0.01, 0.02), None, 8) for _ in range(2))
    assert torch.equal(first[0].theta, second[0].theta)
    assert [p.score for p in first[1]] == [p.score for p in second[1]]


def test_rows_of_a_state_can_be_trained_apart_and_put_back(cohort: MakeCohort) -> None:
    runs = cohort(0.01, 0.02, 0.03)
    state, _ = train_segment(runs, None, 4)
    part, _ = train_segment(runs.only([0, 2]), state.rows([0, 2]), 4)
    put = state.updated([0, 2], part)
    assert torch.equal(put.theta[[0, 2]], part.theta)
    assert torch.equal(put.theta[1], state.theta[1])


def test_replicates_of_one_seed_see_the_same_data_whatever_the_variant(cohort: MakeCohort) -> None:
    rnn = Variant("rnn", "recurrent", {"cell": "rnn"})
    draws = [
        c.setting.task.sample(c.generator(c.runs[1], "test"), 8).inputs
        for c in (cohort(0.1, 0.1), cohort(0.2, 0.2, variant=rnn))
    ]
    assert torch.equal(*draws)


@pytest.mark.parametrize("other", [("replicate", "validation"), ("trial", "train"), ("replicate", "test")])
def test_training_data_is_disjoint_from_other_streams(cohort: MakeCohort, other: tuple[str, str]) -> None:
    kind, purpose = other
    train = cohort(0.1).generator(cohort(0.1).runs[0], "train").random(1000)
    runs = cohort(0.1, kind=kind)
    assert not set(train) & set(runs.generator(runs.runs[0], purpose).random(1000))


def test_no_validation_sequence_is_of_training_or_of_the_test(cohort: MakeCohort) -> None:
    runs = cohort(0.1, task="adding")
    task, run, training, n = runs.setting.task, runs.runs[0], Training(runs), runs.budget.validation
    validated = {
        *training.nominal.inputs[..., 0].flatten().tolist(),
        *training.mixture.inputs[..., 0].flatten().tolist(),
    }
    streams = [(task.mixture(), "train", 0), (task, "train", 0), *((task.at(d), "test", d) for d in task.grid())]
    for drawn, purpose, part in streams:  # as many as are validated, so that an equal stream gives equal sequences
        values = drawn.sample(runs.generator(run, purpose, part), n).inputs[..., 0]
        assert validated & {*values.flatten().tolist()} <= {0.0}  # padding


def test_trials_share_their_data_and_start_and_replicates_do_not(cohort: MakeCohort) -> None:
    trials, replicates = (StackedNetworks(cohort(0.1, 0.2, kind=kind)).initial for kind in ("trial", "replicate"))
    assert torch.equal(trials[0], trials[1])
    assert not torch.equal(replicates[0], replicates[1])


def test_divergence_is_told_and_hurts_nobody_else(cohort: MakeCohort) -> None:
    runs = cohort(0.01, 0.01, task="adding")
    wild = replace(runs, optimiser="sgd", runs=(runs.runs[0], replace(runs.runs[1], lr=1e30, clip=1e30)))
    state, progress = train_segment(wild, None, 8)
    assert [p.diverged for p in progress] == [False, True]
    assert torch.isfinite(state.theta[0]).all()


def test_frozen_parameters_are_not_trained(cohort: MakeCohort) -> None:
    runs = cohort(0.1, 0.1, variant=Variant("reservoir", "reservoir"))
    networks = StackedNetworks(runs)
    assert set(networks.shapes) == {"head.weight", "head.bias"}
    assert any("recurrent" in name for name in networks.frozen)
