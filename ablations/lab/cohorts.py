"""The course of a cohort: from its start to the end of its last run, segment by segment, kept on disk on the way."""

import pickle
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from ablations.lab.tracking import Curve
from ablations.lab.training import Cohort, Progress, State, advance

Job = Callable[[], Any]
"""A pure, picklable piece of work; what runs it decides where."""

Prune = Callable[["Course", int], set[int]]
"""(course, number of the segment) -> the runs, by index, that are not worth going on."""


@dataclass(frozen=True)
class Course:
    """How far a cohort has come: its state, and each run's curves, time and, once it is over, status."""

    cohort: Cohort
    state: State | None
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


def beginning(cohort: Cohort) -> Course:
    """The course of a cohort that has not been trained at all."""
    runs = len(cohort.runs)
    return Course(cohort, None, ({},) * runs, (0.0,) * runs, (None,) * runs)


def train(
    course: Course, criterion: float, keep: Callable[[Course], None], prune: Prune | None = None
) -> Generator[Job, Any, Course]:
    """Trains a cohort from wherever it is to the end; yields the jobs, is sent their results, returns the course.

    After each segment the runs that are over leave: diverged, solved (at the criterion), pruned, or finished. Who is in
    the cohort follows from results alone. `keep` is given the course after each segment, to be taken up from there.
    """
    budget = course.cohort.budget
    length = budget.steps // budget.segments
    while active := course.active:
        state = course.state.rows(active) if course.state else None
        part, progress = yield partial(advance, course.cohort.only(active), state, length)
        course = _extended(course, part, progress, criterion)
        if prune and course.active:
            course = _pruned(course, prune, course.step // length)
        keep(course)
    return course


def _pruned(course: Course, prune: Prune, segment: int) -> Course:
    out = prune(course, segment).intersection(course.active)
    return replace(course, status=tuple("pruned" if i in out else old for i, old in enumerate(course.status)))


def _extended(course: Course, part: State, progress: Sequence[Progress], criterion: float) -> Course:
    budget, active = course.cohort.budget, course.active
    state = course.state.updated(active, part) if course.state else part
    curves, seconds, status = list(course.curves), list(course.seconds), list(course.status)
    for index, made in zip(active, progress, strict=True):
        sequences = part.step * budget.batch
        points = {name: getattr(made, name) for name in ("train_loss", "score", "loss", "mixed_score")}
        curves[index] = {name: (*curves[index].get(name, ()), (sequences, y)) for name, y in points.items()}
        seconds[index] += made.seconds
        status[index] = _status(made, criterion, part.step == budget.steps)
    return Course(course.cohort, state, tuple(curves), tuple(seconds), tuple(status))


def _status(made: Progress, criterion: float, at_end: bool) -> str | None:
    if made.diverged:
        return "diverged"
    if made.score >= criterion:
        return "solved"
    return "finished" if at_end else None


class Checkpoints:
    """Courses on disk by key; a file is replaced whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def load(self, key: str) -> Course | None:
        """The course kept under that key, if there is one."""
        path = self._path(key)
        return pickle.loads(path.read_bytes()) if path.exists() else None

    def save(self, key: str, course: Course) -> None:
        """Keeps a course in place of the one before."""
        new = self._path(key).with_suffix(".new")
        new.write_bytes(pickle.dumps(course))
        new.replace(self._path(key))

    def drop(self, key: str) -> None:
        """Forgets what is kept under that key."""
        self._path(key).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.pickle"
