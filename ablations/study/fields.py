"""Strict checks of a study's fields, in the words of one who writes a study. They refuse, and compute nothing."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator, model_validator

from ablations.checks import is_number
from ablations.errors import LONGEST_GIVEN, UserError, shortened
from ablations.registry import unknown


class NamedFields:
    """A pydantic dataclass below it says which field was meant where an unknown one is given."""

    @model_validator(mode="before")
    @classmethod
    def _known_fields(cls, given: Any) -> Any:
        names = [field.name for field in fields(cls)]  # type: ignore[arg-type]  # what is below it is a dataclass
        for name in getattr(given, "kwargs", None) or {}:  # pydantic's pair of what the class is called with
            if name not in names:
                raise UserError(unknown("parameter", name, names, most=len(names)))
        return given


def _truth(value: Any) -> bool:
    if not isinstance(value, bool | np.bool_):
        raise UserError("it is True or False")
    return bool(value)


Truth = Annotated[bool, BeforeValidator(_truth)]
"""True or False. pydantic would take "no", "off", 0 and 1 too."""


def finite(value: Any) -> Any:
    """The value. pydantic would take True, texts of digits and not-a-number too."""
    if not is_number(value):
        raise UserError("it is a finite number")
    return value


def whole_number(value: Any) -> Any:
    """The value, which pydantic looks at next. It would take a text of digits, and True, for numbers."""
    if not is_number(value):
        raise UserError("it is a whole number")
    return value


def instance_of(kind: type, example: str) -> BeforeValidator:
    """Refuses what is no instance of a class, and says what is one."""

    def check(value: Any) -> Any:
        if isinstance(value, kind):
            return value
        raise UserError(f"it is a {kind.__name__}, as {example}{_what(value, kind)}")

    return BeforeValidator(check)


def mapping_of(example: str) -> BeforeValidator:
    """Refuses what is no mapping, and says what is one."""
    return BeforeValidator(_container(lambda value: isinstance(value, Mapping), f"it maps names, as {example}"))


def list_of(example: str) -> BeforeValidator:
    """Refuses what is no list or tuple, and says what is one."""
    return BeforeValidator(_container(lambda value: isinstance(value, list | tuple), f"it is a list, as {example}"))


def _container(is_right: Callable[[Any], bool], words: str) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if not is_right(value):
            raise UserError(f"{words}{_what(value)}")
        return value

    return check


def _what(value: Any, kind: type | None = None) -> str:
    """What was given instead; of a number or a text `in_one_line` says it."""
    if isinstance(value, int | float | str):
        return ""
    if not isinstance(value, type):
        return f", got {shortened(repr(value), LONGEST_GIVEN)}"
    forgot = f"; did you forget ()? {value.__name__}() is one" if kind and issubclass(value, kind) else ""
    return f", and {value.__name__} is a class{forgot}"
