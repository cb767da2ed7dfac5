"""Identities: a hash of all that determines the numbers of a run, a setting or a plan."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ablations.models import Cell
from ablations.models.equations import equations
from ablations.models.kernels.source import source
from ablations.study.code import COMPILER, fingerprint, module_fingerprint, normalised

if TYPE_CHECKING:
    from ablations.study.budget import Costs
    from ablations.study.plan import Setting

# The training procedure, by name: it stands to the right of this room.
PROCEDURE = (
    "ablations.study.plan:Setting",
    "ablations.train.cohort:Cohort",
    "ablations.train.cohort:Run",
    "ablations.train.segment:train_segment",
    "ablations.train.evaluation:evaluate_test",
    "ablations.run.cohort_state:train",
    "ablations.search:Search",
)
FOUNDATION = tuple(f"{COMPILER}.{name}" for name in ("functions", "lanes", "matrices", "products", "sequence"))
"""What compiled cells are made of, and what calls them."""


def identity(content: Mapping[str, Any]) -> str:
    """A short name for plain data: equal data, equal name, whatever the order of its keys.

    >>> identity({"a": 1, "b": 2}) == identity({"b": np.int64(2), "a": 1})
    True
    """
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def setting_identity(plan: Mapping[str, Any], setting: "Setting") -> str:
    """Parameters, equations, and the code of task, model and training.

    How many trials and replicates there are is no part of it: more of them go on from those that exist.
    """
    variant, cell = setting.variant, setting.variant.cell
    content = {
        "task": [type(setting.task).__name__, setting.label, plan["tasks"][setting.label]],
        "variant": [variant.name, variant.model, dict(variant.flags), setting.size],
        "equations": [] if cell is None else _equations(cell),
        "code": fingerprint(type(setting.task), variant.network, *([cell] if cell else []), *PROCEDURE),
        "kernel": [_kernel_code(cell), module_fingerprint(*FOUNDATION)] if cell else [],
        "budget": {key: value for key, value in plan["budget"].items() if key not in ("trials", "replicates")},
        **{key: plan[key] for key in ("nuisance", "fixed", "solved_at", "seed")},
    }
    return identity(content)


def costs_identity(costs: "Costs", seed: int) -> str:
    """What is measured, and the code that measures it."""
    return identity({"costs": asdict(costs), "seed": seed, "code": fingerprint("ablations.train.costs:measure")})


@cache
def _equations(cell: type[Cell]) -> list[str]:
    return [equation.text for equation in equations(cell)]


@cache
def _kernel_code(cell: type[Cell]) -> str:
    """The code that the cell's kernel is compiled from; none where it cannot be compiled."""
    try:
        return normalised(source(cell))
    except Exception:  # a cell's own code on symbols may raise anything; the eager backend runs it
        return ""


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is no plain data")
