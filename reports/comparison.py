"""Comparison of the variants: the ranking, and paired differences to the baseline."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from reports.claims.claim import FEWEST, pooled_difference
from reports.document import Block, Heading, Paragraph, Table
from reports.result_tables import ResultTables
from reports.statistics import mean, pooled, probability_of_improvement


def ranking(results: ResultTables, rng: np.random.Generator) -> pd.DataFrame:
    """Variants sorted by pooled skill, with the difference of the leading variant to each.

    Only variants with replicates on every task: a variant that was run on easy tasks alone would lead.
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
    return frame.assign(
        behind_by=[distance for distance, _ in leads], distinguishable=[is_clear for _, is_clear in leads]
    )


def _lead(results: ResultTables, leader: str, other: str, rng: np.random.Generator) -> tuple[float, bool]:
    """The difference in skill of the leader to another variant, and whether its interval is above 0."""
    difference = pooled_difference(results, leader, other, rng)
    if difference is None:
        return float("nan"), False
    return difference.value, difference.fewest >= FEWEST and difference.low > 0


def differences(results: ResultTables, rng: np.random.Generator) -> pd.DataFrame:
    """Each variant's skill minus the baseline's on each task, paired by seed, and the share of seeds where it is better."""
    baseline, rows = results.study.plan["baseline"], []
    for setting in results.study.settings:
        by_seed = results.paired_differences(setting.variant, baseline, setting.task)
        if setting.variant == baseline or not len(by_seed):
            continue
        difference = mean(by_seed, rng)
        better = probability_of_improvement(by_seed, np.zeros_like(by_seed), rng)
        rows.append([setting.task, setting.variant, difference.value, difference.low, difference.high,
                     better.value, better.low, better.high, difference.n])  # fmt: skip
    columns = ["task", "variant", "difference", "low", "high", "P(better)", "P low", "P high", "n"]
    return pd.DataFrame(rows, columns=columns)


def comparison_blocks(results: ResultTables, rng: np.random.Generator) -> Iterator[Block]:
    """Which variants lead, and each variant's difference to the baseline."""
    yield Heading("Which network?")
    frame = ranking(results, rng)
    if frame.empty:
        yield Paragraph("No variant has replicates on every task yet.")
        return
    equal = frame["variant"][~frame["distinguishable"]].tolist()[1:]
    others = (
        f"these variants cannot be distinguished from it: {', '.join(equal)}"
        if equal
        else "it can be distinguished from all other variants"
    )
    yield Paragraph(
        f"{frame['variant'][0]} has the highest skill, pooled over all tasks of this study. By paired differences, "
        f"{others}. To choose a network for one kind of task, read the results of that task in the tables and figures below."
    )
    yield Table(
        "ranking",
        frame,
        "Interquartile mean of skill over all tasks and replicates, its 95 % interval, and the difference of the leading "
        "variant to this one. The difference is the interquartile mean of paired differences, so its order can differ from "
        "that of the ranking. A variant is distinguishable from the leading one if the interval of their difference, over at "
        f"least {FEWEST} runs, is above 0. Only variants with replicates on every task are ranked.",
    )
    yield Table(
        "differences",
        differences(results, rng),
        f"Skill minus the skill of {results.study.plan['baseline']}, paired by seed, with 95 % intervals. P(better) is the "
        "share of seeds in which the variant is better; a tie counts half.",
    )
