"""Records of earlier schema versions, read as if they were of this one. Nothing is written.

Version 1 had no tag `schema_version`, and other names: `criterion`, `group`, the kind "frozen", the parameter `path`, and a
status "solved", which runs of version 2 had at first. Runs are recognised by these, since an experiment of version 1 that is
carried on keeps its old runs.
Early records of version 2 had every variant on every task, and no size but the budget's.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ablations.record.schema import SCHEMA_VERSION, RecordError, SettingRecord

READABLE = ("1", SCHEMA_VERSION)
PLAN = (
    "name", "scale", "question", "baseline", "tasks", "variants", "settings", "parents", "runs", "nuisance", "fixed", "budget",
    "solved_at", "seed",
)  # fmt: skip
"""What a plan's data has, in every version once it is migrated."""


def schema_version(name: str, tags: Mapping[str, str]) -> str:
    """The schema version of an experiment, given its name and tags. Raises `RecordError` where it is unknown here."""
    version = tags.get("schema_version", "1")
    if version not in READABLE:
        raise RecordError(
            f"the record {name} has schema version {version!r}; this version of ablate reads {' and '.join(READABLE)}"
        )
    return version


def migrated_plan(plan: Mapping[str, Any], version: str) -> dict[str, Any]:
    """A plan's data with the names of this version. Raises KeyError where something is missing."""
    if version == "1":
        plan = _migrated_from_1(plan)
    plan = {"settings": {task: list(plan["variants"]) for task in plan["tasks"]}, **plan}
    missing = [key for key in PLAN if key not in plan]
    if missing:
        raise KeyError(*missing)
    return dict(plan)


def _migrated_from_1(plan: Mapping[str, Any]) -> dict[str, Any]:
    budget = _renamed(plan["budget"], {"group": "trials_per_round"})
    plan = {"parents": {}, **_renamed(plan, {"criterion": "solved_at"}), "budget": budget}
    searched, again = budget["trials"] * budget["search_seeds"], budget["replicates"]
    runs = {name: searched + again * (1 + (name in plan["parents"])) for name in plan["variants"]}
    return {"runs": runs, **plan}


def migrated_provenance(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """Provenance with the names of this version."""
    return _renamed(provenance, {"budget_changes": "changes"})


def migrated_setting(setting: SettingRecord, plan: Mapping[str, Any]) -> SettingRecord:
    """A setting with its size rule: that of the plan's budget where none was recorded."""
    return setting if setting.size_rule else replace(setting, size_rule=f"{plan['budget']['parameters']:,} parameters")


def migrated_kind(kind: str) -> str:
    """A run's kind by its name of this version."""
    return "transferred" if kind == "frozen" else kind


def migrated_status(status: str) -> str:
    """A run's status by its name of this version. A run that was "solved" had stopped at the validation score `solved_at`."""
    return "finished" if status == "solved" else status


def migrated_factors(factors: Mapping[str, float | str]) -> dict[str, float | str]:
    """A run's factors with the names of this version."""
    backend = {"kernel": "kernel", "reference": "eager"}.get(str(factors.get("path")))
    if backend is None or "backend" in factors:
        return dict(factors)
    return {**{key: value for key, value in factors.items() if key != "path"}, "backend": backend}


def _renamed(data: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(key, key): value for key, value in data.items()}
