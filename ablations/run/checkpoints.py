"""Cohorts on disk between two segments, so that a death costs one segment at most."""

import pickle
from pathlib import Path

from ablations.run.cohort_state import CohortState


class Checkpoints:
    """Courses on disk by key; a file is replaced whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def load(self, key: str) -> CohortState | None:
        """The course kept under that key, if there is one."""
        path = self._path(key)
        return pickle.loads(path.read_bytes()) if path.exists() else None

    def save(self, key: str, course: CohortState) -> None:
        """Keeps a course in place of the one before."""
        new = self._path(key).with_suffix(".new")
        new.write_bytes(pickle.dumps(course))
        new.replace(self._path(key))

    def drop(self, key: str) -> None:
        """Forgets what is kept under that key."""
        self._path(key).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.pickle"
