"""Identities: a hash of all that determines the numbers of a run, a setting or a plan."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ablations.models import CELLS, Cell
from ablations.models.equations import equations
from ablations.models.kernels.source import source
from ablations.models.recurrent import RecurrentLayer
from ablations.models.recurrent_models import RecurrentModel
from ablations.study.code import fingerprint, module_fingerprint
from ablations.study.modules import is_own
from ablations.study.normal_form import normal_form

if TYPE_CHECKING:
    from ablations.study.budget import Costs
    from ablations.study.setting import Setting

# The training procedure, by name: it stands to the right of this room.
PROCEDURE = (
    "ablations.models.variant:Variant",
    "ablations.study.setting:Setting",
    "ablations.study.space:Range",
    "ablations.study.space:Choice",
    "ablations.study.search_space:space_of",
    "ablations.study.search_space:values_of",
    "ablations.train.cohort:Cohort",
    "ablations.train.cohort:Run",
    "ablations.train.segment:train_segment",
    "ablations.train.evaluation:evaluate_test",
    "ablations.run.cohort_runner:initial_state",
    "ablations.run.cohort_runner:train",
    "ablations.run.outcomes:run_metrics",
    "ablations.run.outcomes:trial_outcome",
    "ablations.run.outcomes:best_trial",
    "ablations.run.outcomes:unpromising_runs",
    "ablations.run.outcomes:stopped_runs",
    "ablations.search:Search",
)
KERNEL_MODULES = tuple(
    f"ablations.models.kernels.{name}"
    for name in (
        "convolution",
        "frames",
        "functions",
        "lanes",
        "matrices",
        "opaque",
        "products",
        "sequence",
        "training",
    )
)
"""What compiled cells and training steps are made of, and what calls them."""


def identity(content: Mapping[str, Any]) -> str:
    """A short name for plain data: equal data, equal name, whatever the order of its keys.

    >>> identity({"a": 1, "b": 2}) == identity({"b": np.int64(2), "a": 1})
    True
    """
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def setting_identities(plan: Mapping[str, Any], settings: Iterable["Setting"]) -> dict[str, str]:
    """name -> identity: parameters, equations, and the code of task, model and training.

    How many trials and replicates there are is no part of it: more of them go on from those that exist.
    """
    code = cache(fingerprint)  # many settings have the same code
    return {setting.name: _setting_identity(plan, setting, code) for setting in settings}


def _setting_identity(plan: Mapping[str, Any], setting: "Setting", code: Callable[..., str]) -> str:
    task, variant = setting.task, setting.variant
    modules, cells = _parts(setting)
    content = {
        "task": [type(task).__name__, setting.label, plan["tasks"][setting.label]],
        "variant": [variant.name, variant.model, variant.all_flags, setting.size],
        "cells": _cells(cells),
        "code": [code(*_roots(plan, setting, modules, cells)), module_fingerprint(*KERNEL_MODULES)],
        "budget": {key: value for key, value in plan["budget"].items() if key not in ("trials", "replicates")},
        **{key: plan[key] for key in ("nuisance", "fixed", "solved_at", "seed")},
    }
    return identity(content)


def roots(plan: Mapping[str, Any], setting: "Setting") -> list[type | str]:
    """The code that a setting runs: its task, its network with all parts, its optimisers, and the procedure."""
    return _roots(plan, setting, *_parts(setting))


def _roots(
    plan: Mapping[str, Any], setting: "Setting", modules: Iterable[type], cells: Iterable[type[Cell]]
) -> list[type | str]:
    names = plan["nuisance"].get("optimiser", {}).get("choices") or [plan["fixed"]["optimiser"]]
    optimisers = [f"ablations.train.optimisers:{name}" for name in names]
    return [type(setting.task), setting.variant.network, *modules, *cells, *PROCEDURE, *optimisers]


def costs_identity(costs: "Costs", seed: int) -> str:
    """What is measured, and the code that measures it and that is measured."""
    cells = [CELLS[name] for name in costs.cells]
    measured = fingerprint("ablations.train.costs:measure", "ablations.train.optimisers:adam", RecurrentModel, *cells)
    code = [measured, module_fingerprint(*KERNEL_MODULES)]
    return identity({"costs": asdict(costs), "seed": seed, "cells": _cells(cells), "code": code})


def cost_identities(costs: "Costs", seed: int) -> list[str]:
    """The identities of the single measurements, in their order."""
    parent = costs_identity(costs, seed)
    return [identity({"parent": parent, "number": number}) for number in range(costs.points)]


def _parts(setting: "Setting") -> tuple[list[type], list[type[Cell]]]:
    """The classes of the modules that a setting's network is made of, and its cells; libraries' modules left out."""
    modules = list(setting.network.modules())
    cells = [module.cell for module in modules if isinstance(module, RecurrentLayer)]
    classes = [type(module) for module in modules if is_own(type(module).__module__)]
    return list(dict.fromkeys(classes)), list(dict.fromkeys(cells))


def _cells(cells: Iterable[type[Cell]]) -> list[list[str]]:
    """The equations of each cell, and the code of its kernel."""
    return [[*_equations(cell), _kernel_code(cell)] for cell in cells]


@cache
def _equations(cell: type[Cell]) -> list[str]:
    return [equation.text for equation in equations(cell)]


@cache
def _kernel_code(cell: type[Cell]) -> str:
    """The code that the cell's kernel is compiled from; none where it cannot be compiled."""
    try:
        return normal_form(source(cell))
    except Exception:  # a cell's own code on symbols may raise anything; the eager backend runs it
        return ""


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is no plain data")
