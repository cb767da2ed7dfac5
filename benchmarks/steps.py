"""Training steps of a cohort at demo sizes: the suite's, the same step by `vmap`, and a loop over runs in plain torch.

R = 10 runs of about 3,000 parameters, 32 sequences each, on the demo's tasks.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from time import perf_counter
from typing import Any

import torch
from torch import nn
from torch.func import functional_call, vmap

from ablations.models.kernels.compilation import Kernel
from ablations.studies import STUDIES
from ablations.study import Setting
from ablations.train.batches import training_batches
from ablations.train.cohort import Cohort, Run
from ablations.train.optimisers import OPTIMISERS, Moments, clip_by_norm
from ablations.train.training import Training
from benchmarks.layers import Row
from benchmarks.timing import Work, interleaved, median_ratio
from benchmarks.user_script import Net
from benchmarks.work import PEERS
from tasks import Batch

RUNS, LR, STEP = 10, 1e-3, 1
VARIANTS = ("rnn", "gru", "lstm", "tcn", "cnn", "feedforward")
PLAN = STUDIES["claims"].with_changes("demo", {"parameters": 3000}).at("demo")


def step_table(rounds: int) -> Iterable[Row]:
    """A row for each task and network."""
    for setting in PLAN.settings:
        if setting.variant.name in VARIANTS:
            yield step_row(setting, rounds)


def step_row(setting: Setting, rounds: int) -> Row:
    """Milliseconds of a step, the share of the cell's kernels in it, and how many times the others take."""
    runs = tuple(Run("replicate", number, number, LR, 1.0, 0.0) for number in range(RUNS))
    cohort = Cohort(setting, PLAN.budget, "adam", PLAN.seed, runs)
    streams = [partial(cohort.generator, run, "train") for run in runs]
    batch = next(iter(training_batches(setting.task, streams, 0, 1, PLAN.budget.batch)))
    training = Training(cohort)
    suite = partial(training.train_step, batch)
    sides: dict[str, Work] = {"suite": suite, "vmap": vmapped_step(training, batch)}
    if setting.variant.name in PEERS:
        sides["loop"] = looped_step(setting, batch)
    for _ in range(2):  # records the step, and then checks it
        suite()
    kernels, whole = kernel_share(suite)
    times = interleaved(sides, rounds)
    return {
        "task": setting.label,
        "network": setting.variant.name,
        "hidden": setting.size,
        "T": batch.mask.shape[2],
        "suite_ms": min(times["suite"]),
        "kernels_share": kernels / whole if kernels else None,
        "vmap_to_suite": median_ratio(times["vmap"], times["suite"]),
        "loop_to_suite": median_ratio(times["loop"], times["suite"]) if "loop" in times else None,
    }


def kernel_share(work: Work, tries: int = 50) -> tuple[float, float]:
    """Seconds in the cells' kernels, and of the whole step that had the least."""
    measured = []
    for _ in range(tries):
        with kernel_clock() as seconds:
            began = perf_counter()
            work()
            whole = perf_counter() - began
        measured.append((whole, sum(seconds)))
    whole, kernels = min(measured)
    return kernels, whole


@contextmanager
def kernel_clock() -> Iterator[list[float]]:
    """Within it, the seconds of every call of a cell's kernel."""
    seconds: list[float] = []
    plain = Kernel.call

    def timed(self: Kernel, function: str, *arguments: Any) -> Any:
        began = perf_counter()
        result = plain(self, function, *arguments)
        if function in ("forward", "backward"):
            seconds.append(perf_counter() - began)
        return result

    Kernel.call = timed  # type: ignore[method-assign]
    try:
        yield seconds
    finally:
        Kernel.call = plain  # type: ignore[method-assign]


def vmapped_step(training: Training, batch: Batch) -> Work:
    """The same step as torch.func does it, with the same kernels: `vmap` of the network and of the loss."""
    networks, runs = training.networks, len(training.cohort.runs)
    theta = networks.initial.clone().requires_grad_()
    moments: Moments = {}
    lr, limit, decay = torch.full((runs, 1), LR), torch.ones(runs), torch.zeros(runs, 1)
    arguments = (batch.inputs,) if bool(batch.mask.all()) else (batch.inputs, batch.mask)

    def step() -> None:
        outputs = vmap(partial(functional_call, networks.model))(networks.parameters(theta), arguments)
        losses = vmap(networks.task.loss)(outputs, batch)
        (gradient,) = torch.autograd.grad(losses.sum(), theta)
        with torch.no_grad():
            gradient = clip_by_norm(gradient, limit) + decay * theta
            theta.sub_(lr * OPTIMISERS["adam"](theta, gradient, moments, STEP))

    return step


def looped_step(setting: Setting, batch: Batch) -> Work:
    """One step of each run after the other, with torch's fused Adam."""
    peers = [Net(setting) for _ in range(RUNS)]
    adams = [torch.optim.Adam(peer.parameters(), LR, fused=True) for peer in peers]
    batches = [Batch(*(part[run] for part in batch)) for run in range(RUNS)]

    def step() -> None:
        for peer, adam, own in zip(peers, adams, batches, strict=True):
            adam.zero_grad()
            setting.task.loss(peer(own), own).backward()
            nn.utils.clip_grad_norm_(peer.parameters(), 1.0)
            adam.step()

    return step
