"""The record: what MLflow holds of a study, and the only thing that reports read.

An MLflow experiment is a study at one scale; a parent run is a setting (or the study's cost measurements); a child run
is one trial, replicate or cost measurement. There are two levels only. Nothing here needs torch, so that a report can
be rebuilt on a machine that has only the record.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, cast

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

Kind = Literal["trial", "replicate", "frozen", "cost"]
Curve = tuple[tuple[int, float], ...]
"""A metric's history: (step, value) pairs in step order. What a step is depends on the metric, see `CURVES`."""

CURVES: Mapping[str, str] = {
    "score": "validation score at the nominal difficulty; step = sequences seen",
    "loss": "validation loss at the nominal difficulty; step = sequences seen",
    "mixed_score": "validation score over the mixture of difficulties that is trained on; step = sequences seen",
    "train_loss": "mean training loss of the segment that ends here; step = sequences seen",
    "test_score": "score on the replicate's own test stream; step = difficulty",
    "test_loss": "loss on the replicate's own test stream; step = difficulty",
    "refused": "1 where the model refused sequences that long; step = difficulty",
    "gradient_initial": "mean norm of d loss / d input before training; step = distance in steps from the answer",
    "gradient_trained": "the same after training",
    "seconds_per_sequence": "one timed round of training; step = round",
}
"""The metrics that are curves, with what their steps count."""

VALUES: Mapping[str, str] = {
    "final_score": "test score at the nominal difficulty (of a trial: its last validation score)",
    "final_loss": "test loss at the nominal difficulty (of a trial: its last validation loss)",
    "best_score": "best validation score seen",
    "objective": "the last validation score over the mixture of difficulties: what the search maximises",
    "sequences": "training sequences seen",
    "sequences_to_criterion": "sequences seen when the validation score first reached the criterion; absent if never",
    "seconds": "the run's share of its cohort's training time",
    "parameters": "number of parameters, frozen ones included",
    "flops_per_sequence": "floating point operations of the matrix products, forward and backward, one sequence",
}
"""The metrics that are single numbers."""


@dataclass(frozen=True)
class SettingRecord:
    """A setting as the record holds it: one combination of (task with parameters) and variant.

    `references` are the task's exact scores ("chance", "perfect" = 1, perhaps "causal", …), `equations` the typeset
    equations of the variant's cell (each with "name", "text", "latex", "mathml", "typst"), empty where there is no cell.
    An ablation has the name of its `parent`, and the `change` in which it differs from that.
    """

    run_id: str
    identity: str
    task: str
    task_parameters: Mapping[str, float | str]
    difficulty: str
    nominal: int
    references: Mapping[str, float]
    loss_references: Mapping[str, float]
    variant: str
    model: str
    causal: bool
    hidden: int
    parameters: int
    equations: Sequence[Mapping[str, str]] = ()
    parent: str | None = None
    change: str = ""
    best_trial: int | None = None


@dataclass(frozen=True)
class RunRecord:
    """A trial, replicate, frozen run or cost measurement. `number` is the trial's number, the seed index, or a counter.

    `status` is "finished" (full budget), "solved" (stopped early at the criterion), "pruned", "diverged" or "failed".
    A replicate's `factors` hold the hyperparameters of its setting's best trial and that trial's number as `trial`, a
    frozen run's those of its parent's; `path` is that by which its cells were computed, "kernel" or "reference". A
    cost's hold `cell`, `view` ("equal hidden size" or "equal parameters") and `hidden`. `metrics` are the values of
    single-valued metrics, `history` the curves.
    """

    identity: str
    kind: Kind
    number: int
    status: str
    factors: Mapping[str, float | str]
    metrics: Mapping[str, float]
    history: Mapping[str, Curve] = field(default_factory=dict)
    setting: str = ""
    run_id: str = ""


@dataclass(frozen=True)
class StudyRecord:
    """Everything the record holds of one study at one scale; `plan` and `provenance` are plain JSON data.

    `plan` has question, baseline, tasks, variants, nuisance, fixed, budget, criterion and seed; `provenance` has commit,
    versions, command, started, wall_seconds, cores and device. Replicates are those of each setting's best trial, and
    frozen runs those with the hyperparameters of its parent's.
    """

    name: str
    scale: str
    experiment_id: str
    uri: str
    plan: Mapping[str, Any]
    provenance: Mapping[str, Any]
    settings: tuple[SettingRecord, ...]
    trials: tuple[RunRecord, ...]
    replicates: tuple[RunRecord, ...]
    costs: tuple[RunRecord, ...] = ()
    frozen: tuple[RunRecord, ...] = ()


class RecordError(ValueError):
    """What was asked for is not in the record, or the record cannot be opened."""


PARENT = "mlflow.parentRunId"
NOTE = "mlflow.note.content"
INTERRUPTED = "interrupted"
"""The status of a run whose writer died before it had written all of it; such runs are never read."""


def experiment_name(study: str, scale: str) -> str:
    """The MLflow experiment that holds a study at one scale."""
    return f"{study}-{scale}"


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
        frozen=tuple(
            r
            for r in children
            if r.kind == "frozen"
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
