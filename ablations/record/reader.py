"""Reading the record: all that MLflow holds of a study, as plain dataclasses."""

from dataclasses import replace
from typing import Any

from ablations.record.contents import Contents, contents, failure_of, setting_record, warn_of_lost_replicates
from ablations.record.long_tags import read_json
from ablations.record.migration import migrated_plan, migrated_provenance, migrated_setting, schema_version
from ablations.record.opening import open_source
from ablations.record.schema import (
    NoStore,
    NotRecorded,
    RecordError,
    RunRecord,
    StudyRecord,
    experiment_name,
    is_curve,
    is_ours,
)
from ablations.record.selection import Selection, in_order, select
from ablations.record.source import Experiment, Source, experiment_named, own_experiments

MOST_SHOWN = 8
"""Experiments that a message names."""


def read(uri: str, study: str, scale: str, curves: bool = True) -> StudyRecord:
    """The record of a study at one scale. Raises `RecordError` where there is none.

    Of an interrupted study the finished part is read. Left out is what does not belong to the study's latest plan:
    other settings, more trials and replicates than it has, and replicates of a trial that is not the best any more.
    Without `curves`, which are most of a record, the runs have no history.
    """
    try:
        source = open_source(uri)
    except NoStore as error:
        raise NotRecorded(f"nothing is recorded of study {study!r} at scale {scale!r}: {error}") from error
    experiment = _experiment(source, study, scale, uri)
    plan = _plan(experiment)
    runs = contents(source.runs(experiment.experiment_id))
    own_plan = experiment.tags["plan_identity"]
    parents = {identity: parent.run for identity, parent in runs.parents.items() if own_plan in parent.plans}
    records = [setting_record(run) for run in parents.values() if run.tags["kind"] == "setting"]
    settings = in_order(plan, (migrated_setting(record, plan) for record in records if record))
    own = [run for run in runs.ended.values() if run.setting in parents]
    chosen = select(plan, settings, own)
    warn_of_lost_replicates(parents, own, chosen.replicates)
    return StudyRecord(
        name=study,
        scale=scale,
        experiment_id=experiment.experiment_id,
        uri=uri,
        plan=plan,
        provenance=migrated_provenance(_data(experiment, "provenance")),
        settings=settings,
        **(_with_curves(source, experiment, chosen) if curves else chosen)._asdict(),
    )


def recorded_names(uri: str) -> list[str]:
    """What is recorded, as STUDY-SCALE. Raises `RecordError` where the store cannot be opened."""
    return sorted(each.name for each in own_experiments(open_source(uri)))


def ended_runs(uri: str, study: str, scale: str) -> dict[str, list[RunRecord]]:
    """The recorded runs of a study at one scale, without curves, by the identity of their parent; none is no error."""
    groups: dict[str, list[RunRecord]] = {}
    for run in _contents(uri, study, scale).ended.values():
        groups.setdefault(run.setting, []).append(run)
    return groups


def failed_settings(uri: str, study: str, scale: str) -> set[str]:
    """The identities of the settings of a study at one scale that failed when they were run last."""
    parents = _contents(uri, study, scale).parents
    return {identity for identity, parent in parents.items() if failure_of(parent.run)}


def _contents(uri: str, study: str, scale: str) -> Contents:
    """What is recorded of a study at one scale, of whatever plans; empty where nothing is."""
    try:
        source = open_source(uri)
    except NoStore:
        return contents(())
    experiment = experiment_named(source, experiment_name(study, scale), uri)
    return contents(source.runs(experiment.experiment_id) if experiment and is_ours(experiment.tags) else ())


def _experiment(source: Source, study: str, scale: str, uri: str) -> Experiment:
    experiment = experiment_named(source, experiment_name(study, scale), uri)
    if experiment and is_ours(experiment.tags) and "provenance" in experiment.tags:
        return experiment
    names = sorted(each.name for each in own_experiments(source))
    shown = [*names[:MOST_SHOWN], "…"] if len(names) > MOST_SHOWN else names
    there = f"recorded are {', '.join(shown)}" if names else "`ablate run` comes first"
    message = f"nothing is recorded of study {study!r} at scale {scale!r}; {there}"
    raise NotRecorded(message, [name.rpartition("-")[0] for name in names])


def _plan(experiment: Experiment) -> dict[str, Any]:
    version = schema_version(experiment.name, experiment.tags)
    try:
        return migrated_plan(_data(experiment, "plan"), version)
    except KeyError as error:
        raise _unreadable(experiment, "plan") from error


def _data(experiment: Experiment, tag: str) -> dict[str, Any]:
    try:
        return read_json(experiment.tags, tag)
    except ValueError as error:
        raise _unreadable(experiment, tag) from error


def _unreadable(experiment: Experiment, tag: str) -> RecordError:
    return RecordError(f"the tag {tag!r} of the experiment {experiment.name} was changed; `ablate run` writes it anew")


def _with_curves(source: Source, experiment: Experiment, chosen: Selection) -> Selection:
    """The runs, with whole curves apart from the values."""
    wanted = {run.run_id: [name for name in run.metrics if is_curve(name)] for runs in chosen for run in runs}
    curves = source.curves(experiment.experiment_id, wanted)

    def completed(run: RunRecord) -> RunRecord:
        values = {name: value for name, value in run.metrics.items() if not is_curve(name)}
        return replace(run, metrics=values, history=curves[run.run_id])

    return Selection(*(tuple(map(completed, runs)) for runs in chosen))
