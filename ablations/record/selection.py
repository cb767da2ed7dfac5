"""Which of a record's settings and runs belong to a plan."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ablations.record.schema import RunRecord, SettingRecord

Runs = tuple[RunRecord, ...]


class Selection(NamedTuple):
    """The runs that belong to a plan, by kind."""

    trials: Runs
    replicates: Runs
    costs: Runs
    transferred: Runs


def select(plan: Mapping[str, Any], settings: Sequence[SettingRecord], runs: Iterable[RunRecord]) -> Selection:
    """The runs of a plan, given its settings and all runs below them and below its measurement of costs.

    Left out are more trials and replicates than the plan has, and replicates of a trial that is no longer the best. Each
    number of a setting counts once on each seed, whatever the identities say that a person may have edited.
    """
    best = {setting.identity: setting.best_trial for setting in settings}
    by_name = {(setting.task, setting.variant): setting.best_trial for setting in settings}
    parents_best = {s.identity: by_name.get((s.task, s.parent or "")) for s in settings}
    kinds: dict[str, list[RunRecord]] = {"trial": [], "replicate": [], "transferred": [], "cost": []}
    places = set()
    for run in runs:
        if _place(run) not in places:
            places.add(_place(run))
            kinds[run.kind].append(run)
    trials, replicates = plan["budget"]["trials"], plan["budget"]["replicates"]
    return Selection(
        trials=tuple(run for run in kinds["trial"] if run.number < trials),
        replicates=_replicates(kinds["replicate"], replicates, best),
        costs=tuple(kinds["cost"]),
        transferred=_replicates(kinds["transferred"], replicates, parents_best),
    )


def _place(run: RunRecord) -> tuple[object, ...]:
    """What can be there once: a run of a setting with that number, on that seed, of that trial."""
    return run.setting, run.kind, run.number, run.factors.get("seed"), run.factors.get("trial")


def in_order(plan: Mapping[str, Any], settings: Iterable[SettingRecord]) -> tuple[SettingRecord, ...]:
    """The settings in the order of the plan's tasks, then variants; without those that it does not have."""
    tasks, variants = list(plan["tasks"]), list(plan["variants"])
    own = [setting for setting in settings if setting.task in tasks and setting.variant in variants]
    return tuple(sorted(own, key=lambda setting: (tasks.index(setting.task), variants.index(setting.variant))))


def _replicates(runs: Sequence[RunRecord], number: int, best: Mapping[str, int | None]) -> Runs:
    """The first so many replicates of the best trial of their setting."""
    chosen = [run for run in runs if run.number < number and best.get(run.setting) is not None]
    return tuple(run for run in chosen if run.factors.get("trial") == best[run.setting])
