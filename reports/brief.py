"""What a study has found, in a few lines: its answer, the count of verdicts, and the best network on each task."""

from collections.abc import Sequence
from itertools import combinations
from textwrap import wrap

from ablations.record.schema import StudyRecord
from reports.comparison import WAYS
from reports.estimates import Estimates
from reports.page_one.answer import answer
from reports.page_one.verdict_strip import tally
from reports.result_tables import ResultTables
from reports.statistics.decision import FEWEST
from reports.statistics.ranks import ranked
from reports.verdicts import judge_claims

HEAD = ("task", "reads", "highest", "skill", "seeds solve", "not told apart")

LEGEND = "Not told apart: how many of the others no test tells from it."
UNDECIDED = (
    f"–: nothing is ranked where no network solves the task at its easiest, or with fewer than {FEWEST} replicates."
)


def found_lines(study: StudyRecord) -> list[str]:
    """The answer, the verdicts in one line, then the network with the highest skill for each task and way of reading.

    It is that of the highest mean skill of the replicates, among the networks of the baseline's size. All in 80 columns.
    """
    estimates = Estimates(ResultTables(study))
    if not study.has_runs:
        return answer(estimates)
    told = [line for sentence in answer(estimates) for line in wrap(sentence.replace("**", ""), 80)]
    rows = [row for task in estimates.results.tasks for way in WAYS if (row := _best(estimates, task, way))]
    claims = f"Claims: {tally(judge_claims(estimates))}."
    if not rows:
        return [*told, claims]
    alike = [row[-1] for row in rows]
    legend = [*([LEGEND] if any(each != "–" for each in alike) else []), *([UNDECIDED] if "–" in alike else [])]
    return [*told, claims, *_table([HEAD, *rows]), *(line for text in legend for line in wrap(text, 80))]


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _best(estimates: Estimates, task: str, is_causal: bool) -> list[str]:
    """The row of the best network that reads so; empty where there is none."""
    members = _comparable(estimates, task, is_causal)
    if not members:
        return []
    skills = [estimate.value if (estimate := estimates.mean(task, v, "skill")) else 0.0 for v in members]
    place = max(range(len(members)), key=skills.__getitem__)
    solved, alike = estimates.solved(task, members[place]), "–"
    if estimates.was_solved(task, *members) and solved.n >= FEWEST:
        alike = f"{_not_told_apart(estimates, task, members, place)} of {len(members) - 1}"
    seeds = f"{round(solved.value * solved.n)} of {solved.n}"
    return [task, WAYS[is_causal], members[place], f"{skills[place]:.2f}", seeds, alike]


def _comparable(estimates: Estimates, task: str, is_causal: bool) -> list[str]:
    settings = [setting for setting in estimates.results.study.settings if setting.task == task]
    baseline = estimates.results.study.plan["baseline"]
    sizes = {setting.size_rule for setting in settings if setting.variant == baseline}
    return [
        setting.variant
        for setting in settings
        if setting.causal == is_causal
        and (not sizes or setting.size_rule in sizes)
        and estimates.replicates(task, setting.variant)
    ]


def _not_told_apart(estimates: Estimates, task: str, members: Sequence[str], best: int) -> int:
    """How many of the others the best one is not decidedly better than (Holm over all pairs)."""
    differences = {
        (a, b): list(estimates.differences(members[a], members[b], [task]).values())
        for a, b in combinations(range(len(members)), 2)
    }
    better = ranked(differences, len(members))
    return len(members) - 1 - int(better[best].sum())
