"""The suite beside a user's own script: the wall time of the same study, each in a fresh folder."""

import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from ablations.models import Recurrent
from ablations.record.reader import read
from ablations.record.schema import StudyRecord
from ablations.study import Study
from benchmarks import comparison_study, demo_study
from benchmarks.layers import Row
from benchmarks.work import INPUTS, passes

WORKERS = 2
STUDIES = {"comparison_study": comparison_study.STUDY, "demo_study": demo_study.STUDY}
NOTES = f"""\
comparison_study: an lstm and a gru on the adding problem; nobody stops or prunes. demo_study: the demo of rnn, gru and
lstm on its four tasks. Kernels are compiled before. The suite does what the script does not: checkpoints, gradients over
distance, typeset equations, provenance. The script's trials share their seeds, as the suite's do. Outside of training:
all of the wall time of {WORKERS} workers that is not training and validation, that is start, tests, record, and waiting;
in session: likewise, once the stores are open."""


def suite_table(name: str) -> Iterable[Row]:
    """A row for the suite, for the script in its better form, and as it is, with one of the studies."""
    print(NOTES)
    study = STUDIES[name]
    for cell in ("rnn", "lstm", "gru"):
        passes(Recurrent(cell, INPUTS, 32), 1, 2)()
    with TemporaryDirectory() as folder:
        file = Path(__file__).with_name(f"{name}.py")
        suite = timed(["ablations", "run", str(file), "--scale", "demo", "--workers", str(WORKERS)], folder)
        record = read(f"sqlite:///{folder}/mlflow.db", study.name, "demo")
    session = float(record.provenance["wall_seconds"])
    outside = {"percent_outside": percent_outside(record, suite), "in_session": percent_outside(record, session)}
    yield {**suite_row("suite", study, suite, suite), **outside}
    for who, processes in (f"script, {WORKERS} single threads", WORKERS), ("script, default threads", 1):
        with TemporaryDirectory() as folder:
            seconds = timed(["benchmarks.user_script", name, folder, str(processes)], folder)
        yield suite_row(who, study, seconds, suite)


def timed(module: Sequence[str], folder: str) -> float:
    """Seconds that a module takes with its results in the folder."""
    began = perf_counter()
    environment = os.environ | {"ABLATIONS_HOME": folder}
    done = subprocess.run([sys.executable, "-m", *module], env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{module[0]} failed:\n{done.stderr}")
    return perf_counter() - began


def suite_row(who: str, study: Study, seconds: float, suite: float) -> Row:
    """What is told of one way to carry out the study."""
    return {
        "who": who,
        "seconds": seconds,
        "runs_per_hour": study.at("demo").runs / seconds * 3600,
        "time_to_suite": seconds / suite,
        "percent_outside": None,
        "in_session": None,
    }


def percent_outside(record: StudyRecord, wall: float) -> float:
    """The share of the workers' wall time in which no run was trained or validated."""
    runs = [*record.trials, *record.replicates]
    return 100 * (1 - sum(run.metrics["seconds"] for run in runs) / WORKERS / wall)
