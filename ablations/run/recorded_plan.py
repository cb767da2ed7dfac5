"""Whether a record is that of a plan."""

import json
from typing import Any

from ablations.record.long_tags import as_json
from ablations.record.schema import StudyRecord
from ablations.study import Plan


def differences(plan: Plan, record: StudyRecord) -> list[str]:
    """In what a plan differs from the one that was recorded last: parts of its data, or else settings whose code does."""
    planned: dict[str, Any] = json.loads(as_json(plan.data))
    parts = [part for part in planned if planned[part] != record.plan.get(part)]
    names = {setting.identity: f"{setting.task}/{setting.variant}" for setting in record.settings}
    identities = set(plan.identities.values())
    return parts or [f"the code of {name}" for identity, name in names.items() if identity not in identities]
