"""What carrying out a plan needs of a record that it writes to."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from ablations.record.schema import RunRecord, SettingRecord


class Ended(NamedTuple):
    """How a run ended, its objective and final loss (of a trial: on validation data) if it has them, and its parent."""

    status: str
    objective: float | None
    loss: float | None
    parent: str


def ended(run: RunRecord) -> Ended:
    """What is kept at hand of a run that is in the record."""
    return Ended(run.status, run.metrics.get("objective"), run.metrics.get("final_loss"), run.setting)


class Recorder(Protocol):
    """The record of one plan, open for writing.

    Runs are written below parent runs; a parent is a setting, or the measurement of costs. Both are known by their
    identities. A run that ended is written once and whole.
    """

    @property
    def finished(self) -> Mapping[str, Ended]:
        """How each run ended that need not be trained again, by its identity."""
        ...

    def count_existing(self) -> tuple[int, int]:
        """The number of runs of the plan's settings, and the number of other parents."""
        ...

    def open_setting(self, setting: SettingRecord) -> str:
        """Creates the parent of a setting, or opens the one that exists; returns its run id."""
        ...

    def open_parent(
        self, kind: str, name: str, identity: str, tags: Mapping[str, str], parameters: Mapping[str, Any]
    ) -> str:
        """Creates a parent, or opens the one that exists, and makes it part of the plan; returns its run id."""
        ...

    def add(self, run: RunRecord, parent: SettingRecord | None = None) -> None:
        """Writes one run that ended. Does nothing if it is in the record."""
        ...

    def close_parent(self, identity: str, tags: Mapping[str, Any] | None = None) -> None:
        """Ends a parent, with what is now known of it."""
        ...

    def fail_parent(self, identity: str, reason: str, details: str = "") -> None:
        """Ends a parent whose runs could not be trained: the reason, and the traceback as details."""
        ...

    def set_provenance(self, provenance: Mapping[str, Any]) -> None:
        """Writes how, with what, and for how long the plan has been carried out."""
        ...

    @property
    def provenance(self) -> dict[str, Any]:
        """What `set_provenance` wrote; empty at first."""
        ...


def parameters_of(run: RunRecord, parent: SettingRecord | None) -> dict[str, Any]:
    """The parameters that a run is recorded with: its factors, and what its setting fixes."""
    fixed = {"hidden": parent.hidden, **parent.task_parameters} if parent else {}
    return {**fixed, **run.factors}


def as_recorded(parameters: Mapping[str, Any]) -> dict[str, float | str]:
    """Parameters as they are read again: a record keeps each as text.

    >>> as_recorded({"lr": 0.01, "trial": 2, "backend": "kernel", "shortest": None})
    {'lr': 0.01, 'trial': 2.0, 'backend': 'kernel', 'shortest': 'None'}
    """
    return {name: _number_or_text(str(value)) for name, value in parameters.items()}


def _number_or_text(value: str) -> float | str:
    try:
        return float(value)
    except ValueError:
        return value
