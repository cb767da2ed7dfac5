"""How a command ends: its exit code, and what is said of an error."""

import errno
import logging
import os
import sqlite3
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from traceback import extract_tb, format_exception
from types import TracebackType
from typing import Any, NoReturn

import click

from ablations.cli.called import as_called
from ablations.credentials import hidden
from ablations.errors import chain, shortened, user_errors

BAD_INPUT = 2
TIME_IS_OVER = 124  # as timeout(1) says it
INTERRUPTED = 130
KEPT = "what is finished is kept: mend it, and give the same command again"
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
CLOSED = (errno.EACCES, errno.EPERM, errno.EROFS)
DATABASE = {
    "database or disk is full": "the disk is full",
    "disk I/O error": "a database cannot be read or written; is the disk full?",
    "attempt to write a readonly database": "a database cannot be written to",
    "unable to open database file": "a database cannot be opened",
    "database disk image is malformed": "a database is damaged",
    "file is not a database": "a database is damaged",
    "database is locked": "a database is in use by another process",
}
"""What SQLite says, and what it means."""


def end_of(command: Callable[[], int | None]) -> NoReturn:
    """Runs a command. What the user can mend is one line and exit code 2, a bug its traceback and exit code 1."""
    try:
        code = _code_of(command)
        sys.stdout.flush()  # on a full disk this fails, and not later, where nobody could say so
        sys.exit(code)
    except click.ClickException as error:
        _fail(error.format_message())
    except user_errors() as error:
        _fail(str(error))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except click.Abort as error:  # click makes it of Ctrl-C, but also of a file that ends too early
        if isinstance(error.__cause__, EOFError):
            raise error.__cause__ from None
        sys.exit(INTERRUPTED)
    except BrokenPipeError:  # whoever read the output has read enough
        _drop_output()
        sys.exit(1)
    except Exception as error:
        if (reason := mendable(error)) is None:
            raise
        _drop_output()
        _fail(f"{reason}; {KEPT}")


def hide_passwords() -> None:
    """From now on, the passwords of URIs are hidden in the traceback of a bug and in what is logged."""
    make_record = logging.getLogRecordFactory()

    def make_hidden_record(*arguments: Any, **more: Any) -> logging.LogRecord:
        record = make_record(*arguments, **more)
        with suppress(TypeError, ValueError):  # a message that does not fit its arguments; its handler says so
            record.msg, record.args = hidden(record.getMessage()), ()
        return record

    logging.setLogRecordFactory(make_hidden_record)
    sys.excepthook = _print_traceback


def _print_traceback(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    sys.stderr.write(hidden("".join(format_exception(kind, error, trace))))


def _code_of(command: Callable[[], int | None]) -> int:
    """The command's exit code. What calls sys.exit on the way is a file of the user's."""
    try:
        return command() or 0
    except SystemExit as error:
        frame = extract_tb(error.__traceback__)[-1]
        if Path(frame.filename).is_relative_to(Path(click.__file__).parent):
            raise  # whoever read its help has read enough
        _fail(f"{frame.filename}, line {frame.lineno}: SystemExit: a study's file must not end the program")


def mendable(error: BaseException) -> str | None:
    """What the user can mend: a full disk or memory, a file or database that cannot be used; None for any other error.

    >>> mendable(OSError(28, "No space left on device", "results/mlflow.db"))
    'the disk is full (results/mlflow.db)'
    >>> mendable(KeyError("a bug"))
    """
    return next((reason for each in chain(error) if (reason := _reason(each))), None)


def _reason(error: BaseException) -> str | None:
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        if error.errno in FULL:
            return f"the disk is full{where}"
        return f"{error.strerror}{where}" if error.errno in CLOSED else None
    if isinstance(error, MemoryError):
        return f"there is not enough memory ({shortened(str(error), 200)})"
    if isinstance(error, sqlite3.Error):
        return next((meaning for words, meaning in DATABASE.items() if words in str(error)), None)
    return None


def _drop_output() -> None:
    """Writes what is still to be said, or drops it: the interpreter would try to write it at its end."""
    try:
        sys.stdout.flush()
    except OSError:
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, sys.stdout.fileno())
        os.close(sink)


def _fail(message: str) -> NoReturn:
    click.echo("error: " + hidden(as_called(shortened(message))), err=True)
    sys.exit(BAD_INPUT)
