"""What of a plan is a user's own is tried out before anything is trained: cells when a file is loaded, the rest here."""

from collections.abc import Mapping

from ablations.models import MODELS
from ablations.models.variant import Variant
from ablations.study.model_check import check_model
from ablations.study.own import failure, is_built_in, own_tasks
from ablations.study.plan import Plan
from ablations.study.task_check import check_task
from ablations.study.task_fields import check_fields
from tasks import TASKS, Task

TYPICAL = 3000
"""A number of parameters at which a model is tried out that no study gives one."""


def check_plan(plan: Plan) -> None:
    """Raises `UserError`, in one line, where a task or a model of a user's own cannot be what its author meant.

    And `DataError` where a file of a built-in task is missing: not after hours of the other tasks.
    """
    own = own_tasks(plan.tasks)
    for label, task in plan.tasks.items():
        if label in own:
            check_task(label, task)
        else:
            task.references()
    for variant in plan.variants:
        if is_built_in(MODELS[variant.model]):
            continue
        for label, task in plan.tasks.items():
            if variant.name in plan.variants_of[label]:
                check_model(variant, label, task, plan.budget.parameters)


def check_contents(own: Mapping[str, list[str]]) -> None:
    """As `check_plan`, of the tasks and models that a file without a study defines, given as kind -> names."""
    for name in own["task"]:
        task = _with_defaults(name)
        check_fields(name, task)
        check_task(name, task)
    for name in own["model"]:
        check_model(Variant(name, name), "adding", TASKS["adding"](), TYPICAL)


def _with_defaults(name: str) -> Task:
    try:
        return TASKS[name]()
    except Exception as error:  # whatever the author's code does
        raise failure(f"the task {name!r} cannot be made without parameters", TASKS[name], error) from error
