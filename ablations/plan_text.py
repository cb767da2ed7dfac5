"""A plan in text: its settings with their sizes, how many runs are left, and how long they take at most."""

import os
from collections.abc import Iterator, Mapping, Sequence

from ablations.models.sizes import count_parameters
from ablations.record.schema import RunRecord
from ablations.run.progress import duration
from ablations.run.time_estimate import Work, remaining_works, total_seconds
from ablations.study import Plan, Setting
from ablations.study.identity import costs_identity
from ablations.train.threads import use_one_thread


def describe_plan(plan: Plan, workers: int, ended: Mapping[str, Sequence[RunRecord]]) -> Iterator[str]:
    """The lines about a plan: question, settings with sizes, runs, and the time that is left at most.

    ended: the recorded runs by the identity of their setting, or of the measurement of costs.
    """
    use_one_thread()  # as each worker has
    budget, workers = plan.budget, min(workers, os.cpu_count() or 1)
    transferred = ", and of ablations as many with the parent's hyperparameters" if plan.parents else ""
    yield plan.question
    yield (
        f"Scale {plan.scale}, each setting: {_counted(budget.trials, 'trial')} (search seeds: {budget.search_seeds}), "
        f"{_counted(budget.replicates, 'replicate')}{transferred}, {_counted(budget.steps, 'step')} of "
        f"{_counted(budget.batch, 'sequence')} each."
    )
    yield ""
    width = max(32, *(len(setting.name) for setting in plan.settings))
    sizes = {setting.name: _searched_sizes(plan, setting) for setting in plan.settings}
    hidden, parameters = (
        max(map(len, column)) for column in zip(("hidden", "parameters"), *sizes.values(), strict=True)
    )
    yield f"{'setting':{width}} {'hidden':>{hidden}} {'parameters':>{parameters}} {'recorded':>8} {'left':>6} {'at most':>12}"
    works = remaining_works(plan, ended)
    for setting in plan.settings:
        work = works[setting.name]
        size = "{:>{}} {:>{}}".format(sizes[setting.name][0], hidden, sizes[setting.name][1], parameters)
        time = duration(work.seconds / workers)
        yield f"{setting.name:{width}} {size} {work.recorded:8} {work.left:6} {time:>12}"
    yield ""
    yield _totals(plan, works, workers, ended)


def _searched_sizes(plan: Plan, setting: Setting) -> tuple[str, str]:
    """The hidden size of a setting and its number of parameters; of one whose size is searched, from where to where."""
    ends = list(plan.at_ends(setting))
    counts = [count_parameters(each.variant, each.task.spec, each.size) for each in ends]
    return _span([each.size for each in ends]), _span(counts)


def _span(numbers: Sequence[int]) -> str:
    """The lowest and the highest number."""
    low, high = min(numbers), max(numbers)
    return f"{low}" if low == high else f"{low} to {high}"


def _totals(plan: Plan, works: Mapping[str, Work], workers: int, ended: Mapping[str, Sequence[RunRecord]]) -> str:
    recorded = sum(work.recorded for work in works.values())
    size = f"{_counted(len(works), 'setting')}, {_counted(plan.runs, 'run')}"
    size += f", of which {recorded} are recorded and {plan.runs - recorded} are left" if recorded else ""
    costs = bool(plan.costs and ended.get(costs_identity(plan.costs, plan.seed)))
    seconds = total_seconds(plan, works, workers, costs)
    if not seconds:
        return f"{size}; nothing is left to do."
    with_workers = _counted(workers, "worker")
    return f"{size}; about {duration(seconds)} with {with_workers} if no trial is pruned, start and costs included."


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
