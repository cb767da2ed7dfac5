"""A study's search space: its factors checked, and those that a setting has.

A model's flag is searched for the variants whose model has it and that do not set it themselves: what an ablation
changes stays changed.
"""

from collections.abc import Iterable, Mapping
from inspect import signature
from typing import Any, get_type_hints

from ablations.errors import UserError
from ablations.models import MODELS
from ablations.models.sizes import solve_size
from ablations.models.variant import Variant
from ablations.registry import unknown
from ablations.study.factors import MOMENTUM, TRAINING, Factor, of_type
from ablations.study.space import HYPERPARAMETERS, Range, Space, Value, is_drawn
from tasks import Task

SCIENTIFIC = ("variant", "task")
"""What a condition may name beside factors."""

MOST_FACTORS = 40
"""So many factors are all said where one is unknown: nowhere else in one place do they stand."""

RESERVED = (
    "seed", "trial", "backend", "proposed_by", "kind", "number", "variant", "task", "trained", "run_kind", "run_number",
    "status", "objective", "skill", "is_best", "run_id",
)  # fmt: skip
"""What a run is recorded with, or a table of trials has, beside its factors; no factor can have that name."""


def checked(
    nuisance: Mapping[str, Space], fixed: Mapping[str, Value], optimiser: str, variants: Iterable[Variant]
) -> dict[str, Space]:
    """The nuisance factors with numbers of their types. Raises `UserError` where one cannot be searched."""
    variants = tuple(variants)
    spaces: dict[str, Space] = {}
    for name, space in nuisance.items():
        if name in fixed:
            raise UserError(f"{name!r} is among both, nuisance and fixed factors; it can be one of them")
        spaces[name] = of_type(name, space, TRAINING[name]) if name in TRAINING else _flag(name, space, variants)
        _check_condition(name, space, spaces, variants)
        if space.where and name in HYPERPARAMETERS:
            raise UserError(f"the factor {name!r} can have no condition: every run needs a value of it")
    if "lr" not in {*spaces, *fixed}:
        raise UserError("nuisance and fixed factors together need a learning rate, 'lr'")
    _check_momentum(spaces, fixed, optimiser)
    _check_sizes(spaces, variants)
    return spaces


def flags_of(variant: Variant) -> list[str]:
    """The flags of a variant's model that the variant does not set itself."""
    return [flag for flag in [*signature(MODELS[variant.model]).parameters][2:] if flag not in variant.all_flags]


def space_of(nuisance: Mapping[str, Space], task: str, variant: Variant) -> dict[str, Space]:
    """The factors that are searched for a variant on a task, in their order."""
    own = {*TRAINING, *flags_of(variant)}
    place: dict[str, Value] = {"task": task, "variant": variant.name}
    return {
        name: space
        for name, space in nuisance.items()
        if name in own and all(place[key] in space.where[key] for key in SCIENTIFIC if key in space.where)
    }


def values_of(spaces: Mapping[str, Space], given: Mapping[str, Value], task: str, variant: str) -> dict[str, Value]:
    """Those of the given values whose factors are drawn, by their conditions."""
    values: dict[str, Value] = {"task": task, "variant": variant}
    for name, space in spaces.items():
        if is_drawn(space, values):
            values[name] = given[name]
    return {name: value for name, value in values.items() if name not in SCIENTIFIC}


def check_networks(nuisance: Mapping[str, Space], tasks: Mapping[str, Task], variants: Iterable[Variant]) -> None:
    """Raises `UserError` where a network cannot be built with a value of one of its searched flags, or so few parameters."""
    for variant in variants:
        for label, task in tasks.items():
            spaces = space_of(nuisance, label, variant)
            for number in spaces["parameters"].ends if "parameters" in spaces else ():
                solve_size(variant, task.spec, int(number or 0))
            for name in [name for name in spaces if name not in TRAINING]:
                for value in spaces[name].ends:
                    _check_network(variant, task, {**_needed(spaces, name), name: value})


def _check_network(variant: Variant, task: Task, flags: dict[str, Value]) -> None:
    searched = variant.with_flags(flags)
    chosen = ", ".join(f"{name}={value!r}" for name, value in flags.items())
    try:
        searched.shapes(task.spec, 2)
    except Exception as error:  # whatever a user's own model raises
        raise UserError(f"{variant.name!r} cannot have {chosen}: {error}") from error
    if (searched.cell, searched.causal) != (variant.cell, variant.causal):
        raise UserError(
            f"{variant.name!r} with {chosen} has another cell, or reads in another direction: that is no nuisance factor; "
            "make it a variant"
        )


