"""Checks of single values that a user gives: whether one is a number, how it is read again, what a name can be."""

import math
from numbers import Real

from ablations.errors import UserError

LONGEST_NAME = 100
"""Signs of a name. It becomes a part of file names, and MLflow cuts or refuses long ones."""


def is_number(value: object) -> bool:
    """Whether a value is a finite number; True and False are none.

    >>> is_number(1), is_number(float("nan")), is_number(10**400), is_number(True), is_number("1")
    (True, False, False, False, False)
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond all floats
        return False


def as_read(value: object) -> float | str:
    """A value as the record gives it again: it keeps each as text, and what reads as a number is one.

    >>> as_read(0.5), as_read(2), as_read("16"), as_read(True), as_read(None)
    (0.5, 2.0, 16.0, 'True', 'None')
    """
    text = str(value)
    try:
        return float(text)
    except ValueError:
        return text


def check_name(kind: str, name: object) -> None:
    """Raises `UserError` where a name cannot be part of a path, of a line and of the record, or would be read as a number.

    >>> check_name("task", "copying, long")
    >>> check_name("task", "1e5")
    Traceback (most recent call last):
        ...
    ablations.errors.UserError: the task's name '1e5' reads as a number; give it a letter more
    """
    if not isinstance(name, str) or not name or len(name) > LONGEST_NAME or not name.isprintable():
        shown = repr(name) if len(repr(name)) <= LONGEST_NAME else f"{repr(name)[:20]}…"
        raise UserError(f"the {kind}'s name {shown} must be a text of 1 to {LONGEST_NAME} printable characters")
    if "/" in name or "\\" in name or name.strip(" .") != name:
        raise UserError(f"the {kind}'s name {name!r} cannot have a slash, or begin or end with a space or a dot")
    if isinstance(as_read(name), float):
        raise UserError(f"the {kind}'s name {name!r} reads as a number; give it a letter more")
