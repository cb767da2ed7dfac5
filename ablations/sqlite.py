"""SQLite databases that are files: their URLs, and how a new one is created."""

import shutil
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

HEADER = b"SQLite format 3\0"
"""The first bytes of every SQLite database."""


def sqlite_url(path: Path) -> str:
    """The SQLAlchemy URL of a database file. A path may have any characters.

    >>> sqlite_url(Path("/home/ada/my results/mlflow.db"))
    'sqlite:////home/ada/my results/mlflow.db'
    >>> sqlite_url(Path("/home/ada/100%/mlflow.db"))
    'sqlite+pysqlite:////home/ada/100%25/mlflow.db'
    """
    url = URL.create("sqlite", database=str(path)).render_as_string()
    # MLflow creates the folder of whatever follows "sqlite:///", and does not decode it first: it would create the
    # folder "100%25", or fail to. The same URL with the driver's name is left alone.
    return url if url == f"sqlite:///{path}" else url.replace("sqlite", "sqlite+pysqlite", 1)


def database_file(url: str) -> Path | None:
    """The file of an SQLite URL; None for another kind of database and for one in memory."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        return None
    is_file = parsed.database and parsed.database != ":memory:" and not parsed.database.startswith("file:")
    return Path(parsed.database or "") if parsed.get_backend_name() == "sqlite" and is_file else None


def is_missing(file: Path) -> bool:
    """True where there is no database yet: no file, or an empty one."""
    return not file.exists() or (file.is_file() and file.stat().st_size == 0)


def is_database(file: Path) -> bool:
    """True where the file is an SQLite database. Raises OSError where it cannot be read."""
    with file.open("rb") as opened:
        return opened.read(len(HEADER)) == HEADER


def create_once(file: Path, create: Callable[[str], object]) -> None:
    """Creates a database with `create(url)`, unless it exists. Any number of processes may call this at once.

    A library creates its tables one by one. A second process would fail on the first one's tables, and a kill would
    leave a database that can never be opened again. So one process creates it, under another name, and renames it.
    """
    folder = file.with_name(f".{file.name}.new")
    if not is_missing(file) and not folder.exists():
        return
    if not file.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {file.parent}")
    with FileLock(f"{file}.lock"):
        shutil.rmtree(folder, ignore_errors=True)  # what a killed process left
        if is_missing(file):
            folder.mkdir()
            create(sqlite_url(folder / file.name))
            (folder / file.name).replace(file)
            folder.rmdir()
