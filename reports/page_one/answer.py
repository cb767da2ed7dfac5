"""The answer to a study's question in at most three sentences, made from the numbers by fixed rules.

Each rule gives a sentence or nothing; the first three sentences are the answer.

- `_ablations`: which changes of one part cost skill, and which add some.
- `_left_to_right`: who leads the left-to-right networks on the tasks that they can solve, and at what training time.
- `_future`: where the answer depends on what comes later, whether both ways of reading solve it.
- `_alone`: tasks that only one network solves. Solved: by more than half of the seeds.
- `_unsolved`: tasks that no network solves, likewise.
"""

from collections.abc import Callable, Sequence

from ablations.record.again import command_again
from reports.claims.comparison import MARGIN, skill_difference
from reports.comparison import WAYS, RankedGroup, microseconds, ranked_groups
from reports.estimates import Estimates
from reports.page_one.solvers import usual_size
from reports.prose import capitalised, in_a_row, in_prose
from reports.search_factors import sizes_are_searched

MOST = 3
"""The most sentences."""

MOST_NAMED = 6
"""The most networks or tasks that a sentence names one by one."""


def answer(estimates: Estimates) -> list[str]:
    """At most `MOST` sentences; names between two asterisks are to be bold."""
    study = estimates.results.study
    if not study.has_runs:
        return [f"Nothing is recorded yet. To go on: `{command_again(study)}`"]
    if not study.replicates:
        return ["No replicate has been recorded yet, so that there is no answer."]
    rules: Sequence[Callable[[Estimates], str]] = (_ablations, _left_to_right, _future, _alone, _unsolved)
    sentences = [sentence for rule in rules if (sentence := rule(estimates))]
    return [capitalised(each) for each in sentences[:MOST]] or ["The numbers decide nothing yet."]


def _ablations(estimates: Estimates) -> str:
    """Which of the changes cost skill, and which add some; each by the rule of its own two-sided test."""
    results = estimates.results
    parents = {v: p for v, p in results.compared_to.items() if v in results.study.plan["parents"]}
    if not parents:
        return ""
    costly, gainful = (
        {v: value for v, p in parents.items() if (value := _decided(estimates, v, p, side)) is not None}
        for side in ("below", "above")
    )
    subject = in_a_row([f"**{parent}**" for parent in dict.fromkeys(parents.values())], MOST_NAMED)
    told = [_changed(costly, "cost skill"), _changed(gainful, "add skill")]
    rest = len(parents) - len(costly) - len(gainful)
    told += [f"{rest} make no difference that these runs decide"] if rest else []
    return f"Of {len(parents)} changes to {subject}, {'; '.join(filter(None, told))}."


def _decided(estimates: Estimates, variant: str, parent: str, side: str) -> float | None:
    """A variant's difference in skill to its parent, if it is decidedly beyond the margin on one side."""
    limit = MARGIN if side == "above" else -MARGIN
    part = skill_difference(estimates, variant, parent, side, limit)  # type: ignore[arg-type]
    return part.estimate.value if part.verdict == "supported" and part.estimate else None


def _changed(values: dict[str, float], what: str) -> str:
    ordered = sorted(values, key=lambda variant: -abs(values[variant]))
    listed = in_a_row([f"**{v}** {in_prose(values[v])}" for v in ordered], MOST_NAMED) if ordered else ""
    return f"{len(values)} {what} ({listed})" if listed else ""


