"""A full disk or one that is closed for writing is one line, and what was finished is kept."""

import errno
import shutil
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
