"""The test of a trained cohort: the gradient's norm over distance and at the cue, against each example alone."""

from collections.abc import Callable

import pytest
import torch
from builders.tasks_with_data import EACH_TASK
from torch import Tensor

from ablations.record.schema import VALUES
from ablations.run.outcomes import run_metrics
from ablations.train.cohort import Cohort
from ablations.train.evaluation import EXAMPLES, evaluate_test
from ablations.train.segment import train_segment
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
    curves = dict.fromkeys(("score", "loss", "mixed_score"), ((8, 0.5),))
    metrics = run_metrics(curves, "finished", evaluation, runs.setting.task.nominal, 0.9)
    assert {name for name in metrics if name.startswith("gradient_at_cue")} == set(names)
    assert metrics.keys() <= VALUES.keys()
