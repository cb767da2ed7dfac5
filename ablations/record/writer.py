"""Writing the record: the one place that changes what MLflow holds."""

import json
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag

from ablations.record.reader import all_runs, connect
from ablations.record.schema import INTERRUPTED, NOTE, PARENT, RunRecord, SettingRecord
from ablations.record.schema import experiment_name as name_of

if TYPE_CHECKING:
    from ablations.study import Plan

MOST_METRICS = 1000  # MLflow's limit for one request
LONGEST_TAG = 8000  # MLflow's limit for a run's tag
OVER = {"finished": "FINISHED", "solved": "FINISHED", "pruned": "KILLED", "diverged": "FAILED"}


class Ended(NamedTuple):
    """How a run ended, the value of the search's objective if it has one, and the run id of its parent."""

    status: str
    objective: float | None
    parent: str


class Record:
    """The record of one study at one scale, open for writing by this process alone.

    `finished` holds, by identity, how each run ended that need not be trained again. A run is written when it is over,
    in one piece; what an earlier writer left half-written is marked as interrupted. `settings` are the identities of the
    plan's settings: of what else there is, such as those of a cell before it was edited, nothing is read.
    """

    def __init__(self, uri: str, plan: "Plan", artifacts: Path) -> None:
        self.client = connect(uri)
        self.settings = plan.identities.values()
        self.plan_identity = plan.identity
        self.experiment_id = self._experiment(name_of(plan.name, plan.scale), artifacts)
        tags = {"plan": json.dumps(plan.data), "plan_identity": plan.identity, NOTE: _note(plan)}
        for key, value in tags.items():
            self.client.set_experiment_tag(self.experiment_id, key, value)
        self._parents: dict[str, str] = {}
        self.finished: dict[str, Ended] = {}
        self._load_existing()

    def count_existing(self) -> tuple[int, int]:
        """How many runs there are of the plan's settings, and how many parent runs of others."""
        own = {self._parents[setting] for setting in self.settings if setting in self._parents}
        others = len(self._parents) - len(own)
        return sum(ended.parent in own for ended in self.finished.values()), others

    def open_setting(self, setting: SettingRecord) -> str:
        """Makes the setting's parent run, or takes up the one that is there; returns its run id."""
        data = asdict(setting)
        del data["run_id"], data["best_trial"]
        tags = {
            "task": setting.task,
            "variant": setting.variant,
            "model": setting.model,
            "causal": str(setting.causal).lower(),
            "difficulty": f"{setting.difficulty} = {setting.nominal}",
            "setting": json.dumps(data),
        }
        parameters = {"hidden": setting.hidden, "parameters": setting.parameters, **setting.task_parameters}
        return self.open_parent("setting", f"{setting.task}/{setting.variant}", setting.identity, tags, parameters)

    def open_parent(
        self, kind: str, name: str, own_identity: str, tags: Mapping[str, str], parameters: Mapping[str, Any]
    ) -> str:
        """Makes a parent run, or takes up the one of that identity, for the current plan; returns its run id."""
        if own_identity not in self._parents:
            head = {"kind": kind, "identity": own_identity, **tags}
            run = self.client.create_run(self.experiment_id, run_name=name, tags=head)
            self.client.log_batch(run.info.run_id, params=_parameters(parameters))
            self._parents[own_identity] = run.info.run_id
        self.client.set_tag(self._parents[own_identity], "plan", self.plan_identity)
        self.client.update_run(self._parents[own_identity], status="RUNNING")
        return self._parents[own_identity]

    def add(self, run: RunRecord, parent: SettingRecord | None = None) -> None:
        """Writes one run that is over below its parent, whole; a run that is there already is left as it is."""
        if run.identity in self.finished:
            return
        tags = {PARENT: self._parents[run.setting], "kind": run.kind, "identity": run.identity, "status": run.status}
        tags |= {"number": str(run.number)}
        name, parameters = f"{run.kind} {run.number}", dict(run.factors)
        if parent:
            seed = f" seed {run.factors['seed']}" if run.kind == "trial" else ""
            name = f"{parent.task}/{parent.variant} {name}{seed}"
            tags |= {"task": parent.task, "variant": parent.variant, "model": parent.model}
            parameters |= {"hidden": parent.hidden, **parent.task_parameters}
        made = self.client.create_run(self.experiment_id, run_name=name, tags=tags).info.run_id
        now = int(time.time() * 1000)
        metrics = [Metric(key, value, now, 0) for key, value in run.metrics.items()]
        metrics += [Metric(key, value, now, step) for key, curve in run.history.items() for step, value in curve]
        for start in range(0, len(metrics), MOST_METRICS):
            self.client.log_batch(made, metrics=metrics[start : start + MOST_METRICS])
        self.client.log_batch(made, params=_parameters(parameters))
        self.client.set_terminated(made, OVER[run.status])
        self.finished[run.identity] = Ended(run.status, run.metrics.get("objective"), tags[PARENT])

    def close_parent(self, own_identity: str, tags: Mapping[str, Any] | None = None) -> None:
        """Ends a parent run, with what is now known of it."""
        _annotate(self.client, self._parents[own_identity], tags or {}, {})
        self.client.set_terminated(self._parents[own_identity])

    def fail_parent(self, own_identity: str, reason: str, details: str) -> None:
        """Ends a parent run whose children could not be trained; `details` become its artifact failure.txt."""
        self.client.log_text(self._parents[own_identity], details, "failure.txt")
        _annotate(self.client, self._parents[own_identity], {"error": reason[:LONGEST_TAG]}, {})
        self.client.set_terminated(self._parents[own_identity], "FAILED")

    def set_provenance(self, provenance: Mapping[str, Any]) -> None:
        """Writes how, with what, and for how long the study has been running."""
        self.client.set_experiment_tag(self.experiment_id, "provenance", json.dumps(provenance))

    @property
    def provenance(self) -> dict[str, Any]:
        """What `set_provenance` wrote, empty at first."""
        return json.loads(self.client.get_experiment(self.experiment_id).tags.get("provenance", "{}"))

    def _experiment(self, name: str, artifacts: Path) -> str:
        found = self.client.get_experiment_by_name(name)
        if found:
            return found.experiment_id
        return self.client.create_experiment(name, (artifacts / name).absolute().as_uri())

    def _load_existing(self) -> None:
        for run in all_runs(self.client, self.experiment_id):
            own_identity, status = run.data.tags.get("identity", ""), run.data.tags.get("status")
            if PARENT not in run.data.tags:
                self._parents[own_identity] = run.info.run_id
            elif run.info.status == "RUNNING":
                self.client.set_tag(run.info.run_id, "status", INTERRUPTED)
                self.client.set_terminated(run.info.run_id, "KILLED")
            elif status != INTERRUPTED:
                objective, parent = run.data.metrics.get("objective"), run.data.tags[PARENT]
                self.finished[own_identity] = Ended(str(status), objective, parent)


