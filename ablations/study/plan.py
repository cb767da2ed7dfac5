"""A plan: a study bound to one of its scales, and all that follows from that before anything is trained."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, product
from typing import Any

from ablations.models.sizes import hidden_size
from ablations.models.variant import HiddenSizeOf, Variant
from ablations.study.budget import Budget, Costs
from ablations.study.factors import SIDE_BY_SIDE, SIZES, TRAINING
from ablations.study.identity import identity, setting_identities
from ablations.study.proposals import DEFAULT_PRUNER, described
from ablations.study.search_space import space_of, values_of
from ablations.study.setting import Setting
from ablations.study.space import HYPERPARAMETERS, Space, Value
from tasks import Task

MOST_COMBINATIONS = 64
"""Of the ends of a network's searched factors, so many are looked at: six factors with two ends each."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A study at one scale, made by `study.at(scale)`: its settings, runs, identities, and its data for the record.

    The fields are those of `Study` and of its `Scale`; `scale` is the scale's name, `variants_of` has the names of the
    variants of each task, by its label. `fixed` has every factor of the training that is recorded and not searched.
    """

    name: str
    scale: str
    question: str
    baseline: str
    variants: tuple[Variant, ...]
    tasks: Mapping[str, Task]
    variants_of: Mapping[str, tuple[str, ...]]
    budget: Budget
    costs: Costs | None
    nuisance: Mapping[str, Space]
    fixed: Mapping[str, Value]
    optimiser: str
    sampler: Any
    pruner: Any
    solved_at: float
    transferred: bool
    seed: int

    @cached_property
    def settings(self) -> tuple[Setting, ...]:
        """Every task with each of its variants, sized by the variant's rule."""
        return tuple(setting for label in self.tasks for setting in self._settings_of(label))

    def _settings_of(self, label: str) -> Iterator[Setting]:
        """The settings of a task. A variant at another one's hidden size is left out where its base has that size anyway."""
        task = self.tasks[label]
        own = [variant for variant in self.variants if variant.name in self.variants_of[label]]
        sizes = {variant.name: hidden_size(variant, task.spec, self.budget.parameters) for variant in own}
        for variant in own:
            is_double = isinstance(variant.size, HiddenSizeOf) and sizes[variant.name] == sizes.get(variant.base or "")
            if not is_double:
                yield Setting(label, task, variant, sizes[variant.name])

    def space_of(self, setting: Setting) -> Mapping[str, Space]:
        """The factors that are searched for a setting: those of the training, and flags that its model has."""
        place = setting.label, setting.variant
        if place not in self._spaces:
            self._spaces[place] = space_of(self.nuisance, *place)
        return self._spaces[place]

    @cached_property
    def _spaces(self) -> dict[tuple[str, Variant], dict[str, Space]]:
        """What has been asked for: every run of a setting asks for its space."""
        return {}

    def at_ends(self, setting: Setting) -> Iterator[Setting]:
        """The setting with the ends of its network's searched factors, in all combinations; itself where none is searched."""
        spaces = {
            name: space for name, space in self.space_of(setting).items() if name in SIZES or name not in TRAINING
        }
        for ends in islice(product(*(space.ends for space in spaces.values())), MOST_COMBINATIONS):
            factors = values_of(spaces, dict(zip(spaces, ends, strict=True)), setting.label, setting.variant.name)
            yield setting.with_factors(factors, self.budget.parameters)

    def middle_of(self, setting: Setting) -> dict[str, Value]:
        """Values in the middle of a setting's ranges, of the hyperparameters the lowest: to estimate what a run costs."""
        shares = dict.fromkeys(self.nuisance, 0.5) | dict.fromkeys(HYPERPARAMETERS, 0.0)
        given = {name: space.at(shares[name]) for name, space in self.nuisance.items()}
        return self.factors_for(setting, given)

    def largest_of(self, setting: Setting) -> dict[str, Value]:
        """The largest values of a setting's numbers, of its other factors the first: what needs most memory."""
        ends = {name: space.ends for name, space in self.nuisance.items()}
        numbers = {name: [v for v in each if isinstance(v, int | float)] for name, each in ends.items()}
        return self.factors_for(setting, {name: max(numbers[name], default=each[0]) for name, each in ends.items()})

    def factors_for(self, setting: Setting, given: Mapping[str, Value]) -> dict[str, Value]:
        """What a run of a setting has of given values of nuisance factors, and the fixed factors."""
        return {**self.fixed, **values_of(self.space_of(setting), given, setting.label, setting.variant.name)}

    def has_shapes(self, setting: Setting) -> bool:
        """Whether trials of a setting can differ in more than what runs of one cohort may differ in."""
        beside = {*HYPERPARAMETERS, *SIDE_BY_SIDE, *setting.variant.network.start_flags}
        return not beside.issuperset(self.space_of(setting))

    @cached_property
    def parents(self) -> Mapping[str, str]:
        """variant -> its parent, for variants that are trained again with their parent's hyperparameters.

        Not those at another variant's hidden size, which are tuned only: a third training of each would cost too much.
        """
        variants = [variant for variant in self._trained if not isinstance(variant.size, HiddenSizeOf)]
        names = {variant.name for variant in variants}
        return {v.name: v.parent for v in variants if self.transferred and v.parent in names and v.parent}

    @cached_property
    def _trained(self) -> tuple[Variant, ...]:
        """The variants that have a setting."""
        names = {setting.variant.name for setting in self.settings}
        return tuple(variant for variant in self.variants if variant.name in names)

    def runs_of(self, variant: str) -> int:
        """The trainings of each setting of a variant: trials on all search seeds, replicates, transferred runs."""
        again = self.budget.replicates if variant in self.parents else 0
        return self.budget.trials * self.budget.search_seeds + self.budget.replicates + again

    @property
    def runs(self) -> int:
        """All trainings of the plan."""
        return sum(self.runs_of(setting.variant.name) for setting in self.settings)

    @cached_property
    def data(self) -> dict[str, Any]:
        """The plan as plain data, as the record keeps it."""
        return {
            "name": self.name,
            "scale": self.scale,
            "question": self.question,
            "baseline": self.baseline,
            "tasks": {label: task.parameters for label, task in self.tasks.items()},
            "variants": {v.name: _variant_data(v) for v in self._trained},
            "settings": {label: [s.variant.name for s in self.settings if s.label == label] for label in self.tasks},
            "parents": dict(self.parents),
            "runs": {v.name: self.runs_of(v.name) for v in self._trained},
            "nuisance": {name: space.data for name, space in self.nuisance.items()},
            "fixed": self._fixed_data,
            "budget": self.budget.data,
            "solved_at": self.solved_at,
            "seed": self.seed,
        }

    @property
    def _fixed_data(self) -> dict[str, Any]:
        """What is the same for all runs. Of what old records do not have, nothing is said where it is as it was then."""
        optimiser = {} if "optimiser" in self.nuisance else {"optimiser": self.optimiser}
        pruner = {} if self.pruner == DEFAULT_PRUNER else {"pruner": described(self.pruner)}
        return {**optimiser, "sampler": described(self.sampler), **pruner, **self.fixed}

    @cached_property
    def identities(self) -> Mapping[str, str]:
        """The identity of each setting, by the setting's name: a hash of all that determines its numbers."""
        return setting_identities(self.data, self.settings)

    @cached_property
    def identity(self) -> str:
        """A hash of the plan's data and of its settings' identities: two plans with equal ones are the same."""
        return identity({**self.data, "identities": list(self.identities.values())})


def _variant_data(variant: Variant) -> dict[str, Any]:
    """Model, flags, and size rule if it has its own: no flag can be called `size`, as each model has that argument."""
    size = {"size": str(variant.size)} if variant.size else {}
    return {"model": variant.model, **variant.flags, **size}
