"""The search space: which hyperparameters there are, and the range that one is searched in."""

from pydantic import ConfigDict, model_validator
from pydantic.dataclasses import dataclass

from ablations.errors import UserError

STRICT = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
"""Unknown parameters are errors."""

HYPERPARAMETERS = ("lr", "clip", "weight_decay")
"""The factors that may differ from run to run: learning rate, limit of the gradient's norm, and weight decay."""


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
