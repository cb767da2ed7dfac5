"""The search space: what a factor may be drawn from, and under which condition it is drawn at all."""

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from math import exp, floor, log
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator, ConfigDict, field_validator, model_validator
from pydantic.dataclasses import dataclass

from ablations.checks import as_read, is_number
from ablations.errors import UserError
from ablations.study.fields import NamedFields, Truth, finite

STRICT = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
"""Unknown parameters are errors."""

HYPERPARAMETERS = ("lr", "clip", "weight_decay")
"""The factors that every run has a number of: learning rate, limit of the gradient's norm, and weight decay."""

Value = bool | int | float | str | None
"""What a factor can have."""

Where = Mapping[str, Any]
"""factor -> the value, or several, of it under which another factor is drawn; "variant" and "task" can stand for a factor."""


def _single(value: Any) -> Any:
    """The value, with NumPy's numbers as Python's. pydantic's own refusal would name the first type that it is not."""
    single = value.item() if isinstance(value, np.generic) else value
    if isinstance(single, int | float | str | None):
        return single
    raise ValueError("it is a text, a number, True, False or None")


def _is_endless(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and not is_number(value)


Single = Annotated[Value, BeforeValidator(_single)]
"""One value of a factor, as a user gives it."""

Number = Annotated[int | float, BeforeValidator(finite)]
"""An end or a step of a range."""


class _Space(NamedFields):
    """What `Range` and `Choice` share: the condition, given as single values or as several of them."""

    @field_validator("where", mode="before")
    @classmethod
    def _several(cls, where: Any) -> dict[str, tuple[Any, ...]]:
        several = (tuple, list, set, range)
        if not isinstance(where, Mapping):
            raise UserError("it maps factors, 'variant' or 'task' to the values under which this one is drawn")
        values = {
            name: tuple(map(_single, each if isinstance(each, several) else (each,))) for name, each in where.items()
        }
        if empty := [name for name, each in values.items() if not each]:
            raise UserError(f"it has no value of {empty[0]!r}; the factor would never be drawn")
        return values


@dataclass(frozen=True, config=STRICT)
class Range(_Space):
    """A factor that is searched between `low` and `high`, both included, by default on a logarithmic scale.

    Between whole numbers, a factor that counts something takes whole numbers. step: the distance of the values that are
    tried, on a scale that is not logarithmic. where: the factor is drawn only where other factors have these values.

    >>> Range(1e-3, 1e-1).at(0.5)
    0.01
    >>> [Range(1, 3, log=False).at(share) for share in (0.0, 0.4, 0.99)]
    [1, 2, 3]
    """

    low: Number
    high: Number
    log: Truth = True
    step: Number | None = None
    where: Where = field(default_factory=dict)

    @model_validator(mode="after")
    def _check(self) -> "Range":
        if not self.low < self.high or (self.log and self.low <= 0):
            raise UserError(f"needs low < high, and low > 0 where it is logarithmic; got {self.low} to {self.high}")
        if self.step is not None and (self.log or not 0 < self.step <= self.high - self.low):
            raise UserError(f"a step ({self.step}) is above 0, at most high - low, and needs log=False")
        return self

    @property
    def is_whole(self) -> bool:
        """Whether its values are whole numbers."""
        return all(isinstance(number, int) for number in (self.low, self.high, self.step or 1))

    def as_floats(self) -> "Range":
        """The same for a factor that is no whole number."""
        return replace(self, low=float(self.low), high=float(self.high), step=self.step and float(self.step))

    def at(self, share: float) -> int | float:
        """The value at a share of the range: 0 is its low end, 1 its high end. Equal shares are equally probable."""
        if not self.is_whole and self.step is None:
            if self.log:
                return float(self.low * (self.high / self.low) ** share)
            return float(self.low + share * (self.high - self.low))
        if self.log:  # a whole number is all that rounds to it
            ends = log(self.low - 0.5), log(self.high + 0.5)
            value = round(exp(ends[0] + share * (ends[1] - ends[0])))
            return int(min(max(value, self.low), self.high))
        step = self.step or 1
        steps = floor((self.high - self.low) / step + 1e-9)  # a float's own error must not cost the last value
        return self.low + step * min(floor(share * (steps + 1)), steps)

    def from_record(self, value: float | str) -> Value:
        """The value that the record has as a number, as it was drawn."""
        return int(value) if self.is_whole else value

    @property
    def ends(self) -> tuple[Value, ...]:
        """Values that stand for all: the two ends."""
        return self.low, self.high

    @property
    def data(self) -> dict[str, Any]:
        """Plain data for the record. Of what old records do not have, nothing is said where it is not used."""
        step = {"step": self.step} if self.step is not None else {}
        whole = {"whole": True} if self.is_whole else {}
        return {"low": self.low, "high": self.high, "log": self.log, **step, **whole, **_condition(self.where)}


@dataclass(frozen=True, config=STRICT)
class Choice(_Space):
    """A factor that is one of several values: texts, numbers, True and False, or None.

    where: the factor is drawn only where other factors have these values.

    >>> [Choice(["adam", "sgd"]).at(share) for share in (0.0, 0.49, 0.5, 1.0)]
    ['adam', 'adam', 'sgd', 'sgd']
    """

    values: Sequence[Value]
    where: Where = field(default_factory=dict)

    @field_validator("values", mode="before")
    @classmethod
    def _values(cls, values: Any) -> tuple[Value, ...]:
        if not isinstance(values, list | tuple | range | np.ndarray):
            raise UserError(f"the values of a choice are a list of texts, numbers, True, False or None; got {values!r}")
        plain = tuple(value.item() if isinstance(value, np.generic) else value for value in values)
        if strange := [value for value in plain if not isinstance(value, Value)]:
            raise UserError(f"each value is a text, a number, True, False or None; got {strange[0]!r}")
        return plain

    @model_validator(mode="after")
    def _check(self) -> "Choice":
        if strange := [value for value in self.values if _is_endless(value)]:
            raise UserError(f"the numbers of a choice are finite; got {strange[0]}")
        if len({(type(value), value) for value in self.values}) < max(2, len(self.values)):
            raise UserError(f"a choice needs two values or more, each once; got {list(self.values)}")
        if len(self._by_text) < len(self.values):
            raise UserError(f"the record could not tell some of these values apart: {list(self.values)}")
        return self

    def at(self, share: float) -> Value:
        """The value at a share: each has an equal part of [0, 1]."""
        return self.values[min(int(share * len(self.values)), len(self.values) - 1)]

    def from_record(self, value: float | str) -> Value:
        """The value that the record has as a number or as text, as it was drawn."""
        return self._by_text.get(str(value))

    @property
    def _by_text(self) -> dict[str, Value]:
        """Each value by the text of what is read of it; as text, since not-a-number equals nothing."""
        return {str(as_read(each)): each for each in self.values}

    @property
    def ends(self) -> tuple[Value, ...]:
        """Values that stand for all: each of them."""
        return tuple(self.values)

    @property
    def data(self) -> dict[str, Any]:
        """Plain data for the record."""
        return {"choices": list(self.values), **_condition(self.where)}


Space = Range | Choice
"""What a factor is drawn from."""


def as_space(given: Any) -> Any:
    """A distribution of Optuna's as a `Range` or a `Choice`; anything else as it is, for what checks it next.

    It is known by its parts: to import Optuna for it would take longer than to load most studies.
    """
    if not type(given).__module__.startswith("optuna."):
        return given
    if hasattr(given, "choices"):
        return Choice(tuple(given.choices))
    is_plain = given.step is None or (given.step == 1 and isinstance(given.low, int))
    return Range(given.low, given.high, given.log, None if is_plain else given.step)


def is_drawn(space: Space, values: Mapping[str, Value]) -> bool:
    """Whether a factor's condition holds, given the values of those before it; not where one of them is not drawn."""
    return all(name in values and values[name] in allowed for name, allowed in space.where.items())


def _condition(where: Where) -> dict[str, Any]:
    return {"where": {name: list(values) for name, values in where.items()}} if where else {}
