"""Finding things by name."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TypeVar

from ablations.errors import LONGEST_GIVEN, UserError, shortened

T = TypeVar("T")

MOST_NAMED = 10
"""Up to so many names that there are, all are said; of more, `NEAREST`."""

NEAREST = 8


def look_up(registry: Mapping[str, T], name: str | type, kind: str) -> T:
    """The entry of that name. Raises `UserError`, with the nearest name if there is a near one, and all that there are.

    >>> look_up({"lstm": 1, "gru": 2}, "ltsm", "cell")
    Traceback (most recent call last):
        ...
    ablations.errors.UserError: unknown cell 'ltsm'; did you mean 'lstm'? Known: lstm, gru
    >>> look_up({"lstm": dict}, dict, "cell")
    Traceback (most recent call last):
        ...
    ablations.errors.UserError: unknown cell <class 'dict'>; a cell is given by its name, here 'lstm'
    """
    if isinstance(name, type):
        own = (f", here {key!r}" for key, entry in registry.items() if getattr(entry, "func", entry) is name)
        hint = next(own, f" in {kind.upper()}S" if kind.isalpha() else "")
        given = shortened(repr(name), LONGEST_GIVEN)
        raise UserError(f"unknown {kind} {given}; a {kind} is given by its name{hint}")
    check_known(registry, name, kind)
    return registry[name]


def check_known(known: Iterable[str], name: str, kind: str) -> None:
    """Raises `UserError`, as `look_up` does, where the name is not a known one."""
    names = list(known)
    if name not in names:
        raise UserError(unknown(kind, name, names))


def unknown(kind: str, name: object, known: Iterable[str]) -> str:
    """The one line that says that there is no such thing, and what there is."""
    names = [str(each) for each in known]
    near = nearest(str(name), names)
    hint = f"did you mean {near!r}? Known: " if near else "known: "
    return f"unknown {kind} {shortened(repr(name), LONGEST_GIVEN)}; {hint}{_listed(str(name), names) or 'none'}"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The name that was probably meant."""
    return next(iter(get_close_matches(name.lower()[:LONGEST_GIVEN], list(known), n=1)), None)


def _listed(name: str, names: list[str]) -> str:
    """All names; of many, those that are most like the one that was given."""
    if len(names) <= MOST_NAMED:
        return ", ".join(names)
    close = get_close_matches(name.lower()[:LONGEST_GIVEN], names, n=NEAREST, cutoff=0.0)
    return f"{', '.join(close)}, … ({len(names)} in all)"


def is_file(name: str) -> bool:
    """Whether a user means a Python file, and not the name of something.

    >>> is_file("own_study.py"), is_file("claims")
    (True, False)
    """
    return name.endswith(".py")
