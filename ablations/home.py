"""The folder of everything that a run leaves, and the stores in it."""

import os
from pathlib import Path


def home() -> Path:
    """The results folder: `results`, or what the environment variable ABLATIONS_HOME names."""
    return Path(os.environ.get("ABLATIONS_HOME") or "results").expanduser()


def tracking_uri(folder: Path | None = None) -> str:
    """The MLflow store of the results folder, or of that folder."""
    return _database(folder or home(), "mlflow.db")


def storage_url() -> str:
    """The Optuna storage of the results folder."""
    return _database(home(), "optuna.db")


def _database(folder: Path, name: str) -> str:
    from ablations.sqlite import sqlite_url  # SQLAlchemy takes a third of a second to import

    return sqlite_url(folder / name)
