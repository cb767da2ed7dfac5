"""A full disk or one that is closed for writing is one line, and what was finished is kept."""

import errno
import pickle
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from builders.small_study import Databases, Memory, carry_out, numbers
from sqlalchemy import event
from sqlalchemy.engine import Engine

from ablations.cli.ending import mendable
from ablations.errors import UserError
from ablations.study import Study


@pytest.fixture
def small(study: Study) -> Study:
    tasks = {"adding": study.scales["smoke"].tasks["adding"]}
    return replace(study, variants=study.variants[1:], scales={"smoke": replace(study.scales["smoke"], tasks=tasks)})


@contextmanager
def databases_with(pragma: str) -> Iterator[None]:
    """All databases that are opened meanwhile have that pragma."""

    def set_pragma(connection: Any, _: object) -> None:
        connection.execute(f"pragma {pragma}")

    event.listen(Engine, "connect", set_pragma)
    try:
        yield
    finally:
        event.remove(Engine, "connect", set_pragma)


def begun(study: Study, folder: Path) -> Path:
    """Databases in which the study has begun, that no connection of this process has seen; returns MLflow's."""
    stores = Databases(folder.with_name("begun"))
    stores.recorder(study)
    stores.storage()
    shutil.copytree(stores.folder, folder)
    return folder / "mlflow.db"


def reason(error: BaseException) -> str:
    return str(error) if isinstance(error, UserError) else str(mendable(error))


@pytest.mark.slow
def test_a_database_that_cannot_grow_is_one_line_and_the_study_goes_on_later(
    small: Study, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = Memory(tmp_path / "whole")
    carry_out(small, whole)
    pages = begun(small, tmp_path / "full").stat().st_size // 4096
    with databases_with(f"max_page_count = {pages + 3}"), pytest.raises(Exception, match="full") as told:
        carry_out(small, tmp_path / "full")
    assert "the disk is full" in reason(told.value)
    assert not [message for message in caplog.messages if "\n" in message]
    shutil.copytree(tmp_path / "full", tmp_path / "later")
    carry_out(small, tmp_path / "later")
    assert numbers(small, tmp_path / "later") == numbers(small, whole)


@pytest.mark.slow
def test_a_database_that_cannot_be_written_to_is_one_line(small: Study, tmp_path: Path) -> None:
    begun(small, tmp_path / "closed")
    with databases_with("query_only = 1"), pytest.raises(Exception, match="readonly") as told:
        carry_out(small, tmp_path / "closed")
    assert "cannot be written to" in reason(told.value) or "readonly" in reason(told.value)


def test_a_checkpoint_that_finds_no_room_is_one_line_and_the_study_goes_on_later(
    small: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, full = Memory(tmp_path / "whole"), Memory(tmp_path / "full")
    carry_out(small, whole)

    def write_bytes(path: Path, content: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", write_bytes)
        with pytest.raises(OSError, match="No space left") as told:
            carry_out(small, full)
    assert reason(told.value).startswith("the disk is full (")
    carry_out(small, full)
    assert numbers(small, full) == numbers(small, whole)


SMALL_MOUNT = """
import pickle, shutil, subprocess, sys
from pathlib import Path
sys.path[:0] = [{tests!r}, {root!r}]
from builders.small_study import carry_out
from test_full_disk import reason
folder = Path({folder!r})
study = pickle.loads((folder / "study").read_bytes())
place = folder / "mount"
room = sum(file.stat().st_size for file in (folder / "begun").rglob("*")) + 60_000
subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={{room}}", "tmpfs", place], check=True)
shutil.copytree(folder / "begun", place / "home")
try:
    carry_out(study, place / "home")
except Exception as error:
    print(reason(error), shutil.disk_usage(place).free, sep="|")
subprocess.run(["mount", "-o", "remount,size=200m", place], check=True)
carry_out(study, place / "home")
shutil.copytree(place / "home", folder / "later")
"""
"""On a mount of its own, seen by no other process: the study meets a full disk, gets room, and goes on."""

MOUNT = ["unshare", "--map-root-user", "--mount"]


def can_mount() -> bool:
    """Whether a process here may have a mount of its own."""
    if not shutil.which(MOUNT[0]):
        return False
    return subprocess.run([*MOUNT, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True).returncode == 0


@pytest.mark.long
@pytest.mark.skipif(not can_mount(), reason="a process may not have a mount of its own here")
def test_on_a_small_mount_that_gets_full_the_study_stops_with_one_line_and_goes_on_later(
    small: Study, tmp_path: Path
) -> None:
    begun(small, tmp_path / "copy")  # beside it, the folder `begun` is left
    whole = Memory(tmp_path / "whole")
    carry_out(small, whole)
    (tmp_path / "study").write_bytes(pickle.dumps(small))
    (tmp_path / "mount").mkdir()
    tests = Path(__file__).parent
    script = SMALL_MOUNT.format(tests=str(tests), root=str(tests.parent), folder=str(tmp_path))
    done = subprocess.run([*MOUNT, sys.executable, "-c", script], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    said, free = done.stdout.strip().split("|")
    assert said.startswith("the disk is full")
    assert int(free) < 100_000
    assert numbers(small, tmp_path / "later") == numbers(small, whole)
