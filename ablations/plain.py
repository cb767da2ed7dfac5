"""Plain data: what can be recorded as it is, and read from a record again."""

from collections.abc import Mapping

import numpy as np

from ablations.checks import is_number

PLAIN = "numbers, texts, true or false, None, or lists and dictionaries of these"
"""What can be recorded as it is, and read from a record again."""


def plain(value: object) -> object:
    """A value as plain data: NumPy's numbers become Python's, lists become tuples.

    Raises ValueError, which says what stands there, where it cannot be recorded as it is.

    >>> plain([1, np.float64(0.5), {"a": None}])
    (1, 0.5, {'a': None})
    >>> plain((1, print))
    Traceback (most recent call last):
        ...
    ValueError: a function
    """
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, bool | str | None):
        return value
    if isinstance(value, int | float):
        if not is_number(value):
            raise ValueError(f"{value}, no finite number" if isinstance(value, float) else "a number beyond all floats")
        return value
    if isinstance(value, list | tuple):
        return tuple(map(plain, value))
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: plain(each) for key, each in value.items()}
    raise ValueError(_kind(value))


def _kind(value: object) -> str:
    """What something is, in a word or two."""
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if callable(value) and hasattr(value, "__name__"):
        return "a function"
    return f"of type {type(value).__name__}"
