"""Who solves what: the seeds of each network on each task, left-to-right networks and readers of the future apart."""

from collections.abc import Sequence

import pandas as pd

from reports.comparison import WAYS
from reports.estimates import SOLVED, Estimates
from reports.page_one.blocks import SolverRow, Solvers

COLUMNS = ["reads", "variant", "task", "seed", "skill", "solved"]


MOST_COLUMNS = 8
"""The most tasks that stand side by side; with more of them the networks do."""


def solvers(estimates: Estimates) -> Solvers:
    """The networks of the study's usual size; within a way of reading, those that solve more come first."""
    results, table = estimates.results, solver_table(estimates)
    tasks = [(s.task, f"{s.difficulty} {s.nominal}") for task in results.tasks if (s := results.setting(task))]
    cells = {key: rows["skill"].tolist() for key, rows in table.groupby(["variant", "task"])}
    ways = {way: _in_order(table[table["reads"] == way]) for way in WAYS.values()}
    seeds = int(table.groupby(["variant", "task"]).size().max()) if len(table) else 0
    if len(tasks) <= MOST_COLUMNS:
        groups = [
            (way, [SolverRow(name, "", [cells.get((name, task)) for task, _ in tasks]) for name in names])
            for way, names in ways.items()
            if names
        ]
        rules = [f"{s.task}: {s.rule}" for task, _ in tasks if (s := results.setting(task)) and s.rule]
        return Solvers(tasks, groups, seeds, rules)
    networks = [(name, way) for way, names in ways.items() for name in names]
    rows = [SolverRow(task, note, [cells.get((name, task)) for name, _ in networks]) for task, note in tasks]
    return Solvers(networks, [("", rows)], seeds)


def _in_order(rows: pd.DataFrame) -> list[str]:
    """The variants, those with the larger share of solved runs first."""
    shares = rows.groupby("variant", sort=False)[["solved", "skill"]].mean()
    return shares.sort_values(["solved", "skill"], ascending=False, kind="stable").index.tolist()


def solver_table(estimates: Estimates) -> pd.DataFrame:
    """`COLUMNS`: a row for each replicate of the networks of the study's usual size."""
    results = estimates.results
    usual = usual_size(estimates)
    ways = {s.variant: WAYS[s.causal] for s in results.study.settings}
    rows = results.replicates[results.replicates["variant"].isin(usual)]
    frame = rows[["variant", "task", "seed", "skill"]].assign(solved=rows["skill"] > SOLVED)
    return frame.assign(reads=rows["variant"].map(ways))[COLUMNS]


def usual_size(estimates: Estimates) -> Sequence[str]:
    """The variants that have the size of the study's budget."""
    results = estimates.results
    usual = f"{results.study.plan['budget']['parameters']:,} parameters"
    return [variant for variant, size in estimates.sizes(results.variants).items() if size == usual]
