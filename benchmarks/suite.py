"""The suite beside a user's own script: the wall time of the same study, each in a fresh folder."""

import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from tempfile import TemporaryDirectory
from time import perf_counter

from ablations.models import Recurrent
from ablations.record.reader import read
from ablations.record.schema import StudyRecord
from benchmarks import comparison_study
from benchmarks.layers import Row
from benchmarks.work import INPUTS, passes

WORKERS = 2
STUDY, BUDGET = comparison_study.STUDY, comparison_study.BUDGET
RUNS = len(STUDY.variants) * BUDGET.runs
NOTES = f"""\
{RUNS} runs of {BUDGET.steps} steps on the adding problem: {BUDGET.trials} trials and {BUDGET.replicates} replicates of
an lstm and a gru of {BUDGET.parameters} parameters. Nobody stops or prunes. Kernels are compiled before. The suite
does what the script does not: checkpoints, gradients over distance, typeset equations, provenance. The script's trials
share one seed, as the suite's do. Outside of training: all of the wall time of {WORKERS} workers that is not training
and validation, that is start, tests, record, and waiting; in session: likewise, once the stores are open."""


def suite_table() -> Iterable[Row]:
    """A row for the suite, for the script in its better form, and as it is."""
    print(NOTES)
    for cell in ("lstm", "gru"):
        passes(Recurrent(cell, INPUTS, 32), 1, 2)()
    with TemporaryDirectory() as folder:
        suite = timed(["ablations", "run", comparison_study.__file__, "--workers", str(WORKERS)], folder)
        record = read(f"sqlite:///{folder}/mlflow.db", STUDY.name, "demo")
    session = float(record.provenance["wall_seconds"])
    outside = {"percent_outside": percent_outside(record, suite), "in_session": percent_outside(record, session)}
    yield {**suite_row("suite", suite, suite), **outside}
    for who, processes in (f"script, {WORKERS} single threads", WORKERS), ("script, default threads", 1):
        with TemporaryDirectory() as folder:
            seconds = timed(["benchmarks.user_script", folder, str(processes)], folder)
        yield suite_row(who, seconds, suite)


def timed(module: Sequence[str], folder: str) -> float:
    """Seconds that a module takes with its results in the folder."""
    began = perf_counter()
    environment = os.environ | {"ABLATIONS_HOME": folder}
    done = subprocess.run([sys.executable, "-m", *module], env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{module[0]} failed:\n{done.stderr}")
    return perf_counter() - began


def suite_row(who: str, seconds: float, suite: float) -> Row:
    """What is told of one way to carry out the study."""
    return {
        "who": who,
        "seconds": seconds,
        "runs_per_hour": RUNS / seconds * 3600,
        "time_to_suite": seconds / suite,
        "percent_outside": None,
        "in_session": None,
    }


def percent_outside(record: StudyRecord, wall: float) -> float:
    """The share of the workers' wall time in which no run was trained or validated."""
    runs = [*record.trials, *record.replicates]
    if len(runs) != RUNS or any(run.status != "finished" for run in runs):
        raise RuntimeError("not every run of the suite was trained to the end")
    return 100 * (1 - sum(run.metrics["seconds"] for run in runs) / WORKERS / wall)
