"""The time that is left of a plan: from the recorded times of its runs, else from a few timed steps of each setting."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import ceil
from statistics import fmean
from time import perf_counter
from typing import TypeVar

from ablations.record.schema import RunRecord
from ablations.study import Plan, Setting
from ablations.train.batches import CHUNK
from ablations.train.cohort import Cohort, TrainState, run_of
from ablations.train.evaluation import evaluate_test
from ablations.train.segment import PIECE, train_segment

# Seconds. They do not grow with the length of a run.
START = 6.0
"""Libraries, databases, and the first jobs of the workers."""
RECORD = 0.05
"""A run's share of search and record, which the parent process does beside its workers."""
COST_POINT = 0.15
"""One cell at one hidden size in the measurement of costs."""
LOAD = 1.0
"""At most, what a worker needs for the first segment of a cohort more than for the next; what compiles is kept."""

Result = TypeVar("Result")


@dataclass(frozen=True)
class Work:
    """What is left of a setting: its recorded runs, those that are left, and their seconds of one core at most."""

    recorded: int
    left: int
    seconds: float


def remaining_work(plan: Plan, setting: Setting, ended: Sequence[RunRecord], workers: int) -> Work:
    """A setting's work, given its recorded runs. Where none of a kind is recorded, some steps are timed here."""
    budget, counts = plan.budget, Counter[str](run.kind for run in ended)
    side_by_side = 1 if plan.has_shapes(setting) else min(budget.trials_per_round, budget.trials)
    cohorts = {"trial": side_by_side * budget.search_seeds}
    planned = {"trial": budget.trials * budget.search_seeds, "replicate": budget.replicates}
    if setting.variant.name in plan.parents:
        planned["transferred"] = budget.replicates
    left = {kind: max(0, number - counts[kind]) for kind, number in planned.items()}
    seconds = sum(
        number * (RECORD + _run_seconds(plan, setting, kind, ended, cohorts.get(kind, budget.replicates), workers))
        for kind, number in left.items()
        if number
    )
    return Work(sum(planned.values()) - sum(left.values()), sum(left.values()), seconds)


def total_seconds(plan: Plan, works: Sequence[Work], workers: int, costs_recorded: bool) -> float:
    """The time of all works side by side, with what comes before and after."""
    costs = COST_POINT * plan.costs.points if plan.costs and not costs_recorded else 0.0
    seconds = sum(work.seconds for work in works)
    return START + seconds / workers + costs if seconds or costs else 0.0


def _run_seconds(plan: Plan, setting: Setting, kind: str, ended: Sequence[RunRecord], runs: int, workers: int) -> float:
    """One run's share of its cohort's time."""
    of_kind = [run.metrics["seconds"] for run in ended if run.kind == kind and "seconds" in run.metrics]
    if of_kind:
        return fmean(of_kind)
    return _cohort_seconds(plan, setting, runs, kind != "trial", workers) / runs


def _cohort_seconds(plan: Plan, setting: Setting, runs: int, is_tested: bool, workers: int) -> float:
    """The time of a cohort: a line through the times of two short segments of different length, and its test."""
    budget = plan.budget
    factors = plan.middle_of(setting)
    members = tuple(run_of("replicate", number, number, factors) for number in range(runs))
    (cohort,) = Cohort(setting, budget, plan.optimiser, plan.seed, members).shapes
    more = CHUNK // 4
    # The first segment compiles or loads, and records; the second has what every segment pays once.
    (_, first), (_, once), (state, some) = (_timed(train_segment, cohort, None, 1 + steps) for steps in (more, 0, more))
    segment = once + max(0.0, some - once) / more * (budget.steps / budget.segments - 1)
    # Any worker may train a segment: so many of them, on average, train one of the cohort.
    loads = workers * (1 - (1 - 1 / workers) ** budget.segments) * min(LOAD, max(0.0, first - some))
    test = _test_seconds(cohort, state[0]) if is_tested else 0.0
    return loads + budget.segments * segment + test


def _test_seconds(cohort: Cohort, state: TrainState) -> float:
    """The time of a test: a line through the times of two tests on few sequences. Far difficulties are as long for both."""
    few, far = min(cohort.budget.test, PIECE), cohort.budget.far
    budgets = (replace(cohort.budget, test=test, far=()) for test in (1, few))
    least, some = (_timed(evaluate_test, replace(cohort, budget=budget), state)[1] for budget in budgets)
    whole = replace(cohort, budget=replace(cohort.budget, test=1, far=far))
    far_test = _timed(evaluate_test, whole, state)[1] - least if far else 0.0
    return least + max(0.0, some - least) * ceil(cohort.budget.test / few) + max(0.0, far_test)


def _timed(function: Callable[..., Result], *arguments: object) -> tuple[Result, float]:
    """What a function returns, and the seconds that it takes."""
    start = perf_counter()
    return function(*arguments), perf_counter() - start
