"""The tables of a bench as one Markdown document, with the day and the commit of each."""

import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from benchmarks.tables import shown

TITLES: Mapping[str, str] = {
    "environment": "Where this was measured",
    "peak": "The processor on one thread",
    "layers": "Layers beside torch.nn: forward, backward and a fused Adam step, one thread",
    "means": "Ratios, torch.nn / ours",
    "drop_in": "A training script with ablations.nn in place of torch.nn: H = 64, T = 100, B = 32, one thread",
    "ablations": "Ablated cells beside the Python loop and their parents: forward and backward, T = 100, B = 32, one thread",
    "jax": "Cohorts of 6 runs beside jit(vmap(scan)): forward and backward, T = 100, B = 32, one core",
    "steps": "Training steps of 10 runs of about 3,000 parameters on the demo's tasks, one thread",
    "suite": "The suite beside a script of Optuna, MLflow and torch.nn: lstm and gru on the adding problem",
    "demo": "The suite beside such a script: the demo of rnn, gru and lstm",
    "scaling": "Two workers beside one: segments per second of a study of four equal settings",
    "growth": "Growth: the exponent of a training step's time in runs, steps and units",
    "memory": "Peak resident memory, MB: forward and backward, H = 128, T = 200, B = 64, and what the pass adds",
    "first_use": "First use of a cell: forward and backward in a process that compiles, and in the next, seconds",
}
"""The title of each table by the name of its file, in the order in which they are printed."""


def write_document(folder: Path, path: Path) -> None:
    """Writes the tables of the folder, each below its title and the day on which it was measured."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True).stdout
    parts = ["# Benchmarks", f"Written at commit {commit.strip()} by `python -m benchmarks --docs {path}`. "
             "Ratios above 1: the suite is faster."]  # fmt: skip
    for name, title in TITLES.items():
        file = folder / f"{name}.csv"
        if file.exists():
            day = datetime.fromtimestamp(file.stat().st_mtime, UTC).date()
            parts += [f"## {title}", f"Measured on {day}.", as_markdown(pd.read_csv(file))]
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def as_markdown(frame: pd.DataFrame) -> str:
    """A table with its numbers as they are shown on the screen.

    >>> print(as_markdown(pd.DataFrame({"cell": ["gru"], "ratio": [2.5]})))
    | cell | ratio |
    |---|---|
    | gru | 2.50 |
    """
    rows = [[shown(None if pd.isna(value) else value) for value in row] for row in frame.itertuples(index=False)]
    lines = [list(frame.columns), ["---"] * frame.shape[1], *rows]
    return "\n".join(
        "| " + " | ".join(line) + " |" if line[0] != "---" else "|" + "|".join(line) + "|" for line in lines
    )
