"""The test of a trained cohort: scores at every difficulty, gradients over distance and at the cue, operations.

R runs, P trained parameters of each, n sequences of each run, T steps, D the size of an encoded step.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call
from torch.utils.flop_counter import FlopCounterMode

from ablations.models import LengthError
from ablations.models.backends import eager_backend
from ablations.study.budget import FAR_SEQUENCES
from ablations.study.seeds import generator
from ablations.train.alignment import attention_on_pairs
from ablations.train.batches import stack, trim
from ablations.train.cohort import Cohort, TrainState
from ablations.train.metrics import Curve
from ablations.train.segment import PIECE, evaluate
from ablations.train.stacked import StackedNetworks
from tasks import Batch

EXAMPLES = 64
"""The number of test sequences over which gradients are averaged."""

FAR_STEPS = 1 << 19
"""Steps of all runs together in one pass over far sequences: 10 runs of 3,000 parameters need a third of a gigabyte, and
fewer steps at once took up to 1.7 times as long."""


@dataclass(frozen=True)
class Evaluation:
    """One run's test: curves by difficulty and by distance, under the names of the record.

    `values`: `flops_per_sequence`, the gradient at the cue where a task gives one, and scores of attention where it can be
    scored. `attention`: what the first run attended to in one pair, see `Attended`.
    """

    curves: dict[str, Curve]
    values: dict[str, float]
    attention: dict[str, Any] = field(default_factory=dict)


def evaluate_test(cohort: Cohort, state: TrainState) -> list[Evaluation]:
    """Tests every run on a test stream of its own. No training, validation or search has used these sequences."""
    networks = StackedNetworks(cohort)
    flops = count_flops(cohort)
    evaluations = [Evaluation(curves, {"flops_per_sequence": flops}) for curves in _test(cohort, networks, state)]
    for evaluation, attended in zip(evaluations, attention_on_pairs(cohort, networks, state), strict=True):
        evaluation.values.update(attended.scores)
        evaluation.attention.update(attended.example)
    spec = cohort.setting.task.spec
    if not spec.per_step and not spec.symbols:
        batch = _test_batch(cohort, cohort.setting.task.nominal, EXAMPLES)
        start = TrainState(networks.initial, buffers=networks.initial_buffers)
        for index, evaluation in enumerate(evaluations):
            own = Batch(*(part[index] for part in batch))
            for when, at in {"initial": start, "trained": state}.items():
                norms = _gradient_norms(cohort, networks, at, own, index)
                evaluation.curves[f"gradient_{when}"] = _by_distance(norms, own.mask)
                cue = cohort.setting.task.cue(own)
                if cue is not None:
                    at_cue = norms.gather(1, cue.unsqueeze(1)).mean().item()
                    evaluation.values[f"gradient_at_cue_{when}"] = at_cue
    return evaluations


def count_flops(cohort: Cohort) -> float:
    """Floating point operations of the matrix products for one sequence of nominal difficulty, forward and backward.

    It is one of the longest, the same for all runs and variants.
    """
    task = cohort.setting.task
    drawn = task.at(task.nominal).sample(generator(cohort.seed, cohort.setting.label, "operations"), EXAMPLES)
    longest = [int(drawn.mask.sum(1).argmax())]
    batch = Batch(*(part[0] for part in trim(stack([Batch(*(part[longest] for part in drawn))]), task.spec)))
    network = StackedNetworks(cohort.only([0])).model.eval()
    # It does not see into kernels, nor into those of oneDNN, by which torch.nn.LSTM is computed.
    with eager_backend(), _without_onednn(), FlopCounterMode(display=False) as counter:
        task.loss(network(batch.inputs, **network.told(batch.targets)), batch).backward()
    return float(counter.get_total_flops())


@contextmanager
def _without_onednn() -> Iterator[None]:
    before = torch._C._get_mkldnn_enabled()
    torch._C._set_mkldnn_enabled(False)  # `flags`, which is made for this, warns on machines without an Intel GPU
    try:
        yield
    finally:
        torch._C._set_mkldnn_enabled(before)


def _test(cohort: Cohort, networks: StackedNetworks, state: TrainState) -> list[dict[str, Curve]]:
    budget = cohort.budget
    curves: list[dict[str, Curve]] = [{} for _ in cohort.runs]
    for difficulty in (*cohort.setting.task.grid(), *budget.far):
        is_far = difficulty in budget.far
        batch = _test_batch(cohort, difficulty, FAR_SEQUENCES if is_far else budget.test)
        piece_size = _far_piece(batch) if is_far else PIECE
        try:
            values = evaluate(networks, state, batch, piece_size)
            columns = (
                {"far_score": values["score"].tolist()}
                if is_far
                else {f"test_{name}": each.tolist() for name, each in values.items()}
            )
        except LengthError:
            columns = {"refused": [1.0] * len(cohort.runs)}
        for name, column in columns.items():
            for curve, value in zip(curves, column, strict=True):
                curve[name] = (*curve.get(name, ()), (difficulty, value))
    return curves


def _far_piece(batch: Batch) -> int:
    """How many sequences of each run are tested at once where they are long."""
    runs, _, steps = batch.mask.shape
    return max(1, FAR_STEPS // (runs * steps))


def _test_batch(cohort: Cohort, difficulty: int, size: int) -> Batch:
    task = cohort.setting.task.at(difficulty)
    return stack([task.sample(cohort.generator(run, "test", difficulty), size) for run in cohort.runs])


def _gradient_norms(cohort: Cohort, networks: StackedNetworks, state: TrainState, batch: Batch, index: int) -> Tensor:
    """One run's norm of d loss / d (encoded input) at each step of its own batch: (n, T)."""
    tensors = {**networks.parameters(state.theta), **state.buffers}
    own = {name: tensor[index].detach().clone() for name, tensor in tensors.items()}
    read: list[Tensor] = []
    handle = networks.model.encoder.register_forward_hook(_keep(read))
    networks.model.eval()
    try:
        loss = cohort.setting.task.loss(functional_call(networks.model, own, (batch.inputs, batch.mask)), batch)
    finally:
        handle.remove()
    (gradient,) = torch.autograd.grad(loss * EXAMPLES, read)  # that of each example's own loss
    return torch.linalg.vector_norm(gradient, dim=-1)


def _by_distance(norms: Tensor, mask: Tensor) -> Curve:
    """The mean of norms (n, T) at each distance, in steps, before a sequence's last step."""
    distance = mask.sum(1, keepdim=True) - 1 - torch.arange(mask.shape[1])
    distances = range(int(distance.max()) + 1)
    return tuple((d, norms[distance == d].mean().item()) for d in distances)


def _keep(read: list[Tensor]) -> Callable[..., Tensor]:
    """A hook that appends an encoder's output to `read`, as a leaf: gradients can be taken with respect to it."""

    def hook(_module: torch.nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        leaf = output.detach().requires_grad_()
        read.append(leaf)
        return leaf

    return hook
