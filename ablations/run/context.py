"""What a plan is run with: its stores, and a callback that is told what happens."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Protocol

from optuna.storages import BaseStorage

from ablations.record.protocol import Recorder
from ablations.record.schema import RunRecord
from ablations.run.checkpoints import Checkpoints
from ablations.run.cohort_runner import States
from ablations.run.control import KeepModels
from ablations.run.jobs import Job, JobFailed
from ablations.run.memory import COHORT_MEMORY

COSTS = "costs"
"""The name under which the measurement of costs runs; any other is a setting's."""

Steps = Generator[Job, Any, None]
"""Work that yields its jobs one after the other and is sent each one's result."""


class Callback(Protocol):
    """Is told what happens while a plan runs; `name` is a setting's."""

    def on_setting_start(self, name: str) -> None: ...

    def on_segment_end(self, name: str, states: States) -> None: ...

    def on_run_end(self, name: str, run: RunRecord) -> None: ...

    def on_setting_end(self, name: str) -> None: ...

    def on_setting_failure(self, name: str, error: JobFailed) -> None: ...


@dataclass(frozen=True)
class RunContext:
    """Where a plan is recorded, where it is searched, where its checkpoints are, who is told, and which models are kept.

    cohort_memory: the gigabytes that one job may take.
    """

    record: Recorder
    storage: BaseStorage
    checkpoints: Checkpoints
    callback: Callback
    keep_models: KeepModels = "best"
    cohort_memory: float = COHORT_MEMORY
