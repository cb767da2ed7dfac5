"""A setting: one combination of the scientific factors."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ablations.models import Network
from ablations.models.sizes import hidden_size, shapes_of, solve_size
from ablations.models.variant import Variant
from ablations.study.factors import SIZES
from ablations.study.space import Value
from tasks import Task


@dataclass(frozen=True)
class Setting:
    """One combination of the scientific factors: a task under its label, and a variant with its hidden size."""

    label: str
    task: Task
    variant: Variant
    size: int

    @property
    def name(self) -> str:
        """The task's label and the variant, as "adding/lstm"."""
        return f"{self.label}/{self.variant.name}"

    @property
    def network(self) -> Network:
        """Its network on the meta device, to read and not to change: whatever looks at a plan gets the same object."""
        return shapes_of(self.variant, self.task.spec, self.size)

    def with_factors(self, factors: Mapping[str, Value], parameters: int) -> "Setting":
        """The setting of the same name whose network has these flags, and a `hidden` size or `parameters` of its own.

        With other flags and neither of the two, its size follows from the variant's rule at a budget of so many
        `parameters` anew: a second layer makes the layers narrower.
        """
        flags = {name: value for name, value in factors.items() if name not in SIZES}
        variant, spec = self.variant.with_flags(flags), self.task.spec
        size = self.size
        if "hidden" in factors:
            size = int(factors["hidden"])  # type: ignore[arg-type]  # `study.factors` checks it
        elif "parameters" in factors:
            size = solve_size(variant, spec, int(factors["parameters"]))  # type: ignore[arg-type]
        elif flags:
            size = hidden_size(variant, spec, parameters)
        return replace(self, variant=variant, size=size)
