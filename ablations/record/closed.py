"""What of a record is over: the settings that the next session of the same plan need not open, or all of it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from ablations.record.contents import Contents, Parent, contents, setting_record
from ablations.record.opening import open_source
from ablations.record.protocol import Closed, Ended, ended
from ablations.record.schema import NoStore, RunRecord, SettingRecord, experiment_name
from ablations.record.source import experiment_named
from ablations.record.tags import plan_tags
from ablations.sqlite import database_file

if TYPE_CHECKING:
    from ablations.study import Plan


class Closure(NamedTuple):
    """What a record has of a plan; `over` are the identities of the plan's parents that ended."""

    finished: Mapping[str, Ended]
    closed: Mapping[str, Closed]
    over: frozenset[str]


def closure(plan: "Plan", uri: str) -> Closure | None:
    """What a database file has of a plan, if it was last written for this very plan, and by nobody who was killed.

    None for other stores: to ask a server takes longer than to start workers.
    """
    if database_file(uri) is None:
        return None
    try:
        source = open_source(uri)
    except NoStore:
        return None
    experiment = experiment_named(source, experiment_name(plan.name, plan.scale), uri)
    if experiment is None or not plan_tags(plan).items() <= experiment.tags.items():
        return None
    found = contents(source.runs(experiment.experiment_id))
    if found.unfinished:
        return None
    parents = {identity: each for identity, each in found.parents.items() if plan.identity in each.plans}
    over = frozenset(identity for identity, each in parents.items() if each.run.status == "FINISHED")
    finished = {identity: ended(run) for identity, run in found.ended.items()}
    return Closure(finished, closed_settings(found, plan.identity), over)


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
