"""What a trained cohort is asked in the end: scores at every difficulty, gradients over distance, operations."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import functional_call
from torch.utils.flop_counter import FlopCounterMode

from ablations.models import LengthError
from ablations.models.backends import eager_backend
from ablations.train.batches import stack
from ablations.train.cohort import Cohort, TrainState
from ablations.train.metrics import Curve
from ablations.train.segment import evaluate
from ablations.train.stacked import StackedNetworks
from tasks import Batch

EXAMPLES = 64
"""The test sequences that gradients are averaged over."""


@dataclass(frozen=True)
class Evaluation:
    """One run's test: curves by difficulty and by distance, named as the record names them."""

    curves: dict[str, Curve]
    flops_per_sequence: float


def evaluate_test(cohort: Cohort, state: TrainState) -> list[Evaluation]:
    """Tests every run on its own test stream, disjoint from what it was trained, tuned and stopped on."""
    networks = StackedNetworks(cohort)
    tested = _test(cohort, networks, state.theta)
    flops = count_flops(cohort)
    if not cohort.setting.task.spec.per_step:
        batch = _test_batch(cohort, cohort.setting.task.nominal, EXAMPLES)
        for index, curves in enumerate(tested):
            for name, theta in {"gradient_initial": networks.initial, "gradient_trained": state.theta}.items():
                curves[name] = _gradient_by_distance(cohort, networks, theta, batch, index)
    return [Evaluation(curves, flops) for curves in tested]


def count_flops(cohort: Cohort) -> float:
    """Floating point operations of the matrix products that one nominal sequence takes, forward and backward."""
    task, run = cohort.setting.task, cohort.runs[0]
    batch = task.at(task.nominal).sample(cohort.generator(run, "test"), 1)
    network = StackedNetworks(cohort.only([0])).model
    with eager_backend(), FlopCounterMode(display=False) as counter:  # it does not see into kernels
        task.loss(network(batch.inputs), batch).backward()
    return float(counter.get_total_flops())


def _test(cohort: Cohort, networks: StackedNetworks, theta: Tensor) -> list[dict[str, Curve]]:
    task = cohort.setting.task
    curves: list[dict[str, Curve]] = [{} for _ in cohort.runs]
    for difficulty in task.grid():
        batch = _test_batch(cohort, difficulty, cohort.budget.test)
        try:
            score, loss = (values.tolist() for values in evaluate(cohort, networks, theta, batch))
            columns = {"test_score": score, "test_loss": loss}
        except LengthError:
            columns = {"refused": [1.0] * len(cohort.runs)}
        for name, values in columns.items():
            for curve, value in zip(curves, values, strict=True):
                curve[name] = (*curve.get(name, ()), (difficulty, value))
    return curves


def _test_batch(cohort: Cohort, difficulty: int, size: int) -> Batch:
    task = cohort.setting.task.at(difficulty)
    return stack([task.sample(cohort.generator(run, "test", difficulty), size) for run in cohort.runs])


def _gradient_by_distance(
    cohort: Cohort, networks: StackedNetworks, theta: Tensor, stacked: Batch, index: int
) -> Curve:
    """The mean norm of d loss / d (encoded input) at each distance, in steps, before the last step of a sequence."""
    task, batch = cohort.setting.task, Batch(*(part[index] for part in stacked))
    parameters = {name: part[index].detach() for name, part in networks.parameters(theta).items()}
    read: list[Tensor] = []
    handle = networks.model.encoder.register_forward_hook(_keep(read))
    try:
        loss = task.loss(functional_call(networks.model, parameters, (batch.inputs, batch.mask)), batch)
    finally:
        handle.remove()
    (gradient,) = torch.autograd.grad(loss * EXAMPLES, read)
    norms = torch.linalg.vector_norm(gradient, dim=-1)
    distance = batch.mask.sum(1, keepdim=True) - 1 - torch.arange(batch.mask.shape[1])
    distances = range(int(distance.max()) + 1)
    return tuple((d, norms[distance == d].mean().item()) for d in distances)


def _keep(read: list[Tensor]) -> Callable[..., Tensor]:
    """A hook that makes an encoder's output a leaf, which gradients are taken to, and keeps it."""

    def hook(_module: torch.nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        leaf = output.detach().requires_grad_()
        read.append(leaf)
        return leaf

    return hook
