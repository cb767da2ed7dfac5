"""Where numbers come from: code, versions, machine, command."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

LIBRARIES = (
    "recurrent-ablations", "torch", "numba", "optuna", "mlflow", "numpy", "scipy", "scikit-learn", "pandas", "sympy",
    "seaborn", "matplotlib", "typst",
)  # fmt: skip


def provenance(command: str) -> dict[str, Any]:
    """What one has to know to make the numbers again, as plain data."""
    return {
        "commit": commit(Path(__file__)),
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in LIBRARIES}},
        "command": command,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "device": f"cpu ({platform.machine()})",
    }


def of_study_file(file: str) -> dict[str, str]:
    """What one has to know of a user's own file: where it is, its text, and the commit of the repository that it is in."""
    path = Path(file).resolve()
    text = path.read_text(encoding="utf-8", errors="replace")
    return {"study_file": str(path), "study_commit": commit(path), "study_source": text}


def _version(library: str) -> str:
    """Its version; Numba is optional, since the eager backend needs none."""
    try:
        return version(library)
    except PackageNotFoundError:
        return "absent"


def commit(file: Path) -> str:
    """The commit of the repository that a file is in, marked where something has changed since.

    "unknown" where the file is in no repository, or is not tracked: an installed package may lie in anyone's repository.
    """
    root = _git(file.parent, "rev-parse", "--show-toplevel")
    if root is None or _git(Path(root), "ls-files", "--error-unmatch", "--", str(file.resolve())) is None:
        return "unknown"
    head = _git(Path(root), "rev-parse", "HEAD")
    changes = _git(Path(root), "status", "--porcelain", "--untracked-files=no")
    return "unknown" if head is None else head + (" with changes" if changes else "")


def _git(folder: Path, *arguments: str) -> str | None:
    """What git prints, or None where it fails. Its environment variables may name another repository."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        process = subprocess.run(
            ["git", "-C", str(folder), *arguments], env=environment, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return process.stdout.strip()
