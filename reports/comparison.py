"""Comparison of the variants: the ranking, and paired differences to the baseline."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import pandas as pd

from reports.document import Block, Heading, Paragraph, Table
from reports.estimates import Estimates
from reports.statistics.decision import FEWEST
from reports.statistics.intervals import mean, mean_over_tasks, probability_of_improvement
from reports.statistics.ranks import rank_ranges, ranked
from reports.statistics.sample import Sample

WAYS = {True: "left to right", False: "sees the future"}
"""How a variant reads, by whether it is causal."""

COLUMNS = [
    "reads",
    "size",
    "run on",
    "rank",
    "variant",
    "mean_skill",
    "low",
    "high",
    "n",
    "µs per sequence",
    "decided on",
]

MOST_NAMED = 6
"""The most tasks that are named one by one; of more those that are absent are named, if they are fewer."""


@dataclass(frozen=True)
class RankedGroup:
    """Variants that are ranked together: of one way of reading and one size, on the `tasks` of some variant.

    `decided` are those of the tasks that decide. A row has rank, variant, mean skill with its interval and n, and µs per
    sequence.
    """

    reads: str
    size: str
    tasks: tuple[str, ...]
    decided: tuple[str, ...]
    rows: list[list[object]]

    @property
    def variants(self) -> list[str]:
        """The variants, the best first."""
        return [str(row[1]) for row in self.rows]

    @property
    def leaders(self) -> list[str]:
        """The variants that none is decidedly better than."""
        return [str(row[1]) for row in self.rows if str(row[0]).split(" ")[0] == "1"]


def ranked_groups(estimates: Estimates) -> Iterator[RankedGroup]:
    """The groups of a study.

    All variants of a kind that were run on a group's tasks are in it, compared on these alone. One that lacks replicates on
    one of them is left out.
    """
    results = estimates.results
    sizes, ways = estimates.sizes(results.variants), {s.variant: WAYS[s.causal] for s in results.study.settings}
    kinds: dict[tuple[str, str], list[str]] = {}
    for variant, reads in ways.items():
        kinds.setdefault((reads, sizes[variant]), []).append(variant)
    for kind, variants in kinds.items():
        for own, members in _by_tasks(estimates, variants).items():
            decided = tuple(task for task in own if estimates.was_solved(task, *members))
            yield RankedGroup(*kind, own, decided, _ranked(estimates, members, own, decided))


def ranking(estimates: Estimates) -> pd.DataFrame:
    """`COLUMNS`: the variants of each group sorted by their mean skill over the tasks that decide for the group.

    `rank` is the range of ranks that the group's decided differences leave to the variant.
    """
    tasks = estimates.results.tasks
    rows = [
        [group.reads, group.size, named(group.tasks, tasks), *row, named(group.decided, tasks)]
        for group in ranked_groups(estimates)
        for row in group.rows
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _by_tasks(estimates: Estimates, variants: Sequence[str]) -> dict[tuple[str, ...], list[str]]:
    """The tasks of each of the variants, and all variants that were run on these.

    Left out is who would be alone, and stands beside others elsewhere.
    """
    results = estimates.results
    planned = {v: tuple(task for task in results.tasks if (task, v) in results.planned) for v in variants}
    groups = {
        own: [v for v in variants if set(own) <= set(planned[v]) and all(estimates.replicates(t, v) for t in own)]
        for own in planned.values()
    }
    with_others = {v for members in groups.values() if len(members) > 1 for v in members}
    return {
        own: members
        for own, members in groups.items()
        if members and (len(members) > 1 or members[0] not in with_others)
    }


def named(tasks: Sequence[str], of: Sequence[str]) -> str:
    """Some tasks of all in words.

    >>> named(["a", "b"], ["a", "b"]), named(["a"], ["a", "b"]), named([], ["a", "b"]), named([*"abcdefg"], [*"abcdefgh"])
    ('all tasks', 'a', 'none', 'all tasks but h')
    """
    absent = [task for task in of if task not in tasks]
    if not absent:
        return "all tasks"
    if len(tasks) > max(MOST_NAMED, len(absent)):
        return f"all tasks but {', '.join(absent)}"
    return ", ".join(tasks) or "none"


def _ranked(
    estimates: Estimates, members: Sequence[str], own: Sequence[str], decided: Sequence[str]
) -> list[list[object]]:
    """The rows of one group, whose members were all run on their `own` tasks."""
    differences: dict[tuple[int, int], Sequence[Sample]] = {}
    for a, b in combinations(range(len(members)), 2):
        differences[a, b] = list(estimates.differences(members[a], members[b], decided).values()) if decided else []
    first, last = rank_ranges(ranked(differences, len(members)))
    rows = []
    for place, variant in enumerate(members):
        # Where no task was solved none decides, and all are shown.
        skill = mean_over_tasks([each for t in decided or own if (each := estimates.replicates(t, variant))])
        rank = in_words(int(first[place]), int(last[place]))
        rows.append([rank, variant, skill.value, skill.low, skill.high, skill.n, microseconds(estimates, variant, own)])
    return sorted(rows, key=lambda row: -float(str(row[2])))


def in_words(first: int, last: int) -> str:
    """A range of ranks, as in "2" or "2 to 4"."""
    return f"{first}" if first == last else f"{first} to {last}"


def microseconds(estimates: Estimates, variant: str, tasks: Sequence[str]) -> float:
    """The training time of one sequence, the mean over a variant's replicates on some tasks."""
    rows = estimates.results.replicates
    rows = rows[(rows["variant"] == variant) & rows["task"].isin(tasks)]
    return float(rows.groupby("task")["seconds_per_sequence"].mean().mean() * 1e6)


