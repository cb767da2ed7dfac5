"""The time that a plan takes at most, from a few timed steps of each of its settings."""

from time import perf_counter

from ablations.study import Plan, Setting
from ablations.train.batches import CHUNK
from ablations.train.cohort import Cohort, Run
from ablations.train.segment import train_segment


def estimate_seconds(plan: Plan, setting: Setting, workers: int) -> float:
    """The setting's share of the plan's time with `workers` processes if no trial is pruned, measured here."""
    budget = plan.budget
    rounds = budget.trials // budget.trials_per_round
    searching = rounds * _segment_seconds(plan, setting, budget.trials_per_round * budget.search_seeds)
    times = 2 if setting.variant.name in plan.parents else 1
    replicating = times * _segment_seconds(plan, setting, budget.replicates)
    return budget.segments * (searching + replicating) / workers


def _segment_seconds(plan: Plan, setting: Setting, runs: int) -> float:
    """The time of one segment: a line through the times of two short segments of different length."""
    budget = plan.budget
    lowest = {name: range_.low for name, range_ in plan.nuisance.items()}
    members = tuple(Run("replicate", number, number, **{**plan.fixed, **lowest}) for number in range(runs))
    cohort = Cohort(setting, budget, plan.optimiser, plan.seed, members)
    seconds = {}
    train_segment(cohort, None, 1)  # compiles the kernel if that is missing
    for steps in (1, 1 + CHUNK // 4):  # the first has what every segment pays once
        start = perf_counter()
        train_segment(cohort, None, steps)
        seconds[steps] = perf_counter() - start
    once, some = seconds.values()
    per_step = max(0.0, some - once) / (CHUNK // 4)
    return once + per_step * (budget.steps / budget.segments - 1)
