"""Variants against one another: the ranking, and paired differences to the baseline."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from reports.claims.claim import FEWEST, pooled_difference
from reports.document import Block, Heading, Paragraph, Table
from reports.result_tables import ResultTables
from reports.statistics import mean, pooled, probability_of_improvement


def ranking(results: ResultTables, rng: np.random.Generator) -> pd.DataFrame:
    """Variants by their pooled skill, with the difference of the leading one to each.

    Only those with replicates on every task: one that has met the easy tasks alone would lead.
    """
    rows = []
    for variant, runs in results.replicates.groupby("variant", sort=False):
        if runs["task"].nunique() < len(results.tasks):
            continue
        skills = pooled([task["skill"] for _, task in runs.groupby("task", sort=False)], rng)
        microseconds = runs["seconds_per_sequence"].mean() * 1e6
        rows.append([variant, skills.value, skills.low, skills.high, skills.n, microseconds])
    columns = ["variant", "pooled_skill", "low", "high", "n", "µs per sequence"]
    frame = pd.DataFrame(rows, columns=columns).sort_values("pooled_skill", ascending=False, ignore_index=True)
    leads = [_lead(results, frame["variant"][0], variant, rng) for variant in frame["variant"]]
    return frame.assign(behind_by=[low for low, _ in leads], distinguishable=[told for _, told in leads])


def _lead(results: ResultTables, leader: str, other: str, rng: np.random.Generator) -> tuple[float, bool]:
    difference = pooled_difference(results, leader, other, rng)
    if difference is None:
        return float("nan"), False
    return difference.value, difference.fewest >= FEWEST and difference.low > 0


def differences(results: ResultTables, rng: np.random.Generator) -> pd.DataFrame:
    """Each variant's skill minus the baseline's, task by task, paired by seed, and how often it is the better one."""
    baseline, rows = results.study.plan["baseline"], []
    for setting in results.study.settings:
        paired = results.paired(setting.variant, baseline, setting.task)
        if setting.variant == baseline or not len(paired):
            continue
        difference = mean(paired, rng)
        better = probability_of_improvement(paired, np.zeros_like(paired), rng)
        rows.append([setting.task, setting.variant, difference.value, difference.low, difference.high,
                     better.value, better.low, better.high, difference.n])  # fmt: skip
    columns = ["task", "variant", "difference", "low", "high", "P(better)", "P low", "P high", "n"]
    return pd.DataFrame(rows, columns=columns)


def comparison_blocks(results: ResultTables, rng: np.random.Generator) -> Iterator[Block]:
    """Which network to use, as far as this study can tell, and every variant against the baseline."""
    yield Heading("Which network?")
    frame = ranking(results, rng)
    if frame.empty:
        yield Paragraph("No variant has replicates on every task yet.")
        return
    equal = frame["variant"][~frame["distinguishable"]].tolist()[1:]
    others = f"these cannot be told apart from it: {', '.join(equal)}" if equal else "it is told apart from all others"
    yield Paragraph(
        f"Over all tasks of this study {frame['variant'][0]} has the highest pooled skill; by paired differences "
        f"{others}. Which one suits a task of one's own is better read task by task, from the tables and figures below."
    )
    yield Table(
        "ranking",
        frame,
        "Interquartile mean of skill over all tasks and replicates, its 95 % interval, and the paired difference to the "
        f"leading variant, which is distinguishable where that difference's interval over at least {FEWEST} runs is "
        "above 0. The difference is the interquartile mean of paired differences, "
        "and need not follow the ranking. Only variants with replicates on every task are ranked.",
    )
    yield Table(
        "differences",
        differences(results, rng),
        f"Skill minus that of {results.study.plan['baseline']}, paired by seed, with 95 % intervals; P(better) is the "
        "share of seeds in which the variant is ahead, ties counting half.",
    )
