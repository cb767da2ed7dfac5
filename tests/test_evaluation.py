"""The test of a trained cohort: the gradient's norm over distance and at the cue, against each example alone."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from builders.tasks_with_data import EACH_TASK
from torch import Tensor

from ablations.models.variant import Variant
from ablations.record.schema import VALUES
from ablations.run.outcomes import run_metrics
from ablations.study.budget import FAR_SEQUENCES
from ablations.train import evaluation as module
from ablations.train.cohort import Cohort
from ablations.train.evaluation import EXAMPLES, evaluate_test
from ablations.train.segment import train_segment
from ablations.train.stacked import StackedNetworks
from tasks import Batch, Task

MakeCohort = Callable[..., Cohort]
WHEN = ("gradient_at_cue_initial", "gradient_at_cue_trained")


def example_norms(cohort: Cohort, theta: Tensor, index: int) -> tuple[Batch, Tensor]:
    """A run's batch of test sequences, and the norm of each one's gradient at each step, one sequence after another."""
    setting, run = cohort.setting, cohort.runs[index]
    task: Task = setting.task.at(setting.task.nominal)
    batch = task.sample(cohort.generator(run, "test", task.nominal), EXAMPLES)
    network = setting.variant.build(task.spec, setting.size, seed=0)
    torch.nn.utils.vector_to_parameters(theta, network.parameters())
    norms = torch.zeros(batch.mask.shape)
    for k, length in enumerate(batch.mask.sum(1).tolist()):
        x = network.encoder(batch.inputs[k : k + 1, :length]).detach().requires_grad_()
        loss = task.loss(network.forward_encoded(x, None), Batch(*(part[k : k + 1] for part in batch)))
        (gradient,) = torch.autograd.grad(loss, x)
        norms[k, :length] = gradient.norm(dim=-1)[0]
    return batch, norms


def test_the_gradient_at_the_cue_is_the_mean_over_the_examples_one_by_one(cohort: MakeCohort) -> None:
    runs = cohort(0.05, 0.1)
    state, _ = train_segment(runs, None, 8)
    for index, evaluation in enumerate(evaluate_test(runs, state)):
        batch, norms = example_norms(runs, state.theta[index], index)
        cue = runs.setting.task.cue(batch)
        assert cue is not None
        expected = norms[torch.arange(EXAMPLES), cue].mean()
        assert evaluation.values["gradient_at_cue_trained"] == pytest.approx(float(expected), rel=1e-3)
        assert len({evaluation.values[name] for name in WHEN}) == 2
        last = norms[torch.arange(EXAMPLES), batch.mask.sum(1) - 1].mean()  # the curve has the same units
        assert dict(evaluation.curves["gradient_trained"])[0] == pytest.approx(float(last), rel=1e-3)


@pytest.mark.parametrize("task", EACH_TASK)
def test_the_gradient_at_the_cue_is_recorded_where_a_task_with_one_answer_gives_a_cue(
    cohort: MakeCohort, task: str
) -> None:
    runs = cohort(0.05, task=task)
    state, _ = train_segment(runs, None, 2)
    (evaluation,) = evaluate_test(runs, state)
    names = WHEN if task in ("france", "induction") else ()
    curves = dict.fromkeys(("validation_score", "validation_loss", "validation_mixture_score"), ((8, 0.5),))
    metrics = run_metrics(curves, "finished", evaluation, runs.setting.task.nominal, 0.9)
    assert {name for name in metrics if name.startswith("gradient_at_cue")} == set(names)
    assert metrics.keys() <= VALUES.keys()


def far_cohort(make: MakeCohort, model: str = "lstm") -> Cohort:
    """Two runs on parity up to length 3, tested at lengths 20 and 50 too."""
    variant = Variant(model, "recurrent", {"cell": model}) if model == "lstm" else Variant(model, model)
    runs = make(0.05, 0.1, task="parity", variant=variant)
    return replace(runs, budget=replace(runs.budget, far=(20, 50)))


def test_a_far_score_is_that_of_each_runs_own_test_stream_at_that_difficulty(cohort: MakeCohort) -> None:
    runs = far_cohort(cohort)
    state, _ = train_segment(runs, None, 2)
    evaluations = evaluate_test(runs, state)
    task = runs.setting.task
    for index, run in enumerate(runs.runs):
        network = runs.setting.variant.build(task.spec, runs.setting.size, seed=0).eval()
        torch.nn.utils.vector_to_parameters(state.theta[index], network.parameters())
        for difficulty, score in evaluations[index].curves["far_test_score_by_difficulty"]:
            batch = task.at(difficulty).sample(runs.generator(run, "test", difficulty), FAR_SEQUENCES)
            assert batch.mask.shape == (FAR_SEQUENCES, difficulty)
            assert score == pytest.approx(task.score(network(batch.inputs), batch).item())


def test_far_tests_add_a_curve_and_change_no_other_number(cohort: MakeCohort) -> None:
    runs = far_cohort(cohort)
    near = replace(runs, budget=replace(runs.budget, far=()))
    state, _ = train_segment(runs, None, 2)
    for with_far, without in zip(evaluate_test(runs, state), evaluate_test(near, state), strict=True):
        assert [difficulty for difficulty, _ in with_far.curves.pop("far_test_score_by_difficulty")] == [20, 50]
        assert with_far == without


def test_far_sequences_are_tested_in_pieces_that_bound_the_memory(
    cohort: MakeCohort, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = far_cohort(cohort)
    state, _ = train_segment(runs, None, 2)
    whole = evaluate_test(runs, state)
    sizes: list[int] = []
    original = StackedNetworks.answers

    def counted(networks: StackedNetworks, theta: Tensor, buffers: dict[str, Tensor], batch: Batch) -> Tensor:
        sizes.append(batch.mask.numel())
        return original(networks, theta, buffers, batch)

    monkeypatch.setattr(StackedNetworks, "answers", counted)
    monkeypatch.setattr(module, "FAR_STEPS", 200)
    for pieces, at_once in zip(evaluate_test(runs, state), whole, strict=True):
        assert np.array(pieces.curves["far_test_score_by_difficulty"]) == pytest.approx(
            np.array(at_once.curves["far_test_score_by_difficulty"])
        )
    far = sizes[len(runs.setting.task.grid()) :]
    assert sum(far) == 2 * FAR_SEQUENCES * (20 + 50)
    assert max(far) <= 200


def test_a_model_of_a_fixed_length_refuses_far_sequences(cohort: MakeCohort) -> None:
    runs = far_cohort(cohort, "feedforward")
    state, _ = train_segment(runs, None, 2)
    for evaluation in evaluate_test(runs, state):
        assert {20, 50} < set(dict(evaluation.curves["refused_by_difficulty"]))
        assert "far_test_score_by_difficulty" not in evaluation.curves
