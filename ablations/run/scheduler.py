"""Running a plan: its settings side by side, then the measurement of costs."""

from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from typing import Any

from ablations.record.schema import RunRecord
from ablations.run.context import COSTS, RunContext, Steps
from ablations.run.control import Control, TimeLimitReached
from ablations.run.executors import Executor
from ablations.run.jobs import JobFailed
from ablations.run.setting_runner import SettingRunner
from ablations.study import Costs, Plan
from ablations.study.identity import cost_identities, costs_identity
from ablations.train.costs import measure


def run_plan(plan: Plan, context: RunContext, executor: Executor, at_once: int, control: Control | None = None) -> int:
    """Runs what is missing of a plan, `at_once` settings at a time; returns how many settings failed.

    With a `control`, of the settings that it chooses, and as long as it lets jobs start. Raises `TimeLimitReached` where
    something is left when it does not any more; the jobs that run are then waited for, and what they did is kept.

    The jobs of a setting run one after the other, and settings do not depend on each other: no number depends on when
    and where a job runs. A setting with a failed job is recorded as failed. The others go on, and the next call tries it
    again. Transferred runs need the results of their parents' searches and come after all searches. Costs are measured
    last, when nothing else runs.
    """
    control = control or Control()
    chosen = control.chosen(plan, frozenset(context.record.failed))  # before any of them fails or is mended
    runners: dict[tuple[str, str], SettingRunner] = {}

    def searches() -> Iterator[Steps]:
        """Lazy, so that training starts before all settings are prepared."""
        for setting in chosen:
            runner = runners[setting.label, setting.variant.name] = SettingRunner(plan, setting, context)
            yield runner.run()

    def transfers() -> Iterator[Steps]:
        by_place = {(setting.label, setting.variant.name): setting for setting in plan.settings}
        for (label, variant), runner in runners.items():
            if parent := plan.parents.get(variant):
                place = label, parent
                yield runner.run_with_parent_hyperparameters(
                    runners.get(place) or SettingRunner(plan, by_place[place], context)
                )

    costs = [_measure_costs(plan.costs, plan.seed, context)] if plan.costs and not control.is_partial else []
    failures = _SideBySide(searches(), executor, at_once, control).run()
    failures += _SideBySide(transfers(), executor, at_once, control).run()
    return failures + _SideBySide(iter(costs), executor, 1, control).run()


class _SideBySide:
    """Does works side by side, `at_once` of them at a time, as long as `control` lets jobs start."""

    def __init__(self, works: Iterator[Steps], executor: Executor, at_once: int, control: Control) -> None:
        self._works, self._executor, self._at_once, self._control = works, executor, at_once, control
        self._active: dict[int, Steps] = {}
        self._started = self._failures = 0
        self._is_stopped = False

    def run(self) -> int:
        """Returns how many works failed. Raises `TimeLimitReached` where one was stopped, after the jobs that ran then."""
        while True:
            while len(self._active) < self._at_once and not self._is_stopped and (work := next(self._works, None)):
                self._started += 1
                self._active[self._started] = work
                self._go_on(self._started, None)
            if not self._active:
                break
            self._go_on(*self._executor.next_result())
        if self._is_stopped:
            raise TimeLimitReached
        return self._failures

    def _go_on(self, key: int, result: Any) -> None:
        """Sends a job's result to its work, and submits the next job."""
        work = self._active[key]
        try:
            job = work.throw(result) if isinstance(result, JobFailed) else work.send(result)
        except StopIteration:
            del self._active[key]
        except JobFailed:
            del self._active[key]
            self._failures += 1
        else:
            if self._control.may_start():
                self._executor.submit(key, job)
            else:
                self._is_stopped = True
                self._active.pop(key).close()


def _measure_costs(costs: Costs, seed: int, context: RunContext) -> Steps:
    """Measures costs once, and writes them to the record below a parent run of their own."""
    record, parent = context.record, costs_identity(costs, seed)
    identities = cost_identities(costs, seed)
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
