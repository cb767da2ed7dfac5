"""A study: one question, and all that determines its answer."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, field, fields, replace
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator
from pydantic.dataclasses import dataclass

from ablations.checks import LONGEST_NAME
from ablations.errors import UserError
from ablations.models.variant import HiddenSizeOf, Variant
from ablations.models.variants import VARIANTS
from ablations.registry import check_known, look_up
from ablations.study.budget import Budget, Scale
from ablations.study.factors import DEFAULTS, TRAINING, check_fixed
from ablations.study.fields import NamedFields, Truth, finite, instance_of, list_of, mapping_of, whole_number
from ablations.study.plan import Plan
from ablations.study.proposals import DEFAULT_PRUNER, check_pruner, check_sampler, proposes_from_results
from ablations.study.search_space import check_networks, checked
from ablations.study.space import STRICT, Single, Space, as_space

Name = Annotated[str, Field(pattern=r"^[a-z0-9_-]+$", max_length=LONGEST_NAME)]
"""The name of a study or of a scale. It becomes a part of file names."""

LONGEST_QUESTION = 2000
"""Signs of a study's question. The whole plan is a tag, and the question a heading."""

VARIANT, SCALE = 'VARIANTS["lstm"]', "Scale(tasks=…, budget=…)"
"""What is said of a variant and of a scale, where something else is given."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Study(NamedFields):
    """One question, and all that determines its answer.

    variants and the scales' tasks are the scientific factors: they are varied and reported. `nuisance` are the factors
    that Optuna searches, each a `Range`, a `Choice` or a distribution of Optuna's: those of the training
    (`ablations.study.factors.TRAINING`), and the flags of the variants' models. `fixed` are factors of the training that
    are the same for all. `sampler` and `pruner` are names or objects of Optuna's (`ablations.study.proposals`).
    `baseline` is the variant that others are compared to.
    `solved_at` is the validation score up to which sequences are counted as `sequences_to_criterion`; no training stops
    there. All randomness comes from `seed`. In a study that is `transferred`, the replicates of an ablation are trained a
    second time, with the best hyperparameters of its parent.
    """

    name: Name
    question: Annotated[str, Field(pattern=r"\S", max_length=LONGEST_QUESTION)]
    variants: Annotated[tuple[Annotated[Variant, instance_of(Variant, VARIANT)], ...], list_of(f"[{VARIANT}]")]
    baseline: str
    scales: Annotated[Mapping[Name, Annotated[Scale, instance_of(Scale, SCALE)]], mapping_of(f'{{"demo": {SCALE}}}')]
    nuisance: Mapping[str, Any]
    fixed: Mapping[str, Single] = field(default_factory=dict)
    optimiser: Literal["adam", "adamw", "rmsprop", "sgd"] = "adam"
    sampler: Any = "tpe"
    pruner: Any = DEFAULT_PRUNER
    solved_at: Annotated[float, Field(gt=0, le=1), BeforeValidator(finite)] = 0.99
    transferred: Truth = False
    seed: Annotated[int, Field(ge=0), BeforeValidator(whole_number)] = 0

    @field_validator("nuisance", mode="before")
    @classmethod
    def _spaces(cls, nuisance: Any) -> Any:
        if not isinstance(nuisance, Mapping):
            raise UserError(f"nuisance maps names of factors to what they are drawn from; got {nuisance!r}")
        for name, given in nuisance.items():
            if not isinstance(as_space(given), Space):
                raise UserError(
                    f"the factor {name!r} is a Range, a Choice or a distribution of Optuna's, not {given!r}"
                )
        return {name: as_space(given) for name, given in nuisance.items()}

    @model_validator(mode="after")
    def _check(self) -> "Study":
        if not self.scales:
            raise UserError("scales is empty; a study has one at least")
        if not self.variants:
            raise UserError("variants is empty; a study has one at least")
        names = [variant.name for variant in self.variants]
        if len(set(names)) < len(names):
            raise UserError("two variants have the same name")
        check_known(names, self.baseline, "baseline")
        by_name = dict(zip(names, self.variants, strict=True))
        for variant in self.variants:
            if variant.parent:
                check_known([*names, *VARIANTS], variant.parent, f"parent of {variant.name!r}")
            if parent := by_name.get(variant.parent or ""):
                _check_ancestors(variant, by_name)
                _check_ablation(variant, parent)
        for name, scale in self.scales.items():
            self._check_rounds(name, scale.budget)
            for label, own in scale.variants.items():
                self._check_own(label, own, by_name)
        self._check_factors()
        return self

    def _check_factors(self) -> None:
        """Raises `UserError` where a factor cannot be searched or fixed; numbers become those of their factors' types."""
        check_fixed(self.fixed)
        check_sampler(self.sampler)
        check_pruner(self.pruner)
        spaces = checked(self.nuisance, self.fixed, self.optimiser, self.variants)
        object.__setattr__(self, "nuisance", spaces)
        if "parameters" in spaces or not TRAINING.keys() >= spaces.keys():
            for scale in self.scales.values():
                check_networks(spaces, scale.tasks, self.variants)

    def _check_own(self, task: str, own: Sequence[str], by_name: Mapping[str, Variant]) -> None:
        """Raises `UserError` where a task's own variants are unknown, or lack the one that they are compared to."""
        for name in own:
            parent = look_up(by_name, name, f"variant of {task!r}").parent
            for needed in (self.baseline, parent if parent in by_name else None):
                if needed and needed not in own:
                    raise UserError(
                        f"{task!r} has the variant {name!r} and needs {needed!r}, to which that is compared"
                    )

    def _check_rounds(self, scale: str, budget: Budget) -> None:
        """A sampler needs two rounds: it proposes all but the first. A single trial is no search."""
        proposer = "TPE" if self.sampler == "tpe" else "the sampler"
        if proposes_from_results(self.sampler) and budget.trials_per_round == budget.trials > 1:
            raise UserError(
                f"scale {scale!r}: trials ({budget.trials}) must be at least twice trials_per_round "
                f"({budget.trials_per_round}), so that {proposer} proposes half of them"
            )

    def at(self, scale: str) -> Plan:
        """The study bound to that scale. Raises `UserError` where it has no such scale."""
        chosen = look_up(self.scales, scale, "scale")
        own = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "scales"}
        names = tuple(variant.name for variant in self.variants)
        defaults = {name: value for name, value in DEFAULTS.items() if name not in self.nuisance}
        own["fixed"] = {**defaults, **self.fixed}
        return Plan(
            scale=scale,
            tasks=chosen.tasks,
            variants_of={label: chosen.variants.get(label, names) for label in chosen.tasks},
            budget=chosen.budget,
            costs=chosen.costs,
            **own,
        )

    def with_changes(self, scale: str, changes: Mapping[str, int]) -> "Study":
        """The study with another `seed`, and with some parts of one scale's budget changed."""
        old = look_up(self.scales, scale, "scale")
        parts = {part: value for part, value in changes.items() if part != "seed"}
        budget = Budget(**{**asdict(old.budget), **parts})
        seed = changes.get("seed", self.seed)
        return replace(self, seed=seed, scales={**self.scales, scale: replace(old, budget=budget)})


def _check_ancestors(variant: Variant, by_name: Mapping[str, Variant]) -> None:
    """Raises `UserError` where a variant's line of parents comes back to it."""
    line, each = [variant.name], by_name.get(variant.parent or "")
    while each and each.name not in line:
        line.append(each.name)
        each = by_name.get(each.parent or "")
    if each and each.name == variant.name:
        raise UserError(f"{variant.name!r} is its own ancestor: {' is an ablation of '.join([*line, variant.name])}")


def _check_ablation(variant: Variant, parent: Variant) -> None:
    """Raises `UserError` where an ablation differs from its parent in several flags, or has a size without reference."""
    if parent.model == variant.model and (count := changes(variant, parent)) != 1:
        raise UserError(f"{variant.name!r} differs from {parent.name!r} in {count} flags, not in one")
    if variant.size not in (parent.size, HiddenSizeOf(parent)):
        raise UserError(f"{variant.name!r} needs the size rule or the hidden size of its parent {parent.name!r}")


def changes(variant: Variant, parent: Variant) -> int:
    """The number of flags in which two variants of one model differ."""
    flags = variant.flags.keys() | parent.flags.keys()
    return sum(variant.flags.get(flag) != parent.flags.get(flag) for flag in flags)
