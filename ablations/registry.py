"""Finding things by name."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TypeVar

T = TypeVar("T")


def look_up(registry: Mapping[str, T], name: str, kind: str) -> T:
    """The entry of that name. Raises ValueError, with the nearest name if there is a near one, and all that there are.

    >>> look_up({"lstm": 1, "gru": 2}, "ltsm", "cell")
    Traceback (most recent call last):
        ...
    ValueError: unknown cell 'ltsm'; did you mean 'lstm'? Known: lstm, gru
    """
    if name not in registry:
        raise ValueError(unknown(kind, name, registry))
    return registry[name]


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """The one line that says that there is no such thing, and what there is."""
    names = list(known)
    near = get_close_matches(name.lower(), names, n=1)
    hint = f"did you mean {near[0]!r}? Known: " if near else "known: "
    return f"unknown {kind} {name!r}; {hint}{', '.join(names)}"
