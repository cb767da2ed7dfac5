"""Two workers beside one: the segments per second of the same study, as a file for `ablate run` too.

Its four settings cost the same, so that no worker is left without work at the end. Nobody prunes.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from ablations.models import Recurrent
from ablations.models.variants import VARIANTS
from ablations.record.reader import read
from ablations.study import Budget, Range, Scale, Study
from benchmarks.layers import Row
from benchmarks.suite import timed
from benchmarks.work import INPUTS, passes
from tasks.adding import Adding

BUDGET = Budget(
    trials=4,
    trials_per_round=4,
    search_seeds=1,
    replicates=6,
    steps=2000,
    segments=10,
    batch=32,
    parameters=6000,
)
COHORTS = 2
"""Of each setting: its trials train side by side, and then its replicates."""

STUDY = Study(
    name="scaling",
    question="How much more do two workers do than one?",
    variants=(VARIANTS["gru"],),
    baseline="gru",
    nuisance={"lr": Range(3e-3, 4e-3)},
    scales={"demo": Scale(tasks={f"adding-{number}": Adding(length=50) for number in range(4)}, budget=BUDGET)},
    sampler="random",
)


def scaling_table(counts: Sequence[int] = (1, 2)) -> Iterable[Row]:
    """A row for each number of workers: the seconds of the session, once its stores are open, and segments per second."""
    segments = len(STUDY.at("demo").settings) * COHORTS * BUDGET.segments
    passes(Recurrent("gru", INPUTS, 32), 1, 2)()  # compiles the cell, if that was never done
    rates = {workers: segments / session_seconds(workers) for workers in counts}
    for workers, rate in rates.items():
        yield {"workers": workers, "segments": segments, "segments_per_second": rate, "ratio": rate / rates[counts[0]]}


def session_seconds(workers: int) -> float:
    """The wall time of the study without the start of the command and its stores."""
    with TemporaryDirectory() as folder:
        timed(["ablations", "run", __file__, "--scale", "demo", "--workers", str(workers)], folder)
        record = read(f"sqlite:///{Path(folder) / 'mlflow.db'}", STUDY.name, "demo")
    return float(record.provenance["wall_seconds"])
