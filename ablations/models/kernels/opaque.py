"""Calls of compiled code, which torch cannot see into: whoever records torch's operations is told of them here."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

Observer = Callable[[Callable[..., Any], tuple[Any, ...]], Any]
"""(function, arguments) -> what the function returns for them."""

_observer: ContextVar[Observer | None] = ContextVar("observer", default=None)


@contextmanager
def observed_by(observer: Observer) -> Iterator[None]:
    """Within it, `call` asks the observer to call."""
    token = _observer.set(observer)
    try:
        yield
    finally:
        _observer.reset(token)


def call(function: Callable[..., Any], *arguments: Any) -> Any:
    """function(*arguments). The result is one tensor, one object, or a tuple of such; nothing is changed in place."""
    observer = _observer.get()
    return function(*arguments) if observer is None else observer(function, arguments)
