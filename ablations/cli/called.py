"""The command as its user called it: hints repeat it, so that they can be copied."""

import shlex
import shutil
import sys
from pathlib import Path

from ablations.credentials import is_web, without_credentials

NAME = "ablate"


def called() -> str:
    """`ablate`, or what was written instead of it, as `.venv/bin/ablate` or `python -m ablations`."""
    path = sys.argv[0]
    if Path(path).parts[-2:] == ("ablations", "__main__.py"):
        return "python -m ablations"
    if Path(path).name != NAME or shutil.which(NAME) in (path, None if path == NAME else path):
        return NAME
    return shlex.quote(path)


def as_called(text: str) -> str:
    """A text whose hints, as `ablate run`, have the command as it was called; a command line too."""
    own = called()
    text = text if not text.startswith(f"{NAME} ") else own + text.removeprefix(NAME)
    return text.replace(f"`{NAME} ", f"`{own} ")


def ui_line(tracking_uri: str | None) -> str:
    """The command that serves a record in the MLflow UI; of a tracking server, which has the UI, its address.

    >>> ui_line("https://ada:secret@runs.example.org/mlflow")
    'https://runs.example.org/mlflow'
    """
    if tracking_uri and is_web(tracking_uri):
        return without_credentials(tracking_uri)
    return f"{called()} {shlex.join(['ui', *(['--tracking-uri', tracking_uri] if tracking_uri else [])])}"
