"""What a study may spend at one scale: budgets, and the measurement of training cost."""

from collections.abc import Mapping
from dataclasses import asdict, field
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator
from pydantic.dataclasses import dataclass

from ablations.checks import check_name
from ablations.errors import UserError
from ablations.models import CELLS
from ablations.registry import check_known
from ablations.study.fields import NamedFields, instance_of, mapping_of, whole_number
from ablations.study.space import STRICT
from ablations.study.task_fields import check_fields
from tasks import Task

LARGEST = 10**12
"""The largest count of anything: what is larger was not meant."""

MOST_RUNS = 1_000_000
"""Trainings of a setting at most; each is a run in MLflow."""


Count = Annotated[int, BeforeValidator(whole_number), Field(ge=1, le=LARGEST)]
"""A whole number of at least one."""

Difficulty = Annotated[int, BeforeValidator(whole_number), Field(ge=1, le=10**6)]
"""One that test sequences are drawn at."""

FAR_SEQUENCES = 32
"""Test sequences at each far difficulty. A guesser of one bit answers all of them right once in 4 billion times; more of
them, at 10,000 steps, would take longer than training."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Budget(NamedFields):
    """What every setting may spend, the same for all.

    trials: draws of the nuisance factors, in rounds of `trials_per_round`; each is trained on `search_seeds` seeds. The
    first round is drawn before there are results.
    replicates: final trainings, each with a fresh seed.
    steps: optimiser steps of each training, in `segments` equal parts with an evaluation after each.
    batch: sequences of each step. parameters: the number that every model is sized to.
    validation: sequences of each evaluation during training. test: sequences of the test at each difficulty.
    far: difficulties far beyond training, at which replicates are tested too, on a few sequences.
    """

    trials: Count
    trials_per_round: Count
    search_seeds: Count
    replicates: Count
    steps: Count
    segments: Count
    batch: Count
    parameters: Count
    validation: Count = 256
    test: Count = 1024
    far: tuple[Difficulty, ...] = ()

    @property
    def runs(self) -> int:
        """The trainings of one setting."""
        return self.trials * self.search_seeds + self.replicates

    @property
    def data(self) -> dict[str, Any]:
        """The budget as plain data. Without far difficulties nothing is said of them: old records did not have any."""
        parts = asdict(self)
        far = parts.pop("far")
        return {**parts, "far": far, "far_sequences": FAR_SEQUENCES} if far else parts

    @model_validator(mode="after")
    def _check(self) -> "Budget":
        if self.steps % self.segments:
            raise UserError(f"steps ({self.steps}) must be a multiple of segments ({self.segments})")
        if self.runs > MOST_RUNS:
            raise UserError(
                f"trials, search_seeds and replicates make {self.runs:.3g} trainings; {MOST_RUNS:,} are most"
            )
        # Otherwise the trials that go on from here would depend on how many there were at first.
        if self.trials % self.trials_per_round:
            raise UserError(f"trials ({self.trials}) must be a multiple of trials_per_round ({self.trials_per_round})")
        return self


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Costs(NamedFields):
    """A measurement of training cost on the adding problem of some `length`, with `batch` sequences in a step.

    Every cell is timed for some `rounds` at each hidden size, and at the parameter count of `reference` at that size.
    """

    cells: tuple[str, ...]
    reference: str
    hidden: tuple[Count, ...]
    rounds: Count
    length: Count
    batch: Count

    @model_validator(mode="after")
    def _check(self) -> "Costs":
        for name in (*self.cells, self.reference):
            check_known(CELLS, name, "cell of the costs")
        if not self.cells or not self.hidden:
            raise UserError("cells and hidden need an entry each: what is timed, and at which sizes")
        return self

    @property
    def points(self) -> int:
        """The number of measurements: cells, hidden sizes, and the two views."""
        return 2 * len(self.cells) * len(self.hidden)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Scale(NamedFields):
    """One size of a study: its tasks by label, its budget, and the cost measurement if there is one.

    variants: the names of the variants that are trained on a task, by its label; the other tasks have all of them.
    """

    tasks: Annotated[
        Mapping[str, Annotated[Task, instance_of(Task, 'TASKS["adding"](length=50)')]],
        mapping_of('{"adding": TASKS["adding"](length=50)}'),
    ]
    budget: Annotated[Budget, instance_of(Budget, "Budget(trials=…, …)")]
    costs: Annotated[Costs, instance_of(Costs, "Costs(cells=…, …)")] | None = None
    variants: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @model_validator(mode="after")
    def _check(self) -> "Scale":
        if not self.tasks:
            raise UserError("tasks is empty; a scale has one at least")
        for label, own in self.variants.items():
            check_known(self.tasks, label, "task with variants of its own")
            if not own:
                raise UserError(f"variants of {label!r} is empty; leave it out for all of the study's variants")
        for label, task in self.tasks.items():
            check_name("task", label)
            check_fields(label, task)
            self._check_far(label, task)
        return self

    def _check_far(self, label: str, task: Task) -> None:
        """A difficulty that a replicate is tested at twice would have two scores; and some tasks have a hardest form."""
        far, last = self.budget.far, task.grid()[-1]
        if far and task.max_difficulty:
            raise UserError(f"far {far} is impossible: {label!r} has no difficulty above {task.max_difficulty}")
        if list(far) != sorted({d for d in far if d > last}):
            raise UserError(f"far {far} must rise, and lie beyond the other tests of {label!r}, which end at {last}")
