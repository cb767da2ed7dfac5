"""The record: what MLflow holds of a study, and the only thing that reports read.

An MLflow experiment is a study at one scale; a parent run is a setting (or the study's cost measurements); a child run
is one trial, replicate or cost measurement. There are two levels only. Nothing here needs torch, so that a report can
be rebuilt on a machine that has only the record.
"""

import json
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Iterator, Literal

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

Kind = Literal["trial", "replicate", "cost"]
Curve = tuple[tuple[int, float], ...]
"""A metric's history: (step, value) pairs in step order. What a step is depends on the metric, see `METRICS`."""

METRICS: Mapping[str, str] = {
    "score": "validation score; step = sequences seen",
    "loss": "validation loss; step = sequences seen",
    "train_loss": "mean training loss of the segment that ends here; step = sequences seen",
    "test_score": "score on the replicate's own test stream; step = difficulty",
    "test_loss": "loss on the replicate's own test stream; step = difficulty",
    "refused": "1 where the model refused sequences that long; step = difficulty",
    "gradient_initial": "mean norm of d loss / d input before training; step = distance in steps from the answer",
    "gradient_trained": "the same after training",
    "seconds_per_sequence": "one timed round of training; step = round",
    "final_score": "test score at the nominal difficulty (trial: last validation score)",
    "final_loss": "test loss at the nominal difficulty (trial: last validation loss)",
    "best_score": "best validation score seen",
    "sequences": "training sequences seen",
    "sequences_to_criterion": "sequences seen when the validation score first reached the criterion; absent if never",
    "seconds": "the run's share of its cohort's training time",
    "parameters": "number of parameters, frozen ones included",
    "flops_per_sequence": "floating point operations of the matrix products, forward and backward, one sequence",
}
"""Every metric that the record holds, with its meaning and what its step counts."""

TAG_LIMIT = 5000
PAGE = 1000


@dataclass(frozen=True)
class SettingRecord:
    """A setting as the record holds it: one combination of (task with parameters) and variant.

    `references` are the task's exact scores ("chance", "perfect" = 1, perhaps "causal", …), `equations` the typeset
    equations of the variant's cell (each with "name", "latex", "mathml", "typst"), empty where there is no cell.
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
    best_trial: int | None = None


@dataclass(frozen=True)
class RunRecord:
    """A trial, replicate or cost measurement. `number` is the trial's number, the replicate's seed index, or a counter.

    `status` is "finished" (full budget), "solved" (stopped early at the criterion), "pruned", "diverged" or "failed".
    A replicate's `factors` hold the hyperparameters of its setting's best trial and that trial's number as `trial`; a
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
    versions, command, started, wall_seconds, cores and device. Replicates are those of each setting's best trial.
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