def _left_to_right(estimates: Estimates) -> str:
    """Who leads on the most tasks, and the leader's training time beside the next one's."""
    if estimates.results.study.plan["parents"]:
        return ""
    usual = set(usual_size(estimates))
    groups = [
        group
        for group in ranked_groups(estimates)
        if group.reads == WAYS[True] and group.decided and len(group.rows) > 1 and set(group.variants) <= usual
    ]
    if not groups:
        return ""
    group = max(groups, key=lambda each: (len(each.decided), len(each.rows)))
    leaders, tasks = group.leaders, in_a_row(group.decided, MOST_NAMED)
    if len(leaders) > 1:
        cheapest = min(leaders, key=lambda variant: microseconds(estimates, variant, group.tasks))
        names = in_a_row([f"**{variant}**" for variant in leaders], MOST_NAMED)
        return f"left to right, {names} cannot be told apart on {tasks}; **{cheapest}** trains fastest of them."
    best, second = leaders[0], group.variants[1]
    return (
        f"left to right, take **{best}**: it has the highest skill on {tasks} (solved by {_counts(estimates, best, group)} "
        f"seeds; {second}: {_counts(estimates, second, group)}), at {_time(estimates, best, second, group)} of {second}'s "
        f"training time{'' if sizes_are_searched(estimates.results.study) else ' at equal parameters'}."
    )


def _counts(estimates: Estimates, variant: str, group: RankedGroup) -> str:
    """The seeds that solve each of the tasks that decide, as in "10, 9 and 10 of 10"."""
    shares = [estimates.solved(task, variant) for task in group.decided]
    return f"{in_a_row([f'{each.value * each.n:.0f}' for each in shares], MOST_NAMED)} of {shares[0].n}"


def _time(estimates: Estimates, variant: str, other: str, group: RankedGroup) -> str:
    return in_prose(microseconds(estimates, variant, group.tasks) / microseconds(estimates, other, group.tasks))


def _future(estimates: Estimates) -> str:
    """Of tasks with a causal ceiling: who solves all of them, among those who see the future and those who do not."""
    settings = estimates.results.study.settings
    tasks = list(dict.fromkeys(s.task for s in settings if s.references.get("causal", 1.0) < s.references["perfect"]))
    solved = {way: _solvers(estimates, tasks, causal) for causal, way in WAYS.items()}
    if not tasks or not solved[WAYS[False]]:
        return ""
    names = in_a_row([f"**{variant}**" for variant in solved[WAYS[False]]], MOST_NAMED)
    others = in_a_row(solved[WAYS[True]], MOST_NAMED) if solved[WAYS[True]] else "none"
    return (
        f"where the answer depends on what comes later ({in_a_row(tasks)}), read **both ways**: {names} solve it; of the "
        f"left-to-right networks, {others}."
    )


def _solvers(estimates: Estimates, tasks: Sequence[str], causal: bool) -> list[str]:
    """The networks of the usual size and one way of reading by most seeds of which all of the tasks are solved."""
    variants = {s.variant for s in estimates.results.study.settings if s.causal == causal}
    usual = [v for v in usual_size(estimates) if v in variants]
    return [v for v in usual if tasks and all(estimates.solved(task, v).value > 0.5 for task in tasks)]


def _alone(estimates: Estimates) -> str:
    """Tasks that one network alone solves, of at least two that were run on it."""
    alone: dict[str, list[str]] = {}
    for task, names in _solvers_by_task(estimates).items():
        if len(names) == 1 and len(_run_on(estimates, task)) > 1:
            alone.setdefault(names[0], []).append(task)
    told = [f"only **{variant}** solves {in_a_row(tasks, MOST_NAMED)}" for variant, tasks in alone.items()]
    return f"of the networks run on them, {'; '.join(told)} in most seeds." if told else ""


def _unsolved(estimates: Estimates) -> str:
    """Tasks that no network solves by more than half of its seeds."""
    tasks = [task for task, names in _solvers_by_task(estimates).items() if not names]
    return (
        f"no network solves {in_a_row(tasks, MOST_NAMED)} in most of its seeds at this size and budget."
        if tasks
        else ""
    )


def _solvers_by_task(estimates: Estimates) -> dict[str, list[str]]:
    """task -> the networks of the usual size by most seeds of which it is solved."""
    return {
        task: [v for v in _run_on(estimates, task) if estimates.solved(task, v).value > 0.5]
        for task in estimates.results.tasks
    }


def _run_on(estimates: Estimates, task: str) -> list[str]:
    return [v for v in usual_size(estimates) if estimates.replicates(task, v)]