def _needed(spaces: Mapping[str, Space], name: str) -> dict[str, Value]:
    """The first values of a model's flags under which a factor is drawn."""
    needed: dict[str, Value] = {}
    for other, allowed in spaces[name].where.items():
        if other in spaces and other not in TRAINING:
            needed |= {**_needed(spaces, other), other: allowed[0]}
    return needed


def _flag(name: str, space: Space, variants: tuple[Variant, ...]) -> Space:
    """The space of a model's flag, with numbers of the type that the model says."""
    models = {variant.model for variant in variants if name in flags_of(variant)}
    if name in RESERVED and models:
        raise UserError(
            f"no factor can be named {name!r}: a run is recorded with one of its own; give the flag another name"
        )
    if not models:
        if any(name in variant.all_flags for variant in variants):
            raise UserError(
                f"every variant sets {name!r} itself, or its model does not have it: nothing is left to search"
            )
        known = [*TRAINING, *dict.fromkeys(flag for variant in variants for flag in flags_of(variant))]
        raise UserError(unknown("nuisance or fixed factor", name, known, most=MOST_FACTORS))
    types = {part for model in models for part in _types(MODELS[model], name)}
    if float in types and int not in types:
        return of_type(name, space, Factor(float, "", lambda value: True)) if isinstance(space, Range) else space
    if int in types and float not in types and isinstance(space, Range) and not space.is_whole:
        raise UserError(f"the factor {name!r} is a whole number; its range is {space.low!r} to {space.high!r}")
    return space


def _types(model: Any, flag: str) -> set[Any]:
    """The types that a model's flag may have, as far as its class says."""
    network = getattr(model, "func", model)
    try:
        hint = get_type_hints(network.__init__).get(flag)
    except Exception:  # names that exist for a type checker alone
        return set()
    return {hint, *getattr(hint, "__args__", ())}


def _check_condition(name: str, space: Space, before: Mapping[str, Space], variants: tuple[Variant, ...]) -> None:
    """Raises `UserError` where a condition names no factor before this one, or values that it never has."""
    for other, allowed in space.where.items():
        if other == "task":
            continue
        if other == "variant":
            known: tuple[Value, ...] = tuple(variant.name for variant in variants)
        elif other not in before or other == name:
            raise UserError(f"the condition of {name!r} names {other!r}; it can name 'variant', 'task', or a factor that "
                            f"stands before it: {', '.join(n for n in before if n != name) or 'there is none'}")  # fmt: skip
        elif isinstance(before[other], Range):
            range_ = before[other]
            if all(isinstance(v, int | float) and range_.low <= v <= range_.high for v in allowed):  # type: ignore[union-attr]
                continue
            known = range_.ends
        else:
            known = before[other].ends
        if missing := [value for value in allowed if value not in known]:
            values = (
                " to ".join(map(repr, known)) if isinstance(before.get(other), Range) else ", ".join(map(repr, known))
            )
            raise UserError(f"the condition of {name!r} needs {other} to be {missing[0]!r}; it is {values}")


def _check_momentum(spaces: Mapping[str, Space], fixed: Mapping[str, Value], optimiser: str) -> None:
    """Raises `UserError` where a momentum would be drawn or fixed for an optimiser that has none."""
    optimisers = set(spaces["optimiser"].ends if "optimiser" in spaces else (optimiser,))
    if "momentum" in spaces:
        optimisers &= set(spaces["momentum"].where.get("optimiser", tuple(optimisers)))
    elif not fixed.get("momentum"):
        return
    if without := sorted(map(str, optimisers.difference(MOMENTUM))):
        raise UserError(
            f"{without[0]} has no 'momentum'; it is a factor of {' and '.join(MOMENTUM)}. Where the optimiser is searched: "
            "momentum=Range(0.5, 0.95, where={'optimiser': 'sgd'})"
        )


def _check_sizes(spaces: Mapping[str, Space], variants: tuple[Variant, ...]) -> None:
    sizes = [name for name in ("hidden", "parameters") if name in spaces]
    if len(sizes) > 1:
        raise UserError("'hidden' and 'parameters' both choose the size of a model; search one of them")
    own = [variant.name for variant in variants if variant.size is not None]
    if sizes and own:
        raise UserError(f"{sizes[0]!r} cannot be searched: {own[0]!r} has a size of its own")
