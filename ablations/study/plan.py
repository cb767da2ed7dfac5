"""A plan: a study bound to one of its scales, and all that follows from that before anything is trained."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from ablations.models.variant import Variant, solve_size
from ablations.study.budget import Budget, Costs
from ablations.study.identity import identity, setting_identity
from ablations.study.setting import Setting
from ablations.study.space import Range
from tasks import Task


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A study at one scale, made by `study.at(scale)`: its settings, runs, identities, and its data for the record.

    The fields are those of `Study` and of its `Scale`; `scale` is the scale's name.
    """

    name: str
    scale: str
    question: str
    baseline: str
    variants: tuple[Variant, ...]
    tasks: Mapping[str, Task]
    budget: Budget
    costs: Costs | None
    nuisance: Mapping[str, Range]
    fixed: Mapping[str, float]
    optimiser: str
    sampler: str
    solved_at: float
    transferred: bool
    seed: int

    @cached_property
    def settings(self) -> tuple[Setting, ...]:
        """Every task with every variant, sized to the budget's parameter count."""
        return tuple(
            Setting(label, task, variant, solve_size(variant, task.spec, self.budget.parameters))
            for label, task in self.tasks.items()
            for variant in self.variants
        )

    @cached_property
    def parents(self) -> Mapping[str, str]:
        """variant -> its parent, for variants that are trained again with their parent's hyperparameters."""
        names = {variant.name for variant in self.variants}
        return {v.name: v.parent for v in self.variants if self.transferred and v.parent in names and v.parent}

    def runs_of(self, variant: str) -> int:
        """The trainings of each setting of a variant: trials on all search seeds, replicates, transferred runs."""
        again = self.budget.replicates if variant in self.parents else 0
        return self.budget.trials * self.budget.search_seeds + self.budget.replicates + again

    @property
    def runs(self) -> int:
        """All trainings of the plan."""
        return len(self.tasks) * sum(self.runs_of(variant.name) for variant in self.variants)

    @property
    def data(self) -> dict[str, Any]:
        """The plan as plain data, as the record keeps it."""
        return {
            "name": self.name,
            "scale": self.scale,
            "question": self.question,
            "baseline": self.baseline,
            "tasks": {label: task.parameters for label, task in self.tasks.items()},
            "variants": {v.name: {"model": v.model, **v.flags} for v in self.variants},
            "parents": dict(self.parents),
            "runs": {v.name: self.runs_of(v.name) for v in self.variants},
            "nuisance": {name: asdict(range_) for name, range_ in self.nuisance.items()},
            "fixed": {"optimiser": self.optimiser, "sampler": self.sampler, **self.fixed},
            "budget": asdict(self.budget),
            "solved_at": self.solved_at,
            "seed": self.seed,
        }

    @cached_property
    def identities(self) -> Mapping[str, str]:
        """The identity of each setting, by the setting's name: a hash of all that determines its numbers."""
        return {setting.name: setting_identity(self.data, setting) for setting in self.settings}

    @cached_property
    def identity(self) -> str:
        """A hash of the plan's data and of its settings' identities: two plans with equal ones are the same."""
        return identity({**self.data, "settings": list(self.identities.values())})
