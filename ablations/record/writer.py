"""Writing the record: the one place that changes what MLflow holds."""

import logging
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablations.record.closed import closed_settings
from ablations.record.contents import contents, failure_of
from ablations.record.long_tags import LONGEST_TAG, json_tags, read_json
from ablations.record.migration import schema_version
from ablations.record.model_log import log_model
from ablations.record.opening import open_source
from ablations.record.protocol import Closed, Ended, ended, parameters_of
from ablations.record.saved_views import setting_view, study_views
from ablations.record.schema import (
    MLFLOW_STATUS,
    NOTE,
    PARENT,
    SEARCHED,
    RunRecord,
    SettingRecord,
    experiment_name,
)
from ablations.record.source import experiment_named
from ablations.record.store import (
    Metric,
    MlflowClient,
    Param,
    RunTag,
    artifact_location,
    connect,
    end_interrupted,
    set_changed_tags,
)
from ablations.record.tags import origin_tags, plan_tags, run_name, run_tags, setting_tags

if TYPE_CHECKING:
    from ablations.study import Plan

LONGEST_NOTE = 20_000  # MLflow's limit for an experiment's tag
log = logging.getLogger(__name__)


class MlflowRecorder:
    """A `Recorder` in MLflow, of one plan. Only one may be open for a record at any time: `lock.sole_writer`.

    A run is written when it has ended, in one piece; what an earlier writer left half-written is marked as interrupted.
    The artifacts of a new experiment go below the folder `artifacts`, those of an SQLite store beside it.
    """

    def __init__(self, uri: str, plan: "Plan", artifacts: Path) -> None:
        self.client = connect(uri, create=True)
        self._source = open_source(uri)
        self._plan = plan
        self.experiment_id = self._open_experiment(artifacts)
        self._parents: dict[str, str] = {}
        self.failed: set[str] = set()
        self._starts: dict[str, int] = {}  # of each parent, in milliseconds
        self._bare: set[str] = set()  # parents whose writer died before it had written their parameters
        self.finished: dict[str, Ended] = {}
        self.closed: dict[str, Closed] = {}
        self._load_existing()
        self._origin = origin_tags(self.provenance, plan.seed)

    def count_existing(self) -> tuple[int, int]:
        own = set(self._plan.identities.values())
        return sum(end.parent in own for end in self.finished.values()), len(self._parents.keys() - own)

    def open_setting(self, setting: SettingRecord) -> str:
        data = asdict(setting)
        del data["run_id"], data["best_trial"], data["failure"]
        tags = {**setting_tags(setting), **json_tags("setting", data)}
        size: dict[str, Any] = {"hidden": setting.hidden, "parameters": setting.parameters}
        if setting.has_searched_size:  # a parameter never changes: what is found is in the tags and in the description
            size = dict.fromkeys(size, SEARCHED.strip())
        parameters = {**size, **setting.task_parameters}
        name = f"{setting.task}/{setting.variant}"
        run_id = self.open_parent("setting", name, setting.identity, tags, parameters)
        self.client.set_experiment_tag(self.experiment_id, *setting_view(self._plan.data, run_id).tag(0))
        return run_id

    def open_parent(
        self, kind: str, name: str, identity: str, tags: Mapping[str, str], parameters: Mapping[str, Any]
    ) -> str:
        head = {"kind": kind, "identity": identity, "plan": self._plan.identity, **tags, **self._origin}
        if identity not in self._parents:
            info = self.client.create_run(self.experiment_id, run_name=name, tags=head).info
            self.client.log_batch(info.run_id, params=_parameters(parameters))
            self._parents[identity], self._starts[identity] = info.run_id, info.start_time
        else:
            self._annotate(self._parents[identity], head)
            if identity in self._bare:
                self.client.log_batch(self._parents[identity], params=_parameters(parameters))
                self._bare.remove(identity)
            self.client.update_run(self._parents[identity], status="RUNNING")
        return self._parents[identity]

    def add(self, run: RunRecord, parent: SettingRecord | None = None, model: Path | None = None) -> None:
        if run.identity in self.finished:
            return
        end, own = _now(), ended(run)
        tags = {PARENT: self._parents[run.setting], **run_tags(run, parent), **self._origin}
        start = end - _milliseconds(own.seconds)  # what MLflow shows as its duration is its time of training
        name = run_name(run, parent)
        run_id = self.client.create_run(self.experiment_id, start_time=start, run_name=name, tags=tags).info.run_id
        # The client splits this into requests of as many metrics and parameters as MLflow takes.
        self.client.log_batch(run_id, metrics=_metrics(run), params=_parameters(parameters_of(run, parent)))
        if model and parent:
            log_model(self.client, self.experiment_id, run_id, f"{parent.task}-{parent.variant}", model)
        self.client.set_terminated(run_id, MLFLOW_STATUS[run.status], end_time=end)
        self.finished[run.identity] = own

    def close_parent(self, identity: str, tags: Mapping[str, Any] | None = None) -> None:
        self._annotate(self._parents[identity], tags or {})
        if identity in self.failed:
            for tag in ("reason", "error"):  # the second up to version 2 of the schema
                _delete_tag(self.client, self._parents[identity], tag)
            self.failed.remove(identity)
        self._end_parent(identity, "FINISHED")

    def fail_parent(self, identity: str, reason: str, details: str = "") -> None:
        run_id = self._parents[identity]
        self._annotate(run_id, {"reason": reason[:LONGEST_TAG]})
        self.failed.add(identity)
        if details:
            self.client.log_text(run_id, details, "failure.txt")
        self._end_parent(identity, "FAILED")

    def _end_parent(self, identity: str, status: str) -> None:
        """Ends a parent run. Its duration is the time of training of all runs below it."""
        seconds = sum(end.seconds for end in self.finished.values() if end.parent == identity)
        end = self._starts[identity] + _milliseconds(seconds)
        self.client.set_terminated(self._parents[identity], status, end_time=end)

    def set_provenance(self, provenance: Mapping[str, Any]) -> None:
        self._origin = origin_tags(provenance, self._plan.seed)
        for key, value in json_tags("provenance", provenance).items():
            self.client.set_experiment_tag(self.experiment_id, key, value)

    @property
    def provenance(self) -> dict[str, Any]:
        tags = self.client.get_experiment(self.experiment_id).tags
        try:
            return read_json(tags, "provenance") if "provenance" in tags else {}
        except ValueError as error:
            log.warning("%s: its times are counted anew", error)
            return {}

    def _open_experiment(self, artifacts: Path) -> str:
        """The plan's experiment, created where it is missing, with the plan as its tags."""
        plan, uri = self._plan, self.client.tracking_uri
        name = experiment_name(plan.name, plan.scale)
        experiment = experiment_named(self._source, name, uri)
        if experiment:
            schema_version(name, experiment.tags)  # what a later version wrote is left alone
            experiment_id, existing = experiment.experiment_id, experiment.tags
        else:
            experiment_id = self.client.create_experiment(name, artifact_location(uri, name, artifacts))
            existing = {}
        views = dict(view.tag(place) for place, view in enumerate(study_views(plan.data)))
        set_changed_tags(self.client, experiment_id, existing, {NOTE: _note(plan), **views, **plan_tags(plan)})
        return experiment_id

    def _load_existing(self) -> None:
        existing = contents(self._source.runs(self.experiment_id))
        end_interrupted(self.client, (run.run_id for run in existing.unfinished))
        for identity, parent in existing.parents.items():
            self._parents[identity], self._starts[identity] = parent.run.run_id, parent.run.start_time
            if failure_of(parent.run):
                self.failed.add(identity)
            if not parent.run.params:
                self._bare.add(identity)
        self.closed = closed_settings(existing, self._plan.identity)
        self.finished.update({identity: ended(run) for identity, run in existing.ended.items()})

    def _annotate(self, run_id: str, tags: Mapping[str, Any]) -> None:
        _annotate(self.client, run_id, tags, {})


