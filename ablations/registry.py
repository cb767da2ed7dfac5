"""Finding things by name."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TypeVar

from ablations.errors import UserError

T = TypeVar("T")


def look_up(registry: Mapping[str, T], name: str, kind: str) -> T:
    """The entry of that name. Raises `UserError`, with the nearest name if there is a near one, and all that there are.

    >>> look_up({"lstm": 1, "gru": 2}, "ltsm", "cell")
    Traceback (most recent call last):
        ...
    ablations.errors.UserError: unknown cell 'ltsm'; did you mean 'lstm'? Known: lstm, gru
    """
    check_known(registry, name, kind)
    return registry[name]


def check_known(known: Iterable[str], name: str, kind: str) -> None:
    """Raises `UserError`, as `look_up` does, where the name is not a known one."""
    names = list(known)
    if name not in names:
        raise UserError(unknown(kind, name, names))


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """The one line that says that there is no such thing, and what there is."""
    names = list(known)
    near = get_close_matches(name.lower(), names, n=1)
    hint = f"did you mean {near[0]!r}? Known: " if near else "known: "
    return f"unknown {kind} {name!r}; {hint}{', '.join(names)}"


def is_file(name: str) -> bool:
    """Whether a user means a Python file, and not the name of something.

    >>> is_file("own_study.py"), is_file("claims")
    (True, False)
    """
    return name.endswith(".py")
