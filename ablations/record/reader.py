"""Reading the record: all that MLflow holds of a study, as plain dataclasses."""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from ablations.errors import UserError
from ablations.record.schema import (
    CURVES,
    INTERRUPTED,
    PARENT,
    Kind,
    RunRecord,
    SettingRecord,
    StudyRecord,
    experiment_name,
)
from ablations.train.metrics import Curve

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run


class RecordError(UserError):
    """What was asked for is not in the record, or the record cannot be opened."""


def connect(uri: str) -> "MlflowClient":
    """An MLflow client on that tracking URI. Raises `RecordError` where there is no such store."""
    for noisy in ("mlflow", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    try:
        client = MlflowClient(tracking_uri=uri)
        client.search_experiments(max_results=1)
    except (MlflowException, OSError) as error:
        raise RecordError(f"cannot open the MLflow store {uri}: {str(error).splitlines()[0]}") from error
    return client


def all_runs(client: "MlflowClient", experiment_id: str) -> "Iterator[Run]":
    """Every run of an experiment in the order they were made, page by page."""
    token = None
    while True:
        page = client.search_runs([experiment_id], max_results=1000, order_by=["start_time ASC"], page_token=token)
        yield from page
        if not (token := page.token):
            return


def read(uri: str, study: str, scale: str) -> StudyRecord:
    """The record of a study at one scale. Raises `RecordError` where there is none.

    Of an interrupted study the finished part is read. Left out is what does not belong to the study's latest plan:
    other settings, more trials and replicates than it has, and replicates of a trial that is not the best any more.
    """
    client = connect(uri)
    experiment = client.get_experiment_by_name(experiment_name(study, scale))
    if experiment is None or "provenance" not in experiment.tags:
        known = [found.name for found in client.search_experiments() if "provenance" in found.tags]
        there = f"recorded are {', '.join(sorted(known))}" if known else "`ablate run` comes first"
        raise RecordError(f"nothing is recorded of study {study!r} at scale {scale!r}; {there}")
    plan = json.loads(experiment.tags["plan"])
    runs = list(all_runs(client, experiment.experiment_id))
    current = [run for run in runs if run.data.tags.get("plan") == experiment.tags["plan_identity"]]
    parents = {run.info.run_id: run for run in current}
    settings = [_setting(run) for run in current if run.data.tags["kind"] == "setting"]
    best = {setting.identity: setting.best_trial for setting in settings}
    by_name = {(setting.task, setting.variant): setting.best_trial for setting in settings}
    parents_best = {s.identity: by_name.get((s.task, s.parent or "")) for s in settings}
    children = [_run(client, run, parents[run.data.tags[PARENT]]) for run in runs if _complete_child(run, parents)]
    return StudyRecord(
        name=study,
        scale=scale,
        experiment_id=experiment.experiment_id,
        uri=uri,
        plan=plan,
        provenance=json.loads(experiment.tags["provenance"]),
        settings=tuple(sorted(settings, key=_in_order_of(plan))),
        trials=tuple(r for r in children if r.kind == "trial" and r.number < plan["budget"]["trials"]),
        replicates=tuple(
            r
            for r in children
            if r.kind == "replicate"
            and r.factors["trial"] == best[r.setting]
            and r.number < plan["budget"]["replicates"]
        ),
        costs=tuple(run for run in children if run.kind == "cost"),
        transferred=tuple(
            r
            for r in children
            if r.kind == "transferred"
            and r.factors["trial"] == parents_best.get(r.setting)
            and r.number < plan["budget"]["replicates"]
        ),
    )


def _complete_child(run: "Run", parents: "Mapping[str, Run]") -> bool:
    is_over = run.info.status != "RUNNING" and run.data.tags.get("status") != INTERRUPTED
    return is_over and run.data.tags.get(PARENT) in parents


def _in_order_of(plan: Mapping[str, Any]) -> Callable[[SettingRecord], tuple[int, int]]:
    tasks, variants = list(plan["tasks"]), list(plan["variants"])
    return lambda setting: (tasks.index(setting.task), variants.index(setting.variant))


def _setting(run: "Run") -> SettingRecord:
    tags = run.data.tags
    best = tags.get("best_trial")
    return SettingRecord(
        run_id=run.info.run_id, best_trial=None if best is None else int(best), **json.loads(tags["setting"])
    )


def _run(client: "MlflowClient", run: "Run", parent: "Run") -> RunRecord:
    tags, metrics = run.data.tags, run.data.metrics
    curves = {name: _curve(client, run.info.run_id, name) for name in metrics if name in CURVES}
    return RunRecord(
        identity=tags["identity"],
        kind=cast(Kind, tags["kind"]),
        number=int(tags["number"]),
        status=tags["status"],
        factors={name: _number_or_text(value) for name, value in run.data.params.items()},
        metrics={name: value for name, value in metrics.items() if name not in CURVES},
        history=curves,
        setting=parent.data.tags["identity"],
        run_id=run.info.run_id,
    )


def _curve(client: "MlflowClient", run_id: str, name: str) -> Curve:
    points = client.get_metric_history(run_id, name)
    return tuple(sorted((point.step, point.value) for point in points))


def _number_or_text(value: str) -> float | str:
    try:
        return float(value)
    except ValueError:
        return value
