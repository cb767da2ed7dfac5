"""What is asked: a study, its factors, its budgets, and the settings it consists of."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass as plain_dataclass
from dataclasses import field, replace
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass

from ablations.errors import UserError
from ablations.models.variant import Variant, solve_size
from ablations.models.variants import VARIANTS
from ablations.registry import check_known, look_up
from tasks import Task

Count = Annotated[int, Field(ge=1)]
STRICT = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
HYPERPARAMETERS = ("lr", "clip", "weight_decay")
"""What may differ from run to run: learning rate, limit of the gradient's norm, and weight decay."""


@dataclass(frozen=True, config=STRICT)
class Range:
    """A nuisance factor that is searched between `low` and `high`, by default on a logarithmic scale."""

    low: float
    high: float
    log: bool = True

    @model_validator(mode="after")
    def _check(self) -> "Range":
        if not self.low < self.high or (self.log and self.low <= 0):
            raise UserError(f"needs low < high, and low > 0 where it is logarithmic; got {self.low} to {self.high}")
        return self


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Budget:
    """What every setting may spend, the same for all.

    trials: draws of the nuisance factors, asked and trained in groups of `trials_per_round`, each on `search_seeds` seeds.
    replicates: final trainings with fresh seeds.
    steps: optimiser steps of each training, in `segments` equal parts with an evaluation after each.
    batch: sequences per step. parameters: the count that every model is sized to.
    validation, test: sequences in each evaluation during training, and at each difficulty after it.
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

    @property
    def runs(self) -> int:
        """The trainings of one setting."""
        return self.trials * self.search_seeds + self.replicates

    @model_validator(mode="after")
    def _check(self) -> "Budget":
        if self.steps % self.segments:
            raise UserError(f"steps ({self.steps}) must be a multiple of segments ({self.segments})")
        return self


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Costs:
    """A measurement of training cost on the adding problem of some `length`, with `batch` sequences in a step.

    Every cell is timed for some `rounds` at each hidden size, and at the parameter count of `reference` at that size.
    """

    cells: tuple[str, ...]
    reference: str
    hidden: tuple[Count, ...]
    rounds: Count
    length: Count
    batch: Count

    @property
    def points(self) -> int:
        """The number of measurements: cells, hidden sizes, and the two views."""
        return 2 * len(self.cells) * len(self.hidden)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Scale:
    """One size of a study: its tasks by label, its budget, and the cost measurement if there is one."""

    tasks: Mapping[str, Task]
    budget: Budget
    costs: Costs | None = None


@plain_dataclass(frozen=True)
class Setting:
    """One combination of the scientific factors: a task under its label, and a variant with its hidden size."""

    label: str
    task: Task
    variant: Variant
    size: int

    @property
    def name(self) -> str:
        return f"{self.label}/{self.variant.name}"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Study:
    """One question, and all that determines its answer.

    variants and the scales' tasks are the scientific factors, which are varied and reported; `nuisance` those of
    `HYPERPARAMETERS` that Optuna searches; `fixed` the others. `baseline` is the variant that others are compared to.
    A training stops early once its validation score reaches `solved_at`. All randomness comes from `seed`. Where the
    study is `transferred` too, each variant's replicates are made a second time with the best hyperparameters of its parent.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9_-]+$")]
    question: str
    variants: tuple[Variant, ...]
    baseline: str
    scales: Mapping[str, Scale]
    nuisance: Mapping[str, Range]
    fixed: Mapping[str, float] = field(default_factory=lambda: {"clip": 1.0, "weight_decay": 0.0})
    optimiser: Literal["adam", "rmsprop", "sgd"] = "adam"
    sampler: Literal["tpe", "random"] = "tpe"
    solved_at: float = 0.99
    transferred: bool = False
    seed: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _check(self) -> "Study":
        names = [variant.name for variant in self.variants]
        if len(set(names)) < len(names):
            raise UserError("two variants have the same name")
        if self.baseline not in names:
            raise UserError(f"baseline {self.baseline!r} is not one of its variants: {', '.join(names)}")
        by_name = dict(zip(names, self.variants, strict=True))
        for variant in self.variants:
            if variant.parent:
                check_known([*names, *VARIANTS], variant.parent, f"parent of {variant.name!r}")
            parent = by_name.get(variant.parent or "")
            if parent and parent.model == variant.model and changes(variant, parent) != 1:
                raise UserError(
                    f"{variant.name!r} differs from {parent.name!r} in {changes(variant, parent)} flags, not in one"
                )
        factors = [*self.nuisance, *self.fixed]
        for factor in factors:
            check_known(HYPERPARAMETERS, factor, "nuisance or fixed factor")
        if sorted(factors) != sorted(HYPERPARAMETERS):
            raise UserError(f"nuisance and fixed factors together must be {', '.join(HYPERPARAMETERS)}, each once")
        return self

    def at(self, scale: str) -> Scale:
        """The tasks and budget of that scale. Raises `UserError` where the study has no such scale."""
        return look_up(self.scales, scale, "scale")

    def with_budget(self, scale: str, changes: Mapping[str, int]) -> "Study":
        """The study with some parts of one scale's budget changed."""
        old = self.at(scale)
        budget = Budget(**{**as_data(old.budget), **changes})
        return replace(self, scales={**self.scales, scale: replace(old, budget=budget)})

    def settings(self, scale: str) -> Iterator[Setting]:
        """Every task of the scale with every variant, sized to the budget's parameter count."""
        parameters = self.at(scale).budget.parameters
        for label, task in self.at(scale).tasks.items():
            for variant in self.variants:
                yield Setting(label, task, variant, solve_size(variant, task.spec, parameters))

    def parent_of(self, variant: Variant) -> str | None:
        """The variant that this one is compared to with transferred hyperparameters, if it is in the study."""
        names = [each.name for each in self.variants]
        return variant.parent if self.transferred and variant.parent in names else None

    def runs(self, scale: str) -> int:
        """All trainings of the study at a scale."""
        budget, tasks = self.at(scale).budget, len(self.at(scale).tasks)
        transferred = sum(self.parent_of(variant) is not None for variant in self.variants)
        return tasks * (len(self.variants) * budget.runs + transferred * budget.replicates)

    def plan(self, scale: str) -> dict[str, Any]:
        """The study at one scale as plain data: what the record keeps of it, and what decides whether two are one."""
        chosen = self.at(scale)
        return {
            "name": self.name,
            "scale": scale,
            "question": self.question,
            "baseline": self.baseline,
            "tasks": {label: as_data(task) for label, task in chosen.tasks.items()},
            "variants": {v.name: {"model": v.model, **v.flags} for v in self.variants},
            "parents": {v.name: parent for v in self.variants if (parent := self.parent_of(v))},
            "nuisance": {name: as_data(range_) for name, range_ in self.nuisance.items()},
            "fixed": {"optimiser": self.optimiser, "sampler": self.sampler, **self.fixed},
            "budget": as_data(chosen.budget),
            "solved_at": self.solved_at,
            "seed": self.seed,
        }


def changes(variant: Variant, parent: Variant) -> int:
    """The number of flags in which two variants of one model differ."""
    flags = variant.flags.keys() | parent.flags.keys()
    return sum(variant.flags.get(flag) != parent.flags.get(flag) for flag in flags)


def as_data(value: Any) -> dict[str, Any]:
    """The fields of a flat dataclass as plain data."""
    return {name: getattr(value, name) for name in value.__dataclass_fields__}
