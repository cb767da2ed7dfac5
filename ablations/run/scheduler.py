"""Carrying out a study: its settings side by side, then what its cells cost."""

from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from typing import Any

from ablations.record.schema import RunRecord
from ablations.run.context import JobFailed, RunContext, Steps
from ablations.run.executors import Executor
from ablations.run.setting_runner import SettingRunner
from ablations.study import Costs, Plan
from ablations.study.identity import costs_identity, identity
from ablations.train.costs import measure


def run_plan(plan: Plan, context: RunContext, executor: Executor, at_once: int) -> int:
    """Carries out what is missing of a study, `at_once` settings at a time; returns how many of them failed.

    The jobs of a setting follow one another and settings know nothing of each other, so what runs when, and where,
    changes no number. A setting whose job fails is recorded as failed; the others go on, and the next call tries it
    again. Frozen runs come after all searches, whose results they need. Costs are measured last, when nothing else runs.
    """
    works: dict[tuple[str, str], SettingRunner] = {}

    def begun() -> Iterator[Steps]:
        """One after the other, so that the first jobs need not wait for what the last settings need."""
        for setting in plan.settings:
            work = SettingRunner(plan, setting, context)
            works[setting.label, setting.variant.name] = work
            yield work.run()

    failures = _side_by_side(begun(), executor, at_once)
    transferred = (
        work.run_with_parent_hyperparameters(works[label, parent])
        for (label, _), work in works.items()
        if (parent := plan.parents.get(work.setting.variant.name))
    )
    failures += _side_by_side(transferred, executor, at_once)
    return failures + (
        _side_by_side(iter([_cost_work(plan.costs, plan.seed, context)]), executor, 1) if plan.costs else 0
    )


def _side_by_side(works: Iterator[Steps], executor: Executor, at_once: int) -> int:
    going: dict[int, Steps] = {}
    begun = failures = 0
    while True:
        while len(going) < at_once and (work := next(works, None)):
            begun += 1
            going[begun] = work
            failures += _go_on(going, executor, begun, None)
        if not going:
            return failures
        failures += _go_on(going, executor, *executor.next_result())


def _go_on(going: dict[int, Steps], executor: Executor, key: int, result: Any) -> int:
    """Sends a job's result to the work it belongs to, and hands out the next job; 1 where the work failed, else 0."""
    try:
        if isinstance(result, Exception):
            job = going[key].throw(JobFailed(f"{type(result).__name__}: {result}"))
        else:
            job = going[key].send(result)
    except (StopIteration, JobFailed) as end:
        del going[key]
        return int(isinstance(end, JobFailed))
    executor.submit(key, job)
    return 0


def _cost_work(costs: Costs, seed: int, context: RunContext) -> Steps:
    """Measures costs once and writes them below a parent run of their own."""
    record, parent = context.record, costs_identity(costs, seed)
    identities = [identity({"parent": parent, "number": number}) for number in range(costs.points)]
    record.open_parent("costs", "costs", parent, {}, asdict(costs))
    if not all(known in record.finished for known in identities):
        context.callback.on_setting_start("costs")
        try:
            measured = yield partial(measure, costs, seed)
        except JobFailed as error:
            record.fail_parent(parent, str(error))
            context.callback.on_setting_failure("costs", error)
            raise
        finally:
            context.callback.on_setting_end("costs")
        for number, cost in enumerate(measured):
            factors = {"cell": cost.cell, "view": cost.view, "row": cost.row, "hidden": cost.hidden}
            metrics = {"parameters": float(cost.parameters), "flops_per_sequence": cost.flops_per_sequence}
            history = {"seconds_per_sequence": cost.seconds_per_sequence}
            record.add(RunRecord(identities[number], "cost", number, "finished", factors, metrics, history, parent))
    record.close_parent(parent)
