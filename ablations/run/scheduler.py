"""Running a plan: its settings side by side, then the measurement of costs."""

from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from typing import Any

from ablations.record.schema import RunRecord
from ablations.run.context import COSTS, RunContext, Steps
from ablations.run.executors import Executor
from ablations.run.jobs import JobFailed
from ablations.run.setting_runner import SettingRunner
from ablations.study import Costs, Plan
from ablations.study.identity import costs_identity, identity
from ablations.train.costs import measure


def run_plan(plan: Plan, context: RunContext, executor: Executor, at_once: int) -> int:
    """Runs what is missing of a plan, `at_once` settings at a time; returns how many settings failed.

    The jobs of a setting run one after the other, and settings do not depend on each other: no number depends on when
    and where a job runs. A setting with a failed job is recorded as failed. The others go on, and the next call tries it
    again. Transferred runs need the results of their parents' searches and come after all searches. Costs are measured
    last, when nothing else runs.
    """
    runners: dict[tuple[str, str], SettingRunner] = {}

    def searches() -> Iterator[Steps]:
        """Lazy, so that training starts before all settings are prepared."""
        for setting in plan.settings:
            runner = runners[setting.label, setting.variant.name] = SettingRunner(plan, setting, context)
            yield runner.run()

    def transfers() -> Iterator[Steps]:
        for (label, variant), runner in runners.items():
            if parent := plan.parents.get(variant):
                yield runner.run_with_parent_hyperparameters(runners[label, parent])

    costs = [_measure_costs(plan.costs, plan.seed, context)] if plan.costs else []
    failures = _side_by_side(searches(), executor, at_once)
    failures += _side_by_side(transfers(), executor, at_once)
    return failures + _side_by_side(iter(costs), executor, 1)


def _side_by_side(works: Iterator[Steps], executor: Executor, at_once: int) -> int:
    """Does all of the works; returns how many failed."""
    active: dict[int, Steps] = {}
    started = failures = 0
    while True:
        while len(active) < at_once and (work := next(works, None)):
            started += 1
            active[started] = work
            failures += _go_on(active, executor, started, None)
        if not active:
            return failures
        failures += _go_on(active, executor, *executor.next_result())


def _go_on(active: dict[int, Steps], executor: Executor, key: int, result: Any) -> int:
    """Sends a job's result to its work, and submits the next job; 1 where the work has failed, else 0."""
    try:
        job = active[key].throw(result) if isinstance(result, JobFailed) else active[key].send(result)
    except StopIteration:
        del active[key]
        return 0
    except JobFailed:
        del active[key]
        return 1
    executor.submit(key, job)
    return 0


def _measure_costs(costs: Costs, seed: int, context: RunContext) -> Steps:
    """Measures costs once, and writes them to the record below a parent run of their own."""
    record, parent = context.record, costs_identity(costs, seed)
    identities = [identity({"parent": parent, "number": number}) for number in range(costs.points)]
    record.open_parent("costs", "costs", parent, {}, asdict(costs))
    if not all(each in record.finished for each in identities):
        context.callback.on_setting_start(COSTS)
        try:
            measurements = yield partial(measure, costs, seed)
        except JobFailed as error:
            record.fail_parent(parent, error.reason, error.details)
            context.callback.on_setting_failure(COSTS, error)
            raise
        finally:
            context.callback.on_setting_end(COSTS)
        for number, cost in enumerate(measurements):
            factors = {"cell": cost.cell, "view": cost.view, "row": cost.row, "hidden": cost.hidden}
            metrics = {"parameters": float(cost.parameters), "flops_per_sequence": cost.flops_per_sequence}
            history = {"seconds_per_sequence": cost.seconds_per_sequence}
            record.add(RunRecord(identities[number], "cost", number, "finished", factors, metrics, history, parent))
    record.close_parent(parent)
