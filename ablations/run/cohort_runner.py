"""The state of a cohort, and its training from wherever that is to the end of its last run, segment by segment."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import ceil
from typing import Any

from ablations.run.jobs import Job
from ablations.train.cohort import Cohort, TrainState, joined
from ablations.train.metrics import Curve, SegmentMetrics
from ablations.train.segment import train_segment

CURVES = {
    "train_loss": "train_loss",
    "validation_score": "score",
    "validation_loss": "loss",
    "validation_mixture_score": "mixed_score",
}
"""The record's names of the curves of a training, and what they are called among the metrics of a segment."""

Prune = Callable[["CohortState", int], set[int]]
"""(state, number of the segment) -> the runs, by index, that the pruner stops."""


@dataclass(frozen=True)
class CohortState:
    """A cohort, what training has changed of it, and each run's curves, time and, once it has ended, status."""

    cohort: Cohort
    train_state: TrainState | None
    curves: tuple[dict[str, Curve], ...]
    seconds: tuple[float, ...]
    status: tuple[str | None, ...]

    @property
    def active(self) -> list[int]:
        """The runs, by index, that have not ended."""
        return [index for index, status in enumerate(self.status) if status is None]

    @property
    def step(self) -> int:
        """The optimiser steps that the active runs have taken."""
        return self.train_state.step if self.train_state else 0


def initial_state(cohort: Cohort) -> CohortState:
    """The state of a cohort that has not been trained at all."""
    runs = len(cohort.runs)
    return CohortState(cohort, None, ({},) * runs, (0.0,) * runs, (None,) * runs)


def train(
    state: CohortState, save: Callable[[CohortState], None], prune: Prune | None = None, most: int | None = None
) -> Generator[Job, Any, CohortState]:
    """Trains a cohort from wherever it is to the end; yields the jobs, is sent their results, returns the last state.

    After each segment, runs end that have diverged, been pruned, or taken all steps. None ends because it has solved its
    task: that would favour slow learners, which are stopped at the score that fast ones go on from. Which runs are in the
    cohort follows from results alone. `save` is called with the state after each segment; training can go on from there.
    A job has at most `most` runs; where the cohort has more, several jobs train each segment, one after the other.
    """
    budget = state.cohort.budget
    length = budget.steps // budget.segments
    while active := state.active:
        trained, metrics = yield from _segment(state, parts(active, most), length)
        state = _extended(state, trained, metrics)
        if prune and state.active:
            state = _pruned(state, prune, state.step // length)
        save(state)
    return state


def parts(indices: Sequence[int], most: int | None) -> list[Sequence[int]]:
    """Indices in as few parts as have at most `most` each, and about as many.

    >>> parts([0, 1, 2, 3, 4], 3), parts([0, 1], None)
    ([[0, 1, 2], [3, 4]], [[0, 1]])
    """
    number = ceil(len(indices) / (most or len(indices)))
    size = ceil(len(indices) / number)
    return [indices[first : first + size] for first in range(0, len(indices), size)]


def _segment(
    state: CohortState, groups: Sequence[Sequence[int]], length: int
) -> Generator[Job, Any, tuple[TrainState, list[SegmentMetrics]]]:
    """Trains groups of runs for a segment, one group after the other; the states and metrics of all of them."""
    trained: list[TrainState] = []
    metrics: list[SegmentMetrics] = []
    for group in groups:
        rows = state.train_state.rows(group) if state.train_state else None
        after, own = yield partial(train_segment, state.cohort.only(group), rows, length)
        trained.append(after)
        metrics += own
    return joined(trained), metrics


def _pruned(state: CohortState, prune: Prune, segment: int) -> CohortState:
    runs = prune(state, segment).intersection(state.active)
    return replace(state, status=tuple("pruned" if i in runs else status for i, status in enumerate(state.status)))


def _extended(state: CohortState, trained: TrainState, metrics: Sequence[SegmentMetrics]) -> CohortState:
    """The state with a segment of its active runs added."""
    budget, active = state.cohort.budget, state.active
    train_state = state.train_state.updated(active, trained) if state.train_state else trained
    curves, seconds, status = list(state.curves), list(state.seconds), list(state.status)
    for index, metric in zip(active, metrics, strict=True):
        sequences = trained.step * budget.batch
        points = {name: getattr(metric, attribute) for name, attribute in CURVES.items()}
        curves[index] = {name: (*curves[index].get(name, ()), (sequences, y)) for name, y in points.items()}
        seconds[index] += metric.seconds
        status[index] = _status(metric, trained.step == budget.steps)
    return CohortState(state.cohort, train_state, tuple(curves), tuple(seconds), tuple(status))


def _status(metrics: SegmentMetrics, at_end: bool) -> str | None:
    if metrics.diverged:
        return "diverged"
    return "finished" if at_end else None
