"""What the record keeps of a setting and of a run, as it is written."""

from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from inspect import getdoc

import numpy as np

from ablations.models import Cell
from ablations.models.backends import backend_of
from ablations.models.equations import equations
from ablations.models.sizes import count_parameters
from ablations.record.schema import ONE_BY_ONE, SEARCHED, RunRecord, SettingRecord
from ablations.run.cohort_runner import CohortState
from ablations.run.outcomes import end_reason, run_metrics
from ablations.study import Plan, Setting
from ablations.study.factors import SIZES
from ablations.study.identity import identity
from ablations.study.space import HYPERPARAMETERS
from ablations.train.cohort import Run
from ablations.train.evaluation import Evaluation
from ablations.train.stackability import is_stackable
from tasks import Task


def setting_entry(plan: Plan, setting: Setting) -> SettingRecord:
    """What the record keeps of a setting, before anything of it is trained."""
    task, variant = setting.task, setting.variant
    return SettingRecord(
        run_id="",
        identity=plan.identities[setting.name],
        task=setting.label,
        task_parameters=task.parameters,
        difficulty=task.difficulty,
        nominal=task.nominal,
        references=task.references(),
        loss_references=task.loss_references(),
        variant=variant.name,
        model=variant.model,
        causal=variant.causal,
        hidden=setting.size,
        parameters=_parameters(setting),
        equations=[] if variant.cell is None else _equations(variant.cell),
        parent=variant.parent,
        change=variant.change,
        size_rule=_size_rule(plan, setting),
        base=variant.base,
        rule=(getdoc(task) or "").partition("\n")[0],
        example=_example(task),
    )


def run_identity(setting: SettingRecord, run: Run) -> str:
    """A run's identity, which follows from its setting's."""
    return identity({"setting": setting.identity, **asdict(run)})


def run_entry(
    setting: SettingRecord,
    state: CohortState,
    index: int,
    test: Evaluation | None,
    solved_at: float,
    factors: Mapping[str, float | str],
) -> RunRecord:
    """What the record keeps of a run of a cohort that has ended; `factors` are further ones than the run's own."""
    run, status = state.cohort.runs[index], state.status[index]
    assert status is not None
    curves = {**state.curves[index], **(test.curves if test else {})}
    return RunRecord(
        identity=run_identity(setting, run),
        kind=run.kind,
        number=run.number,
        status=status,
        factors={
            **{key: getattr(run, key) for key in (*HYPERPARAMETERS, "seed")},
            **{name: value if isinstance(value, int | float | str) else str(value) for name, value in run.factors},
            "hidden": state.cohort.setting.size,
            **_way(state.cohort.setting),
            **factors,
        },
        metrics={
            **run_metrics(curves, status, test, setting.nominal, solved_at),
            "seconds": state.seconds[index],
            "parameters": float(_parameters(state.cohort.setting)),
        },
        history=curves,
        mechanisms=test.mechanisms if test else {},
        setting=setting.identity,
        reason=end_reason(curves, status),
    )


def _way(setting: Setting) -> dict[str, float | str]:
    """How a setting's cell is computed, and whether its runs are trained one by one."""
    cell = setting.variant.cell
    backend: dict[str, float | str] = {} if cell is None else {"backend": backend_of(cell)}
    is_stacked = is_stackable(setting.variant, setting.task.spec, setting.size)
    return backend if is_stacked else {**backend, "trained": ONE_BY_ONE}


def _example(task: Task) -> str:
    """One of a task's sequences; nothing where it fails, which its jobs will say."""
    try:
        return task.read(task.sample(np.random.default_rng(0), 1), 0)
    except Exception:
        return ""


@cache
def _equations(cell: type[Cell]) -> list[dict[str, str]]:
    return [asdict(equation) for equation in equations(cell)]


def _size_rule(plan: Plan, setting: Setting) -> str:
    searched = [name for name in SIZES if name in plan.space_of(setting)]
    return f"{searched[0]}{SEARCHED}" if searched else str(setting.variant.size_rule(plan.budget.parameters))


def _parameters(setting: Setting) -> int:
    return count_parameters(setting.variant, setting.task.spec, setting.size)
