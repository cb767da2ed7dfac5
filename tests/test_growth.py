"""A plan of 10,000 runs: what a person waits for takes seconds, and grows no faster than its runs."""

import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from builders.large_record import write_large
from builders.large_study import SCALE, large_study

from reports.document import Document, Table
from reports.pdf import MOST_ROWS, to_pdf

SECONDS = {"status": 5.0, "dry-run": 8.0, "fresh dry-run": 8.0, "resume": 10.0, "report": 110.0}
"""Of processor time, of all processes of a command together, with room for a machine that does other things too."""
GIGABYTES = 2.0
STUDY = "import sys\nsys.path.insert(0, {tests!r})\nfrom builders.large_study import large_study\nSTUDY = large_study({runs})\n"


class Cost(NamedTuple):
    """The processor time of a command with its children, and the memory of the largest of all commands so far."""

    seconds: float
    gigabytes: float


def _cost(home: Path, *arguments: str) -> Cost:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = os.environ | {"ABLATIONS_HOME": str(home)}
    subprocess.run([sys.executable, "-m", "ablations", *arguments], env=environment, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(seconds, after.ru_maxrss / 1e6)


def _costs(folder: Path, runs: int) -> dict[str, Cost]:
    home = folder / str(runs)
    write_large(large_study(runs), home)
    file = folder / f"large{runs}.py"
    file.write_text(STUDY.format(tests=str(Path(__file__).parent), runs=runs))
    at = ("--scale", SCALE)
    return {
        "status": _cost(home, "status", "large", *at),
        "dry-run": _cost(home, "run", str(file), *at, "--dry-run"),
        "fresh dry-run": _cost(folder / "none", "run", str(file), *at, "--dry-run"),
        "resume": _cost(home, "run", str(file), *at, "--workers", "2"),
        "report": _cost(home, "report", "large", *at),
    }


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_study_of_10000_runs_is_handled_in_seconds_and_grows_no_faster_than_its_runs(tmp_path: Path) -> None:
    sizes = (300, 1000, 3000, 10_000)
    costs = {runs: _costs(tmp_path, runs) for runs in sizes}
    for command, limit in SECONDS.items():
        seconds = [costs[runs][command].seconds for runs in sizes]
        assert seconds[-1] < limit, (command, seconds)
        growth = np.diff(seconds) / np.diff(sizes)  # seconds of each further run
        assert growth[-1] < 3 * max(growth[:-1].max(), limit / 20_000), (command, seconds)
    assert costs[10_000]["report"].gigabytes < GIGABYTES


def test_a_pdf_has_the_first_rows_of_a_very_long_table_and_says_where_the_others_are() -> None:
    frame = pd.DataFrame({"run": [f"run {number}" for number in range(3 * MOST_ROWS)]})
    short, long = (
        to_pdf(Document("title", "subtitle", [Table("trials", rows, "All trials.")], "author"))
        for rows in (frame[:MOST_ROWS], frame)
    )
    assert len(long) < 1.3 * len(short)
