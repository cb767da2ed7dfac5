"""The course of a cohort: from its start to the end of its last run, segment by segment, kept on disk on the way."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ablations.train.cohort import Cohort, TrainState
from ablations.train.metrics import Curve, SegmentMetrics
from ablations.train.segment import train_segment

Job = Callable[[], Any]
"""A pure, picklable piece of work; what runs it decides where."""

Prune = Callable[["CohortState", int], set[int]]
"""(course, number of the segment) -> the runs, by index, that are not worth going on."""


@dataclass(frozen=True)
class CohortState:
    """How far a cohort has come: its state, and each run's curves, time and, once it is over, status."""

    cohort: Cohort
    state: TrainState | None
    curves: tuple[dict[str, Curve], ...]
    seconds: tuple[float, ...]
    status: tuple[str | None, ...]

    @property
    def active(self) -> list[int]:
        """The runs, by index, that are not over."""
        return [index for index, status in enumerate(self.status) if status is None]

    @property
    def step(self) -> int:
        """The optimiser steps that the active runs have taken."""
        return self.state.step if self.state else 0


def initial_state(cohort: Cohort) -> CohortState:
    """The course of a cohort that has not been trained at all."""
    runs = len(cohort.runs)
    return CohortState(cohort, None, ({},) * runs, (0.0,) * runs, (None,) * runs)


def train(
    course: CohortState, solved_at: float, keep: Callable[[CohortState], None], prune: Prune | None = None
) -> Generator[Job, Any, CohortState]:
    """Trains a cohort from wherever it is to the end; yields the jobs, is sent their results, returns the course.

    After each segment the runs that are over leave: diverged, solved (at the criterion), pruned, or finished. Who is in
    the cohort follows from results alone. `keep` is given the course after each segment, to be taken up from there.
    """
    budget = course.cohort.budget
    length = budget.steps // budget.segments
    while active := course.active:
        state = course.state.rows(active) if course.state else None
        part, progress = yield partial(train_segment, course.cohort.only(active), state, length)
        course = _extended(course, part, progress, solved_at)
        if prune and course.active:
            course = _pruned(course, prune, course.step // length)
        keep(course)
    return course


def _pruned(course: CohortState, prune: Prune, segment: int) -> CohortState:
    out = prune(course, segment).intersection(course.active)
    return replace(course, status=tuple("pruned" if i in out else old for i, old in enumerate(course.status)))


def _extended(
    course: CohortState, part: TrainState, progress: Sequence[SegmentMetrics], solved_at: float
) -> CohortState:
    budget, active = course.cohort.budget, course.active
    state = course.state.updated(active, part) if course.state else part
    curves, seconds, status = list(course.curves), list(course.seconds), list(course.status)
    for index, made in zip(active, progress, strict=True):
        sequences = part.step * budget.batch
        points = {name: getattr(made, name) for name in ("train_loss", "score", "loss", "mixed_score")}
        curves[index] = {name: (*curves[index].get(name, ()), (sequences, y)) for name, y in points.items()}
        seconds[index] += made.seconds
        status[index] = _status(made, solved_at, part.step == budget.steps)
    return CohortState(course.cohort, state, tuple(curves), tuple(seconds), tuple(status))


def _status(made: SegmentMetrics, solved_at: float, at_end: bool) -> str | None:
    if made.diverged:
        return "diverged"
    if made.score >= solved_at:
        return "solved"
    return "finished" if at_end else None
