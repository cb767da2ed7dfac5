"""Which settings of a record are over: those that the next session of the same plan need not open."""

from collections.abc import Mapping
from dataclasses import replace

from ablations.record.contents import Contents, Parent, setting_record
from ablations.record.protocol import Closed
from ablations.record.schema import RunRecord, SettingRecord


def closed_settings(contents: Contents, plan: str) -> dict[str, Closed]:
    """The settings, by identity, that ended with a best trial as part of the plan of that identity."""
    trials: dict[str, dict[tuple[int, float | str | None], Mapping[str, float | str]]] = {}
    for run in contents.ended.values():
        if run.kind == "trial":
            trials.setdefault(run.setting, {})[_place(run)] = run.factors
    closed = {}
    for identity, parent in contents.parents.items():
        if (setting := _ended_setting(parent, plan)) and setting.best_trial is not None:
            own = replace(setting, run_id="", best_trial=None)
            closed[identity] = Closed(own, setting.best_trial, trials.get(identity, {}))
    return closed


def _ended_setting(parent: Parent, plan: str) -> SettingRecord | None:
    tags = parent.run.tags
    is_over = parent.run.status == "FINISHED" and tags.get("plan") == plan and tags.get("kind") == "setting"
    return setting_record(parent.run) if is_over and "best_trial" in tags else None


def _place(run: RunRecord) -> tuple[int, float | str | None]:
    return run.number, run.factors.get("seed")
