"""Checkpoints: the states of cohorts after their latest segment, so that a death costs one segment at most.

A file holds tensors and plain data, and no code or classes. What a cohort is trained on is in the plan.
"""

import logging
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from ablations.run.cohort_runner import CohortState, States
from ablations.train.cohort import Cohort, Run, TrainState

VERSION = 2
"""The version of the files' format. A file of another version is not read: its work is done again."""

log = logging.getLogger(__name__)


class Checkpoints:
    """The states of cohorts in a folder, each under a key. A file is replaced as a whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def load(self, key: str, cohort: Cohort) -> States | None:
        """The states under that key: of the runs that they were saved with, in the shapes that these have in this cohort.

        None where there is none. A file that cannot be read is renamed, with a warning, and there is none.
        """
        path = self._path(key)
        if not path.exists():
            return None
        try:
            return _states(torch.load(path, map_location="cpu", weights_only=True), key, cohort)
        except Exception as error:  # a torn file can fail in any way
            aside = path.replace(path.with_suffix(".unreadable"))
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            log.warning("a checkpoint cannot be read, and its work is done again (it is now %s): %s", aside, reason)
            return None

    def save(self, key: str, states: States) -> None:
        """Writes states in place of those before."""
        new = self._path(key).with_suffix(".new")
        torch.save({"version": VERSION, "key": key, "cohorts": [_content(state) for state in states]}, new)
        new.replace(self._path(key))

    def drop(self, key: str) -> None:
        """Deletes what there is under that key."""
        self._path(key).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.pt"


def _content(state: CohortState) -> dict[str, Any]:
    return {
        "runs": [asdict(run) for run in state.cohort.runs],
        "train_state": None if state.train_state is None else vars(state.train_state),
        "curves": list(state.curves),
        "seconds": list(state.seconds),
        "status": list(state.status),
    }


def _states(content: Any, key: str, cohort: Cohort) -> States:
    """Raises an error, whichever, where a file's content is not that of `save`."""
    if not isinstance(content, dict) or content.get("version") != VERSION:
        raise ValueError(f"it is not of version {VERSION}")
    if content["key"] != key:
        raise ValueError(f"it belongs to {content['key']}")
    return tuple(_state(part, cohort) for part in content["cohorts"])


def _state(content: Any, cohort: Cohort) -> CohortState:
    runs = tuple(Run(**run) for run in content["runs"])
    train_state = content["train_state"] and TrainState(**content["train_state"])
    parts = [train_state.theta, *train_state.moments.values(), *train_state.buffers.values()] if train_state else []
    parts += [content["curves"], content["seconds"], content["status"]]
    if any(len(part) != len(runs) for part in parts):
        raise ValueError(f"not every part of it has {len(runs)} runs")
    (shaped,) = cohort.with_runs(runs).shapes
    return CohortState(
        shaped, train_state, tuple(content["curves"]), tuple(content["seconds"]), tuple(content["status"])
    )