def describe(
    client: MlflowClient, run_id: str, text: str, metrics: Mapping[str, float], files: Mapping[str, str]
) -> None:
    """Gives a run a description, aggregates, and text files as its artifacts."""
    _annotate(client, run_id, {NOTE: text}, metrics)
    for name, content in files.items():
        client.log_text(run_id, content, name)


def describe_experiment(client: MlflowClient, experiment_id: str, text: str) -> None:
    """Gives an experiment a description."""
    client.set_experiment_tag(experiment_id, NOTE, text)


def _annotate(client: MlflowClient, run_id: str, tags: Mapping[str, Any], metrics: Mapping[str, float]) -> None:
    now = int(time.time() * 1000)
    client.log_batch(
        run_id,
        metrics=[Metric(key, value, now, 0) for key, value in metrics.items()],
        tags=[RunTag(key, str(value)) for key, value in tags.items()],
    )


def _parameters(values: Mapping[str, Any]) -> list[Param]:
    return [Param(key, str(value)) for key, value in values.items()]


def _note(plan: "Plan") -> str:
    return f"**{plan.question}**\n\nScale {plan.scale}, baseline {plan.baseline}. " + (
        "Group the runs by the tags `task` and `variant`; filter with `tags.kind = 'setting'` for one row a setting, "
        "`tags.kind = 'replicate'` for the results behind it."
    )