def differences(estimates: Estimates) -> pd.DataFrame:
    """Each variant's skill minus the baseline's on each task, paired by seed, and the share of seeds where it is better."""
    baseline, rows = estimates.results.study.plan["baseline"], []
    for setting in estimates.results.study.settings:
        by_seed = estimates.difference(setting.variant, baseline, setting.task)
        if setting.variant == baseline or by_seed is None:
            continue
        difference, better = mean(by_seed), probability_of_improvement(by_seed)
        rows.append([setting.task, setting.variant, difference.value, difference.low, difference.high,
                     better.value, better.low, better.high, by_seed.n - better.n, by_seed.n])  # fmt: skip
    columns = ["task", "variant", "difference", "low", "high", "P(better)", "P low", "P high", "ties", "n"]
    return pd.DataFrame(rows, columns=columns)


def comparison_blocks(estimates: Estimates) -> Iterator[Block]:
    """Which variants lead, and each variant's difference to the baseline."""
    yield Heading("Which network?")
    frame = ranking(estimates)
    if frame.empty:
        yield Paragraph("No variant has replicates on all of its tasks yet.")
        return
    for group in ranked_groups(estimates):
        yield Paragraph(_leaders(group, estimates.results.tasks))
    yield Table(
        "ranking",
        frame,
        "Mean over the tasks of the mean skill, with its 95 % interval. Left-to-right readers and readers of the future are "
        "ranked apart, and so are sizes, and variants that were run on other tasks (`run on`): each is ranked on the tasks that "
        "it has, among those that have the same. A rank is given as a range: a variant is behind all that are decidedly better "
        "and before all that are decidedly worse. Variants whose paired difference, over at least "
        f"{FEWEST} seeds on each task, is not decided (Holm's rule over all pairs of a group, 5 %) share ranks. A task decides "
        "for a group if some variant that reads in that way has solved it at its easiest; the last column names these tasks. "
        "Only variants with replicates on all of their tasks are ranked.",
    )
    yield Table(
        "differences",
        differences(estimates),
        f"Skill minus the skill of {estimates.results.study.plan['baseline']}, paired by seed: the mean with its 95 % interval. "
        "P(better) is the share of seeds in which the variant is better, of those that are not tied, with its exact interval.",
    )


def _leaders(group: RankedGroup, tasks: Sequence[str]) -> str:
    """Who leads a group, as far as that is decided."""
    way = "read from left to right" if group.reads == WAYS[True] else "see the future"
    of_group = f"Of the networks that {way}, at {group.size}, run on {named(group.tasks, tasks)},"
    if not group.decided:
        return f"{of_group} none has solved any task at its easiest, so that they are not ranked."
    basis, leaders = f"by their skill on {named(group.decided, tasks)}", group.leaders
    if len(group.rows) == 1:
        return f"{of_group} there is only {leaders[0]}."
    if len(leaders) == len(group.rows):
        return f"{of_group} no two can be told apart from the best {basis}: {', '.join(leaders)}."
    if len(leaders) == 1:
        return f"{of_group} {leaders[0]} is the best {basis}."
    return f"{of_group} {', '.join(leaders)} cannot be told apart from the best {basis}; all others are worse than at least one."
