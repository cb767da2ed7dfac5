"""Checkpoints: the states of cohorts after their latest segment, so that a death costs one segment at most.

A file holds tensors and plain data, and no code or classes. What a cohort is trained on is in the plan.
"""

import logging
import shutil
from dataclasses import asdict
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import torch

from ablations.run.cohort_runner import CohortState, States
from ablations.train.cohort import Cohort, Run, TrainState

VERSION = 2
"""The version of the files' format. A file of another version is not read: its work is done again."""

HEAD = b"ablate checkpoint\n"
DIGEST = sha256().digest_size

log = logging.getLogger(__name__)


class Checkpoints:
    """The states of cohorts in a folder, each under a key. A file is replaced as a whole or not at all.

    A file begins with a checksum of all that follows, and holds its key and what it was trained on: a changed file, that
    of another setting, and one of another budget are not taken for what was saved.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for half_written in folder.glob("*.new"):
            half_written.unlink()

    def load(self, key: str, cohort: Cohort) -> States | None:
        """The states under that key: of the runs that they were saved with, in the shapes that these have in this cohort.

        None where there is none. A file that cannot be read is renamed, with a warning, and there is none.
        """
        path = self._path(key)
        if not path.exists():
            return None
        try:
            return _states(_checked(path.read_bytes()), key, cohort)
        except Exception as error:  # a torn file can fail in any way
            aside = _set_aside(path)
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            log.warning("a checkpoint cannot be read, and its work is done again (it is now %s): %s", aside, reason)
            return None

    def save(self, key: str, states: States) -> None:
        """Writes states in place of those before."""
        new = self._path(key).with_suffix(".new")
        new.write_bytes(_signed({"version": VERSION, "key": key, "cohorts": [_content(state) for state in states]}))
        new.replace(self._path(key))

    def drop(self, key: str) -> None:
        """Deletes what there is under that key."""
        self._path(key).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.pt"


def _signed(content: Any) -> bytes:
    """A file's bytes."""
    buffer = BytesIO()
    torch.save(content, buffer)
    return HEAD + sha256(buffer.getvalue()).digest() + buffer.getvalue()


def _checked(content: bytes) -> Any:
    """The content of a file's bytes. Raises ValueError where the checksum is not right."""
    digest, rest = content[len(HEAD) :][:DIGEST], content[len(HEAD) + DIGEST :]
    if not content.startswith(HEAD):
        raise ValueError("it is no checkpoint of this version")
    if sha256(rest).digest() != digest:
        raise ValueError("it was changed since it was written")
    return torch.load(BytesIO(rest), map_location="cpu", weights_only=True)


def _set_aside(path: Path) -> Path:
    """Renames what cannot be read, in place of what was set aside before."""
    aside = path.with_suffix(".unreadable")
    if aside.is_dir() and not aside.is_symlink():
        shutil.rmtree(aside)
    else:
        aside.unlink(missing_ok=True)
    return path.replace(aside)


def _content(state: CohortState) -> dict[str, Any]:
    return {
        "trained_on": _trained_on(state.cohort),
        "runs": [asdict(run) for run in state.cohort.runs],
        "train_state": None if state.train_state is None else vars(state.train_state),
        "curves": list(state.curves),
        "seconds": list(state.seconds),
        "status": list(state.status),
    }


def _trained_on(cohort: Cohort) -> dict[str, Any]:
    """All but the runs of what a cohort's numbers follow from, as plain data. The code is in the key."""
    setting, budget = cohort.setting, cohort.budget.data
    return {
        "setting": setting.name,
        "task": {name: str(value) for name, value in setting.task.parameters.items()},
        "size": setting.size,
        "budget": {name: str(value) for name, value in budget.items() if name not in ("trials", "replicates")},
        "optimiser": cohort.optimiser,
        "seed": cohort.seed,
    }


def _states(content: Any, key: str, cohort: Cohort) -> States:
    """Raises an error, whichever, where a file's content is not that of `save`."""
    if not isinstance(content, dict) or content.get("version") != VERSION:
        raise ValueError(f"it is not of version {VERSION}")
    if content["key"] != key:
        raise ValueError(f"it belongs to {content['key']}")
    if not content["cohorts"]:
        raise ValueError("it has no runs")
    return tuple(_state(part, cohort) for part in content["cohorts"])


def _state(content: Any, cohort: Cohort) -> CohortState:
    runs = tuple(Run(**run) for run in content["runs"])
    train_state = content["train_state"] and TrainState(**content["train_state"])
    parts = [train_state.theta, *train_state.moments.values(), *train_state.buffers.values()] if train_state else []
    parts += [content["curves"], content["seconds"], content["status"]]
    if not runs or any(len(part) != len(runs) for part in parts):
        raise ValueError(f"not every part of it has {len(runs)} runs")
    (shaped,) = cohort.with_runs(runs).shapes
    if content["trained_on"] != _trained_on(shaped):
        raise ValueError("it is of another setting, budget, optimiser or seed")
    return CohortState(
        shaped, train_state, tuple(content["curves"]), tuple(content["seconds"]), tuple(content["status"])
    )
