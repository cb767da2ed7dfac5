"""Where numbers come from: code, versions, machine, command."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

LIBRARIES = (
    "torch", "numba", "optuna", "mlflow", "numpy", "scipy", "pandas", "sympy", "seaborn", "matplotlib", "typst",
)  # fmt: skip


def provenance(command: str) -> dict[str, Any]:
    """What has to be known to make the numbers again, as plain data."""
    return {
        "commit": commit(),
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in LIBRARIES}},
        "command": command,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "device": f"cpu ({platform.machine()})",
    }


def _version(library: str) -> str:
    """Its version; Numba is optional, since the eager backend needs none."""
    try:
        return version(library)
    except PackageNotFoundError:
        return "absent"


def commit() -> str:
    """The commit of the code that runs, marked where it has been changed since; "unknown" outside a checkout."""
    here = Path(__file__).parent
    told = [_git(here, "rev-parse", "HEAD"), _git(here, "status", "--porcelain", "--untracked-files=no")]
    if told[0] is None:
        return "unknown"
    return told[0] + (" with changes" if told[1] else "")


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
