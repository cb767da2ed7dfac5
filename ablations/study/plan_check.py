"""What of a plan is a user's own is tried out before anything is trained: cells when a file is loaded, the rest here."""

from ablations.models import MODELS
from ablations.study.model_check import check_model
from ablations.study.own import is_built_in, own_tasks
from ablations.study.plan import Plan
from ablations.study.task_check import check_task


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
