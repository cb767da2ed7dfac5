"""A variant: a model with its flags, built from a seed, and sized to a number of parameters."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from inspect import signature
from typing import Any

import torch

from ablations.errors import UserError
from ablations.models import MODELS, Network
from ablations.models.cell import Cell
from ablations.models.recurrent import RecurrentLayer
from ablations.registry import check_known, look_up
from tasks import TaskSpec


@dataclass(frozen=True)
class Variant:
    """A model with its flags. An ablation names its `parent`, and the `change`, the one thing in which they differ.

    >>> from tasks import TASKS
    >>> lstm = Variant("lstm", "recurrent", {"cell": "lstm"})
    >>> solve_size(lstm, TASKS["adding"]().spec, parameters=6000)
    37
    """

    name: str
    model: str
    flags: Mapping[str, Any] = field(default_factory=dict)
    parent: str | None = None
    change: str = ""

    def __post_init__(self) -> None:
        known = signature(look_up(MODELS, self.model, "model")).parameters
        for flag in self.flags:
            check_known([*known][2:], flag, f"flag of the model {self.model}")
        if self.parent == self.name or (self.parent is None) != (not self.change):
            raise UserError(f"variant {self.name!r}: an ablation has a parent, another variant, and says the change")

    def __hash__(self) -> int:
        return hash((self.name, self.model, tuple(sorted(self.flags.items()))))

    def build(self, spec: TaskSpec, size: int, seed: int) -> Network:
        """A fresh network, its random start a pure function of `seed`; no other random state is touched."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return MODELS[self.model](spec, size, **self.flags)

    def cell(self, spec: TaskSpec) -> type[Cell] | None:
        """The cell whose equations run in this variant, if there is one."""
        parts = self.build(spec, size=1, seed=0).modules()
        return next((part.cell for part in parts if isinstance(part, RecurrentLayer)), None)


def count_parameters(variant: Variant, spec: TaskSpec, size: int) -> int:
    """All parameters of the network, frozen ones included."""
    return sum(parameter.numel() for parameter in variant.build(spec, size, seed=0).parameters())


@lru_cache(maxsize=1024)
def solve_size(variant: Variant, spec: TaskSpec, parameters: int) -> int:
    """The hidden size at which the variant's parameter count comes nearest to `parameters`.

    Raises `UserError` where even the smallest network has more than twice as many.
    """

    def count(size: int) -> int:
        return count_parameters(variant, spec, size)

    if count(1) > 2 * parameters:
        raise UserError(f"{variant.name} has {count(1)} parameters at least; {parameters} cannot be met")
    high = 2
    while count(high) < parameters:
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if count(middle) < parameters else (low, middle)
    return min(low, high, key=lambda size: abs(count(size) - parameters))
