"""What a study is carried out with."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Protocol

from optuna.storages import BaseStorage

from ablations.lab.cohorts import Checkpoints, Course, Job
from ablations.lab.record import Record
from ablations.lab.tracking import RunRecord

Steps = Generator[Job, Any, None]
"""Work that yields its jobs one after the other and is sent each one's result."""


class JobFailed(Exception):  # it says what happened
    """A job raised an error, or its worker died again and again."""


class Watch(Protocol):
    """Is told what happens while a study is carried out; `name` is a setting's."""

    def began(self, name: str) -> None: ...

    def advanced(self, name: str, course: Course) -> None: ...

    def ended(self, name: str, run: RunRecord) -> None: ...

    def closed(self, name: str) -> None: ...

    def failed(self, name: str, error: JobFailed) -> None: ...


@dataclass(frozen=True)
class Laboratory:
    """Where a study is recorded, searched and kept on the way, and who is told."""

    record: Record
    storage: BaseStorage
    checkpoints: Checkpoints
    watch: Watch
