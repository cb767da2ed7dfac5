"""Reading the record: all that MLflow holds of a study, as plain dataclasses."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from ablations.record.contents import contents, setting_record
from ablations.record.long_tags import read_json
from ablations.record.migration import migrated_plan, migrated_setting, schema_version
from ablations.record.schema import CURVES, RecordError, RunRecord, StudyRecord, experiment_name, is_ours
from ablations.record.selection import in_order, select
from ablations.record.store import Experiment, MlflowClient, NoStore, all_runs, connect, experiment_named
from ablations.train.metrics import Curve


def read(uri: str, study: str, scale: str) -> StudyRecord:
    """The record of a study at one scale. Raises `RecordError` where there is none.

    Of an interrupted study the finished part is read. Left out is what does not belong to the study's latest plan:
    other settings, more trials and replicates than it has, and replicates of a trial that is not the best any more.
    """
    try:
        client = connect(uri)
    except NoStore as error:
        raise RecordError(f"nothing is recorded of study {study!r} at scale {scale!r}: {error}") from error
    experiment = _experiment(client, study, scale)
    plan = _plan(experiment)
    runs = contents(all_runs(client, experiment.experiment_id))
    own_plan = experiment.tags["plan_identity"]
    parents = {identity: parent.run for identity, parent in runs.parents.items() if own_plan in parent.plans}
    records = [setting_record(run) for run in parents.values() if run.data.tags["kind"] == "setting"]
    settings = in_order(plan, (migrated_setting(record, plan) for record in records if record))
    chosen = select(plan, settings, (run for run in runs.ended.values() if run.setting in parents))
    return StudyRecord(
        name=study,
        scale=scale,
        experiment_id=experiment.experiment_id,
        uri=uri,
        plan=plan,
        provenance=_data(experiment, "provenance"),
        settings=settings,
        **{kind: _with_curves(client, records) for kind, records in chosen._asdict().items()},
    )


def _experiment(client: MlflowClient, study: str, scale: str) -> Experiment:
    experiment = experiment_named(client, experiment_name(study, scale))
    if experiment and is_ours(experiment.tags) and "provenance" in experiment.tags:
        return experiment
    names = sorted(each.name for each in client.search_experiments() if is_ours(each.tags))
    there = f"recorded are {', '.join(names)}" if names else "`ablate run` comes first"
    raise RecordError(f"nothing is recorded of study {study!r} at scale {scale!r}; {there}")


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


def _with_curves(client: MlflowClient, runs: Iterable[RunRecord]) -> tuple[RunRecord, ...]:
    """The runs, with whole curves apart from the values."""
    return tuple(
        replace(
            run,
            metrics={name: value for name, value in run.metrics.items() if name not in CURVES},
            history={name: _curve(client, run.run_id, name) for name in run.metrics if name in CURVES},
        )
        for run in runs
    )


def _curve(client: MlflowClient, run_id: str, name: str) -> Curve:
    points = client.get_metric_history(run_id, name)
    return tuple(sorted((point.step, point.value) for point in points))