def _now() -> int:
    return _milliseconds(time.time())


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _delete_tag(client: MlflowClient, run_id: str, tag: str) -> None:
    """Deletes a tag of a run, if there is one."""
    if tag in client.get_run(run_id).data.tags:
        client.delete_tag(run_id, tag)


def _metrics(run: RunRecord) -> list[Metric]:
    now = _now()
    curves = [Metric(key, value, now, step) for key, curve in run.history.items() for step, value in curve]
    return [Metric(key, value, now, 0) for key, value in run.metrics.items()] + curves


def _parameters(values: Mapping[str, Any]) -> list[Param]:
    return [Param(key, str(value)) for key, value in values.items()]


def describe(
    client: MlflowClient, run_id: str, text: str, metrics: Mapping[str, float], files: Mapping[str, str]
) -> None:
    """Gives a run a description, aggregates, and text files as its artifacts."""
    _annotate(client, run_id, {NOTE: text}, metrics)
    _outdo_later_values(client, run_id, metrics)
    for name, content in files.items():
        client.log_text(run_id, content, name)


def _outdo_later_values(client: MlflowClient, run_id: str, metrics: Mapping[str, float]) -> None:
    """MLflow shows the value of the latest time: where the clock was set back, that is not the one of now."""
    shown = client.get_run(run_id).data.metrics
    for name in [name for name, value in metrics.items() if shown[name] != value]:
        latest = max(metric.timestamp for metric in client.get_metric_history(run_id, name))
        client.log_metric(run_id, name, metrics[name], timestamp=latest + 1, step=0)


def describe_experiment(client: MlflowClient, experiment_id: str, text: str) -> None:
    """Gives an experiment a description."""
    client.set_experiment_tag(experiment_id, NOTE, text[:LONGEST_NOTE])


def _annotate(client: MlflowClient, run_id: str, tags: Mapping[str, Any], metrics: Mapping[str, float]) -> None:
    now = _now()
    client.log_batch(
        run_id,
        metrics=[Metric(key, value, now, 0) for key, value in metrics.items()],
        tags=[RunTag(key, str(value)) for key, value in tags.items()],
    )


def _note(plan: "Plan") -> str:
    return f"**{plan.question}**\n\nScale {plan.scale}, baseline {plan.baseline}. " + (
        "The button *Views* has the networks of each task, best first, their replicates, what the search tried, and what "
        "failed or diverged. `ablate report` writes what was found."
    )
