"""Writing to the results folder: whether that is possible, and a lock that lets one writer at a time have a record."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from ablations.errors import UserError

EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)
"""No run can have been recorded before; MLflow refuses times before 1970, and orders runs by them."""


def make_writable(folder: Path) -> None:
    """Creates the folder where it is missing. Raises `UserError` where it cannot be written to, or has no sound clock."""
    now = datetime.now(UTC)
    if now < EARLIEST:
        raise UserError(
            f"this machine's clock says {now:%Y-%m-%d}, and runs are recorded with their times: set it first"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise UserError(f"the results folder {folder} cannot be written to: {error.strerror}") from error


@contextmanager
def sole_writer(home: Path, name: str, command: str) -> Iterator[None]:
    """Holds the lock of the record `name` in the results folder `home`. Raises `UserError` where another process does.

    The operating system frees the lock when its holder ends, even by kill -9: a lock is never stale. Records of
    different names in one folder do not block each other.

    Promised: among processes that share the folder, on one machine, and on several where the file system passes locks
    on (NFS with its lock service, as Linux mounts it by default). Not promised: where a mount keeps locks local
    (`nolock`, `local_lock`), and for two results folders that write to one tracking server.
    """
    folder = home / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    holder = folder / f"{name}.json"
    # fallback_to_soft: where there are no locks, a mere file would be one, and a kill would leave it behind.
    lock = FileLock(folder / f"{name}.lock", timeout=0, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise UserError(f"the record {name} in {home} is being written by {_described(holder)}") from error
    except OSError as error:
        raise UserError(f"cannot lock the record {name} in {home}: {error.strerror}") from error
    try:
        holder.write_text(json.dumps(_this_process(command)), encoding="utf-8")
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _this_process(command: str) -> dict[str, str]:
    since = datetime.now(UTC).isoformat(timespec="seconds")
    return {"pid": str(os.getpid()), "host": socket.gethostname(), "command": command, "since": since}


def _described(holder: Path) -> str:
    try:
        who = json.loads(holder.read_text(encoding="utf-8"))
        return f"process {who['pid']} on {who['host']} since {who['since']}: {who['command']}"
    except (OSError, ValueError, KeyError, TypeError):  # it has only just taken the lock
        return "another process"
