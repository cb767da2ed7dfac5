"""Tables on the screen and on disk, and what has to be known of the machine to read them."""

import os
import platform
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import torch

from benchmarks.layers import Row

LIBRARIES = ("torch", "numba", "numpy", "mlflow", "optuna")


def shown(value: object) -> str:
    """A cell of a table for people: numbers to three significant digits at least, nothing for what is missing.

    >>> [shown(value) for value in (1234.5, 12.345, 0.01234, 7, None, "gru")]
    ['1234', '12.3', '0.0123', '7', '', 'gru']
    """
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 100 else f"{value:#.3g}"
    return str(value)


def print_rows(rows: Iterable[Row]) -> list[Row]:
    """Prints each row as soon as there is one, below a heading, in aligned columns; returns them all."""
    made: list[Row] = []
    for row in rows:
        if not made:
            print(_line(row, row))
        print(_line(row, [shown(value) for value in row.values()]), flush=True)
        made.append(row)
    print()
    return made


def _line(row: Row, cells: Iterable[str]) -> str:
    """Text to the left in a wide column, numbers to the right."""
    widths = [(">", max(len(name), 7)) if not isinstance(value, str) else ("<", 26) for name, value in row.items()]
    return "  ".join(f"{cell:{side}{width}}" for cell, (side, width) in zip(cells, widths, strict=True)).rstrip()


def write_csv(rows: Sequence[Row], folder: Path, name: str) -> Path:
    """Writes a table to `name`.csv in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


def environment() -> list[Row]:
    """Versions, processor, cores and threads, and how busy the machine was: above 0.5 or so, times mean little."""
    found = {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}}
    found |= {"processor": _processor(), "cores": str(os.cpu_count()), "torch threads": str(torch.get_num_threads())}
    found["load at the start"] = f"{os.getloadavg()[0]:.1f}"
    return [{"what": name, "value": value} for name, value in found.items()]


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()
