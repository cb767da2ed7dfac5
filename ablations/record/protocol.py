"""What carrying out a plan needs of a record that it writes to."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ablations.checks import as_read
from ablations.record.schema import RunRecord, SettingRecord


class Ended(NamedTuple):
    """How a run ended, on validation data: its objective, final loss and final score, if it has them; its parent and time.

    Nothing here is of a test: by these numbers hyperparameters and the replicate whose model is kept are chosen.
    """

    status: str
    objective: float | None
    loss: float | None
    parent: str
    score: float | None = None
    seconds: float = 0.0


def ended(run: RunRecord) -> Ended:
    """What is kept at hand of a run that is in the record."""
    metrics = run.metrics
    loss, score = metrics.get("final_validation_loss"), metrics.get("final_validation_score")
    return Ended(run.status, metrics.get("objective"), loss, run.setting, score, metrics.get("seconds", 0.0))


class Closed(NamedTuple):
    """A setting that ended as part of a plan: as it is recorded, its best trial, and the factors of its trials' runs.

    trials: (number, seed) -> factors.
    """

    setting: SettingRecord
    best: int
    trials: Mapping[tuple[int, float | str | None], Mapping[str, float | str]]


class Recorded(Protocol):
    """What a record has of one plan."""

    @property
    def finished(self) -> Mapping[str, Ended]:
        """How each run ended that need not be trained again, by its identity."""
        ...

    @property
    def closed(self) -> Mapping[str, Closed]:
        """The settings, by identity, that an earlier session of this plan has ended."""
        ...


class Recorder(Recorded, Protocol):
    """The record of one plan, open for writing.

    Runs are written below parent runs; a parent is a setting, or the measurement of costs. Both are known by their
    identities. A run that ended is written once and whole.
    """

    @property
    def failed(self) -> AbstractSet[str]:
        """The identities of the parents that failed and have not been closed since."""
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

    def add(self, run: RunRecord, parent: SettingRecord | None = None, model: Path | None = None) -> None:
        """Writes one run that ended, with the files of its trained model if that is kept. Nothing if it is in the record."""
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


PLACE = ("run_kind", "run_number")
"""The parameters that say which run of its setting a run is; they are no factors."""


def parameters_of(run: RunRecord, parent: SettingRecord | None) -> dict[str, Any]:
    """The parameters that a run is recorded with: its factors, what its setting fixes, and which run of it this is.

    The last are tags too. Tags can be edited in the MLflow UI and parameters cannot: so a run whose tags were is recognised.
    """
    fixed = {"variant": parent.variant, "hidden": parent.hidden, **parent.task_parameters} if parent else {}
    return {**fixed, **run.factors, **dict(zip(PLACE, (run.kind, run.number), strict=True))}


def factors_of(parameters: Mapping[str, Any]) -> dict[str, float | str]:
    """The factors among a run's parameters, as they are read again."""
    return as_recorded({name: value for name, value in parameters.items() if name not in PLACE})


def as_recorded(parameters: Mapping[str, Any]) -> dict[str, float | str]:
    """Parameters as they are read again: a record keeps each as text.

    >>> as_recorded({"lr": 0.01, "trial": 2, "backend": "kernel", "shortest": None})
    {'lr': 0.01, 'trial': 2.0, 'backend': 'kernel', 'shortest': 'None'}
    """
    return {name: as_read(value) for name, value in parameters.items()}
