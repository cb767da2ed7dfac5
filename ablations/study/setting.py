"""A setting: one combination of the scientific factors."""

from dataclasses import dataclass

from ablations.models.variant import Variant
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
