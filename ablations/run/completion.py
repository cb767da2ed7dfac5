"""Whether anything is left to do of a plan, told without opening its stores for writing: that imports MLflow."""

from ablations.record.closed import Closure, closure
from ablations.run.recorded_setting import RecordedSetting
from ablations.study import Plan
from ablations.study.identity import cost_identities, costs_identity


def is_complete(plan: Plan, uri: str) -> bool:
    """Whether a database file has all of a plan. False where that is not sure: a session does then what is missing."""
    record = closure(plan, uri)
    if record is None or len(record.finished) < plan.runs:
        return False
    return _has_costs(plan, record) and _has_settings(plan, record)


def _has_costs(plan: Plan, record: Closure) -> bool:
    if plan.costs is None:
        return True
    is_over = costs_identity(plan.costs, plan.seed) in record.over
    return is_over and record.finished.keys() >= set(cost_identities(plan.costs, plan.seed))


def _has_settings(plan: Plan, record: Closure) -> bool:
    settings = {(each.label, each.variant.name): RecordedSetting(plan, each, record) for each in plan.settings}
    best = {place: setting.recorded_best() for place, setting in settings.items()}
    if None in best.values():
        return False
    for (label, variant), setting in settings.items():
        source = best.get((label, plan.parents.get(variant, "")))
        if source and not setting.has(setting.replicates("transferred", source[1])):
            return False
    return True
