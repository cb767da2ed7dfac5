"""Which network for what: one row a network, one column a task."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from reports.document import Block, Heading, Paragraph, Table
from reports.estimates import SOLVED, Estimates
from reports.figures.base import compact, unique
from reports.prose import in_a_row
from reports.skill import LEARNT
from reports.speed import LEVEL, log_ranks, speed_ranks
from reports.statistics.decision import FEWEST
from reports.statistics.intervals import proportion
from reports.statistics.survival import median_time

COLUMNS = [
    "task", "variant", "solved", "n", "share", "low", "high",
    "half_life", "half_life_low", "half_life_high", "hardest",
    "sequences", "sequences_low", "sequences_high", "budget",
    "flops_per_sequence", "microseconds_per_sequence",
]  # fmt: skip

PER_TABLE = 8
"""The most tasks side by side: so many columns of short lines fit on an A4 page."""


def capability(estimates: Estimates) -> pd.DataFrame:
    """`COLUMNS`: a row for each task and each variant that has replicates on it; costs are means over replicates.

    `half_life` is infinite beyond `hardest`, the hardest difficulty that the variant was tested at, and 0 where nothing was
    learnt. `sequences` is the median of Kaplan and Meier, infinite beyond the `budget`.
    """
    results, rows = estimates.results, []
    hardest = results.difficulty[~results.difficulty["refused"]].groupby(["task", "variant"])["difficulty"].max()
    costs = results.replicates.groupby(["task", "variant"])[["flops_per_sequence", "seconds_per_sequence"]].mean()
    for key in ((setting.task, setting.variant) for setting in results.study.settings):
        solved, life = estimates.solved(*key), estimates.half_life(*key)
        if life is None:
            continue
        times = median_time(estimates.sequences_to_criterion(*key), float(estimates.training_sequences))
        flops, seconds = costs.loc[key]
        rows.append(
            [*key, round(solved.value * solved.n), solved.n, solved.value, solved.low, solved.high,
             life.value, life.low, life.high, hardest[key],
             times.value, times.low, times.high, estimates.training_sequences, flops, seconds * 1e6]
        )  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


def capability_blocks(estimates: Estimates) -> Iterator[Block]:
    """The table of capabilities, and who learns faster."""
    frame = capability(estimates)
    if frame.empty:
        return
    yield Heading("Which network for what?")
    yield Paragraph(_solvers(frame))
    for number, part in enumerate(by_task(frame, cell)):
        yield Table("capability", frame, _caption(estimates, frame) if not number else "The next tasks.", part)
    pairs = log_ranks(estimates)
    for number, part in enumerate(by_task(speed_ranks(estimates, pairs), lambda row: str(row.rank))):
        yield Table("log_rank", pairs, _speed_caption(pairs) if not number else "The next tasks.", part)


def cell(row: Any) -> str:
    """A network on a task in four lines: seeds that solve it, half-life, median of the sequences to the criterion, cost."""
    return "\n".join((f"{row.solved}/{row.n} solved", _half_life(row), _sequences(row), _cost(row)))


def _half_life(row: Any) -> str:
    life, hardest = row.half_life, row.hardest
    if life == 0:
        return "not learnt"
    return f"half at {compact(life)}" if np.isfinite(life) else f"half > {compact(hardest)}"


def _sequences(row: Any) -> str:
    sequences, budget = row.sequences, row.budget
    return f"{compact(sequences)} seq." if np.isfinite(sequences) else f"> {compact(budget)} seq."


def _cost(row: Any) -> str:
    flops = row.flops_per_sequence
    return "–" if np.isnan(flops) else f"{compact(flops)} FLOP"


def by_task(frame: pd.DataFrame, text: Callable[[Any], str]) -> Iterator[pd.DataFrame]:
    """Tables with a row for each variant and a column for each of at most `PER_TABLE` tasks; – where there is no run."""
    if frame.empty:
        return
    cells = pd.Series([text(row) for row in frame.itertuples()], [frame["variant"], frame["task"]]).unstack(
        fill_value="–"
    )
    tasks = unique(frame["task"])
    for names in np.array_split(tasks, -(-len(tasks) // PER_TABLE)):
        rows = cells.loc[unique(frame["variant"]), names.tolist()]
        yield rows[(rows != "–").any(axis=1)].rename_axis("network").rename_axis(None, axis=1).reset_index()


def _solvers(frame: pd.DataFrame) -> str:
    """How many tasks each network solves, and those that none does."""
    tasks, most = unique(frame["task"]), frame[frame["share"] > 0.5]
    counts = [
        (int((most["variant"] == v).sum()), int((frame["variant"] == v).sum()), v) for v in unique(frame["variant"])
    ]
    listed = ", ".join(f"{v} {k} of {of}" for k, of, v in sorted(counts, key=lambda count: (-count[0], count[1])))
    none = [task for task in tasks if task not in set(most["task"])]
    return f"Tasks that most seeds solve: {listed}." + (
        f" By most seeds of no network: {in_a_row(none)}." if none else ""
    )


def _caption(estimates: Estimates, frame: pd.DataFrame) -> str:
    n, plan = int(frame["n"].max()), estimates.results.study.plan
    half = n // 2
    shares = "; ".join(
        f"{k}/{n}: {share.low:.2f} to {share.high:.2f}" for k in (0, half, n) if (share := proportion(k, n))
    )
    return (
        f"One row a network, one column a task. First, the seeds that solved it: test skill above {SOLVED} at the nominal "
        f"difficulty (exact 95 % interval of the share, {shares}). Second, the difficulty at which the typical seed's skill "
        "falls to half of what it is at the shortest, interpolated; beyond the grid where it does not, and not learnt where "
        f"skill at the shortest is below {LEARNT}. Third, the median of the training sequences until the validation score at "
        f"the nominal difficulty first reached {plan['solved_at']:g}, to within a segment; seeds that had not by the end of the "
        "budget, and those that diverged, are censored there (Kaplan and Meier). Last, floating point operations of a training "
        "sequence. Replicates only; – where a network was not run. Intervals and seconds: tables/capability.csv."
    )


def _speed_caption(pairs: pd.DataFrame) -> str:
    decided = int((pairs["faster"] != "").sum())
    return (
        "Who learns faster: the range of ranks of each network on each task, by the sequences to the same criterion. A network "
        "is behind all that are decidedly faster and before all that are decidedly slower, by log-rank tests of all pairs of "
        f"networks on a task with at least {FEWEST} seeds each (Holm's rule over the task's pairs, {LEVEL:.0%}). Decided are "
        f"{decided} of {len(pairs)} pairs. Each pair: tables/log_rank.csv."
    )
