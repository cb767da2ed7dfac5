"""The time that is left of a plan, in an instant: from the recorded times of its runs, else from counted operations."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import ceil
from statistics import fmean

from ablations.models import Cell
from ablations.models.backends import backend_of
from ablations.record.schema import RunRecord
from ablations.run.rates import Rates, training_sequences
from ablations.study import Plan, Setting
from ablations.study.budget import FAR_SEQUENCES
from tasks import Task

# Seconds. They do not grow with the length of a run.
START = 6.0
"""Libraries, databases, and the first jobs of the workers."""
RECORD = 0.05
"""A run's share of search and record, which the parent process does beside its workers."""
COST_POINT = 0.15
"""One cell at one hidden size in the measurement of costs."""
COMPILE = 4.0
"""One cell that is not in the kernel cache."""
COHORT = 0.3
"""What a cohort needs until its steps are recorded, in all workers that train a segment of it."""


@dataclass(frozen=True)
class Work:
    """What is left of a setting: its recorded runs, those that are left, and their seconds of one core at most."""

    recorded: int
    left: int
    seconds: float


def remaining_works(plan: Plan, ended: Mapping[str, Sequence[RunRecord]]) -> dict[str, Work]:
    """The work of each setting by its name, given the recorded runs by the identities of their settings."""
    left = {setting.name: _left(plan, setting, _runs(plan, setting, ended)) for setting in plan.settings}
    rates = Rates(plan, [setting for setting in plan.settings if any(left[setting.name].values())], ended)
    test = cache(lambda task: _test_sequences(plan, task))
    works = {}
    for setting in plan.settings:
        runs, missing = _runs(plan, setting, ended), left[setting.name]
        seconds = sum(
            number * (RECORD + _run_seconds(plan, setting, kind, runs, rates, test(setting.label)))
            + COHORT * _cohorts(plan, setting, kind, number)
            for kind, number in missing.items()
            if number
        )
        planned = plan.runs_of(setting.variant.name)
        works[setting.name] = Work(planned - sum(missing.values()), sum(missing.values()), seconds)
    return works


def total_seconds(plan: Plan, works: Mapping[str, Work], workers: int, costs_recorded: bool) -> float:
    """The time of all works side by side, with what comes before and after."""
    costs = COST_POINT * plan.costs.points if plan.costs and not costs_recorded else 0.0
    seconds = sum(work.seconds for work in works.values())
    if not seconds and not costs:
        return 0.0
    left = [setting for setting in plan.settings if works[setting.name].left]
    return START + compile_seconds(left, workers) + seconds / workers + costs


def compile_seconds(settings: Iterable[Setting], workers: int) -> float:
    """The time to compile the cells that the kernel cache does not have, one cell in each worker."""
    missing = [cell for cell in _compiled_cells(settings) if not _is_cached(cell)]
    return COMPILE * ceil(len(missing) / workers)


def _compiled_cells(settings: Iterable[Setting]) -> list[type[Cell]]:
    cells = dict.fromkeys(setting.variant.cell for setting in settings)
    return [cell for cell in cells if cell is not None and backend_of(cell) == "kernel"]


def _is_cached(cell: type[Cell]) -> bool:
    from ablations.models.kernels.compilation import is_compiled  # Numba takes a second to import

    return is_compiled(cell)


def _runs(plan: Plan, setting: Setting, ended: Mapping[str, Sequence[RunRecord]]) -> Sequence[RunRecord]:
    return ended.get(plan.identities[setting.name], ())


def _left(plan: Plan, setting: Setting, ended: Sequence[RunRecord]) -> dict[str, int]:
    """The runs of each kind that are not recorded."""
    budget, counts = plan.budget, Counter[str](run.kind for run in ended)
    planned = {"trial": budget.trials * budget.search_seeds, "replicate": budget.replicates}
    if setting.variant.name in plan.parents:
        planned["transferred"] = budget.replicates
    return {kind: max(0, number - counts[kind]) for kind, number in planned.items()}


def _cohorts(plan: Plan, setting: Setting, kind: str, runs: int) -> int:
    """How many cohorts the runs train in; of trials of many shapes, one for each."""
    budget = plan.budget
    trials = 1 if plan.has_shapes(setting) else budget.trials_per_round
    return ceil(runs / (trials * budget.search_seeds if kind == "trial" else budget.replicates))


def _run_seconds(
    plan: Plan, setting: Setting, kind: str, ended: Sequence[RunRecord], rates: Rates, test: float
) -> float:
    """One run's share of its cohort's time: its training, and its test if it is no trial."""
    trained = training_sequences(plan.budget)
    of_kind = [run.metrics["seconds"] for run in ended if run.kind == kind and "seconds" in run.metrics]
    sequence = fmean(of_kind) / trained if of_kind else rates.seconds(setting)
    return sequence * (trained if kind == "trial" else trained + test)


def _test_sequences(plan: Plan, label: str) -> float:
    """A replicate's test, in training sequences: these are read and differentiated, and those of a test are read."""
    task, budget = plan.tasks[label], plan.budget
    sequences = {**dict.fromkeys(task.grid(), budget.test), **dict.fromkeys(budget.far, FAR_SEQUENCES)}
    return sum(number * _length(task, difficulty) for difficulty, number in sequences.items()) / 3 / task.spec.length


def _length(task: Task, difficulty: int) -> int:
    return task.at(difficulty).spec.length
