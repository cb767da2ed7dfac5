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


States = tuple[CohortState, ...]
"""The states of cohorts that are pruned together: trials of one round whose networks have several shapes."""


def initial_state(cohort: Cohort) -> CohortState:
    """The state of a cohort that has not been trained at all."""
    runs = len(cohort.runs)
    return CohortState(cohort, None, ({},) * runs, (0.0,) * runs, (None,) * runs)


def together(states: States) -> CohortState:
    """The runs of several cohorts as one, with the curves, times and status of each; for the pruner, who compares them."""
    if len(states) == 1:
        return states[0]
    cohort = states[0].cohort.with_runs(tuple(run for state in states for run in state.cohort.runs))
    curves, seconds, status = (
        tuple(each for state in states for each in getattr(state, part)) for part in ("curves", "seconds", "status")
    )
    return CohortState(cohort, None, curves, seconds, status)


def train(
    states: States,
    save: Callable[[States], None],
    prune: Prune | None = None,
    most: Callable[[Cohort], int | None] = lambda cohort: None,
) -> Generator[Job, Any, States]:
    """Trains cohorts from wherever they are to the end; yields the jobs, is sent their results, returns the last states.

    The cohort that is furthest behind is trained next, the first of several. After each segment, runs end that have
    diverged or taken all steps, and, when all cohorts are as far, those that are pruned. None ends because it has solved
    its task: that would favour slow learners, which are stopped at the score that fast ones go on from. Which runs are in
    a cohort follows from results alone. `save` is called with the states after each segment; training can go on from
    there. A job has at most `most(cohort)` runs; where a cohort has more, several jobs train each segment, one after the
    other.
    """
    budget = states[0].cohort.budget
    length = budget.steps // budget.segments
    while behind := [(state.step, number) for number, state in enumerate(states) if state.active]:
        number = min(behind)[1]
        state = states[number]
        trained, metrics = yield from _segment(state, parts(state.active, most(state.cohort)), length)
        states = (*states[:number], _extended(state, trained, metrics), *states[number + 1 :])
        steps = {state.step for state in states if state.active}
        if prune and len(steps) == 1:
            states = _pruned(states, prune(together(states), steps.pop() // length))
        save(states)
    return states


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


def _pruned(states: States, stopped: set[int]) -> States:
    """The states with some runs ended, given by their indices in all runs together."""
    ends, place = [], 0
    for state in states:
        own = range(place, place + len(state.status))
        place = own.stop
        status = (
            "pruned" if each in stopped and end is None else end for each, end in zip(own, state.status, strict=True)
        )
        ends.append(replace(state, status=tuple(status)))
    return tuple(ends)


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
    return replace(state, train_state=train_state, curves=tuple(curves), seconds=tuple(seconds), status=tuple(status))


def _status(metrics: SegmentMetrics, at_end: bool) -> str | None:
    if metrics.diverged:
        return "diverged"
    return "finished" if at_end else None
