"""The errors that are the user's to mend, apart from bugs."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ablations.credentials import hidden

if TYPE_CHECKING:
    from pydantic import ValidationError


class UserError(ValueError):
    """Something that the user gave cannot be used. The message is one line that names it and says what is allowed.

    The command line prints the message and ends with exit code 2. Any other exception is a bug: it keeps its traceback.
    The passwords of URIs are hidden in the message.
    """

    def __init__(self, message: object = "") -> None:
        super().__init__(hidden(str(message)))


def user_errors() -> tuple[type[ValueError], ...]:
    """`UserError`, and the `DataError` of the tasks if they are loaded; to load them for it would load torch.

    >>> user_errors()[0]
    <class 'ablations.errors.UserError'>
    """
    return UserError, getattr(sys.modules.get("tasks"), "DataError", UserError)


def chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and those that it was raised from or after; the first one last."""
    each: BaseException | None = error
    seen: set[int] = set()
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        yield each
        each = each.__cause__ or each.__context__


def in_one_line(error: "ValidationError") -> str:
    """What is wrong with some parameters: the first thing that pydantic names, and where it is."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    given = f", got {first['input']!r}" if isinstance(first["input"], int | float | str) else ""
    message = first["msg"].removeprefix("Value error, ")
    return f"{error.title}: {where + ': ' if where else ''}{message}{given}"
