"""Validates a model of a user's own before anything is trained: size, shapes, and whether it is as causal as it says.

n sequences, T steps, K outputs, U written symbols.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ablations.errors import UserError
from ablations.models import Network
from ablations.models.sizes import count_parameters, hidden_size
from ablations.models.variant import Variant
from ablations.study.own import failure
from tasks import Batch, Task, TaskSpec

FEW = 4
"""Sequences of a check."""

STEPS = 8
"""The most steps of the check of causality."""

TOLERANCE = 1e-5
"""By how much outputs may move, relative to the largest, that depend on nothing that has changed: rounding, no more."""


def check_model(variant: Variant, label: str, task: Task, parameters: int) -> None:
    """Raises `UserError`, in one line, where the model of a variant cannot be what its author meant.

    It is built at the size that a budget of so many parameters gives it, and runs on four sequences of the task.
    """
    code = variant.network
    name = f"the model {variant.model!r}"
    _check_says_causal(variant, name)
    try:
        small, large = (count_parameters(variant, task.spec, size) for size in (4, 8))
        if small == large:
            raise UserError(f"{name} has {small} parameters at hidden size 4 and at 8: it ignores its size")
        size = hidden_size(variant, task.spec, parameters)
        network = variant.build(task.spec, size, seed=0)
        batch = task.mixture().sample(np.random.default_rng(0), FEW)
        outputs = _called(network, batch)
    except Exception as error:  # whatever the author's code does
        raise failure(f"{name} fails on the task {label!r}", code, error) from error
    _check_outputs(f"{name} on the task {label!r}", outputs, _expected(task.spec, batch))
    try:
        task.loss(outputs, batch).backward()
    except Exception as error:
        raise failure(f"{name} cannot be trained on the task {label!r}", code, error) from error
    _check_steady(name, network, batch)
    if variant.causal:
        _check_causal(variant, name, task.spec, size)


def _check_says_causal(variant: Variant, name: str) -> None:
    try:
        causal: object = variant.causal
    except AttributeError:
        causal = None
    if not isinstance(causal, bool):
        raise UserError(
            f"{name} does not say whether it is causal: write `causal = True` in its class if no output depends on later "
            "steps, else `causal = False`"
        )


def _called(network: Network, batch: Batch) -> Any:
    """The outputs in training. What it draws is drawn from a stream of its own."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return network.train()(batch.inputs, batch.mask, **network.told(batch.targets))


def _expected(spec: TaskSpec, batch: Batch) -> tuple[int, ...]:
    if spec.per_step or spec.symbols:
        return (*batch.targets.shape, spec.outputs)
    return len(batch.targets), spec.outputs


def _check_outputs(what: str, outputs: Any, shape: tuple[int, ...]) -> None:
    if not isinstance(outputs, Tensor):
        raise UserError(f"{what} gives a {type(outputs).__name__}, and not a tensor of shape {shape}")
    if tuple(outputs.shape) != shape:
        raise UserError(f"{what} gives outputs of shape {tuple(outputs.shape)}, and not {shape}")
    if not outputs.is_floating_point() or not bool(outputs.isfinite().all()):
        raise UserError(f"{what} gives outputs that are not all finite numbers")
    if not outputs.requires_grad:
        raise UserError(f"{what} gives outputs that no trained parameter has a part in")


@torch.no_grad()
def _check_steady(name: str, network: Network, batch: Batch) -> None:
    """In evaluation nothing may be drawn: the same sequences have the same score."""
    network.eval()
    told = network.told(batch.targets)
    first, second = (network(batch.inputs, batch.mask, **told) for _ in range(2))
    if not torch.equal(first, second):
        raise UserError(f"{name} is not the same at each call in evaluation: let noise depend on self.training")


@torch.no_grad()
def _check_causal(variant: Variant, name: str, spec: TaskSpec, size: int) -> None:
    """Changes the second half of some sequences: what is said in the first half must stay.

    A task with one answer for each sequence shows no outputs before the end; so the model is built for one like it that
    asks at every step, if it can be.
    """
    steps = min(spec.length, STEPS)
    asked = replace(spec, per_step=True, symbols=0)
    if steps < 2:
        return
    before, after = (_random_inputs(spec, steps, seed) for seed in (0, 1))
    after[:, : steps // 2] = before[:, : steps // 2]
    mask = torch.ones(FEW, steps, dtype=torch.bool)
    try:
        network = variant.build(asked, size, seed=0).eval()
        first, second = (network(inputs, mask) for inputs in (before, after))
    except Exception:
        if spec.per_step:
            raise
        return
    if first.dim() < 3:  # it answers once, whatever it is asked
        return
    first, second = first[:, : steps // 2], second[:, : steps // 2]
    if float((first - second).abs().max()) > TOLERANCE * max(1.0, float(first.abs().max())):
        raise UserError(
            f"{name} says that it is causal, but its outputs change where only later inputs have changed: write "
            "`causal = False`, or mend it"
        )


def _random_inputs(spec: TaskSpec, steps: int, seed: int) -> Tensor:
    rng = np.random.default_rng(seed)
    if spec.vocabulary:
        return torch.from_numpy(rng.integers(spec.vocabulary, size=(FEW, steps)))
    return torch.from_numpy(rng.standard_normal((FEW, steps, spec.features), dtype=np.float32))
