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


LONGEST_GIVEN = 60
"""Signs of what a user gave that a message repeats."""

LONGEST_MESSAGE = 1000
"""Signs of a message; a longer one is cut."""


def shortened(text: str, most: int = LONGEST_MESSAGE) -> str:
    """A text as one line, of so many signs at most.

    >>> shortened("one\\ntwo", 5)
    'one …'
    """
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def in_one_line(error: "ValidationError") -> str:
    """What is wrong with some parameters: what is unknown, else the first thing that pydantic names, and where it is."""
    errors = error.errors()  # a name that was not meant is the reason why another one is missing
    first = next((each for each in errors if each["type"] == "unexpected_keyword_argument"), errors[0])
    where = ".".join(str(part) for part in first["loc"])
    given = f", got {_shown(first['input'])}" if isinstance(first["input"], int | float | str) else ""
    message = first["msg"].removeprefix("Value error, ")
    return f"{error.title}: {where + ': ' if where else ''}{message}{given}"


def _shown(value: float | str) -> str:
    """A value as it was written, if it is short; Python refuses to print integers of thousands of digits."""
    try:
        return shortened(repr(value), LONGEST_GIVEN)
    except ValueError:
        return "a number of thousands of digits"
