"""The folder of everything that a run leaves, and the stores in it."""

import os
from pathlib import Path

from ablations.errors import LONGEST_GIVEN, UserError, shortened

LONGEST_PATH = 400
"""Bytes of the results folder's absolute path: SQLite opens no file whose path, its journal's included, has over 512."""


def home() -> Path:
    """The results folder: `results`, or what the environment variable ABLATIONS_HOME names.

    Raises `UserError` where that cannot be a folder.
    """
    given = os.environ.get("ABLATIONS_HOME") or "results"
    if wrong := _wrong(given):
        raise UserError(
            f"ABLATIONS_HOME is {shortened(repr(given), LONGEST_GIVEN)}, which {wrong}; name another folder"
        )
    return Path(given).expanduser()


def _wrong(given: str) -> str | None:
    """Why no results can be kept in a folder of that name."""
    if not given.isprintable():
        return "has characters that cannot be printed"
    try:
        folder = Path(given).expanduser()
        length = len(os.fsencode(folder.absolute()))
        if length > LONGEST_PATH:
            return f"has a path of {length} bytes; {LONGEST_PATH} are most"
        exists = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
    except RuntimeError:
        return "names the home of a user who is not known"
    except OSError as error:
        return f"cannot be looked at: {error.strerror}"
    if not exists.is_dir():
        return "is no folder" if exists == folder.absolute() else f"lies below {exists}, which is no folder"
    return None


def tracking_uri(folder: Path | None = None) -> str:
    """The MLflow store of the results folder, or of that folder."""
    return _database(folder or home(), "mlflow.db")


def storage_url() -> str:
    """The Optuna storage of the results folder."""
    return _database(home(), "optuna.db")


def _database(folder: Path, name: str) -> str:
    from ablations.sqlite import sqlite_url  # SQLAlchemy takes a third of a second to import

    return sqlite_url(folder / name)
