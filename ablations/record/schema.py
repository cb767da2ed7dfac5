"""The record: what MLflow holds of a study, and the only thing that reports read.

An MLflow experiment is a study at one scale; a parent run is a setting (or the study's cost measurements); a child run
is one trial, replicate or cost measurement. There are two levels only. Nothing here needs torch, so that a report can
be rebuilt on a machine that has only the record.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from ablations.errors import UserError
from ablations.train.metrics import Curve

SCHEMA_VERSION = "3"
"""The version of what is described here; an experiment's tag `schema_version` names it. Version 1 had no such tag."""

Kind = Literal["trial", "replicate", "transferred", "cost"]
KINDS: tuple[Kind, ...] = get_args(Kind)
ONE_BY_ONE = "one by one"
"""The factor `trained` of a run whose network torch cannot compute for all runs at once."""
MLFLOW_STATUS: Mapping[str, str] = {
    "finished": "FINISHED",
    "pruned": "KILLED",
    "diverged": "FAILED",
    "failed": "FAILED",
}
"""How a run can end, and the status that MLflow shows for it."""

BY_DIFFICULTY = "_by_difficulty"
"""How the names of curves by difficulty end. Without that, a test's curve is named as its point at the nominal difficulty."""

CURVES: Mapping[str, str] = {
    "validation_score": "validation score at the nominal difficulty; step = sequences seen",
    "validation_loss": "validation loss at the nominal difficulty; step = sequences seen",
    "validation_mixture_score": "validation score over the mixture of difficulties that is trained on; step = sequences seen",
    "train_loss": "mean training loss of the segment that ends here; step = sequences seen",
    "test_score_by_difficulty": "score on the replicate's own test stream; step = difficulty",
    "test_loss_by_difficulty": "loss on the replicate's own test stream; step = difficulty",
    "test_exact_match_by_difficulty": "share of written answers that are right in every symbol there; step = difficulty",
    "far_test_score_by_difficulty": "score on a few test sequences far beyond training; step = difficulty",
    "refused_by_difficulty": "1 where the model refused sequences that long; step = difficulty",
    "gradient_initial": "mean norm of d loss / d input before training; step = distance in steps from the answer",
    "gradient_trained": "the same after training",
    "seconds_per_sequence": "one timed round of training; step = round",
}
"""The metrics that are curves, with what their steps count. Further scores of a user's task end in `BY_DIFFICULTY` too."""

VALUES: Mapping[str, str] = {
    "test_score": "score at the nominal difficulty on the replicate's own test stream: the headline; a trial has none",
    "test_loss": "the loss there",
    "test_exact_match": "share of written answers that are right in every symbol there; absent where none are written",
    "final_validation_score": "the last validation score at the nominal difficulty",
    "final_validation_loss": "the last validation loss there",
    "best_validation_score": "the best validation score there that was seen",
    "refusals": "the number of difficulties whose sequences the model refused",
    "objective": "the last validation score over the mixture of difficulties: what the search maximises",
    "sequences": "training sequences seen",
    "sequences_to_criterion": "sequences seen when the validation score first reached `solved_at`; absent if never (censored)",
    "gradient_at_cue_initial": "mean norm of d loss / d input at the step of the cue, before training; absent without a cue",
    "gradient_at_cue_trained": "the same after training",
    "cue_distance": "mean number of steps between the cue and the answer; absent without a cue",
    "attention_aligned": "share of written symbols whose largest weight lies on what determines them in the source",
    "attention_chance": "the same of weights that lie anywhere in the source",
    "attention_permuted": "the same where each pair has the weights of another pair",
    "seconds": "the run's share of its cohort's training time",
    "parameters": "number of parameters, frozen ones included",
    "flops_per_sequence": "operations of the matrix products, forward and backward, one of the longest sequences",
}
"""The metrics that are single numbers."""

MECHANISMS: Mapping[str, str] = {
    "attention": "the weights on each source character while one answer is written: source, answer, weights",
    "reading": "the answer to two sentences that come in word by word: steps, asked, answers, classes, probabilities, known",
    "memory": "gates and memory over one sequence: steps, roles, quantities, state, units",
}
"""What a replicate did inside, on a few sequences: each in a tag of that name, as JSON of up to a few kB."""

ATTENTION_PAIRS = 256
"""The number of test pairs over which a replicate's attention is scored; a test compares it with that of the training."""


SEARCHED = " searched"
"""How the `size_rule` of a setting ends whose trials each have a size of their own."""


@dataclass(frozen=True)
class SettingRecord:
    """A setting as the record holds it: one combination of (task with parameters) and variant.

    `references` are the task's exact scores ("chance", "perfect" = 1, perhaps "causal", …), `equations` the typeset
    equations of the variant's cell (each with "name", "text", "mathml", "typst"), empty where there is no cell.
    An ablation has the name of its `parent`, and the `change` in which it differs from that. `size_rule` says how the
    hidden size was chosen ("3,000 parameters", "hidden size of lstm"); a variant that is another one at another size
    has that one's name as its `base`. `rule` says what the task asks, and `example` has one of its sequences.
    `failure` is the first line of the reason where a job of the setting failed.
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
    size_rule: str = ""
    base: str | None = None
    best_trial: int | None = None
    failure: str | None = None
    rule: str = ""
    example: str = ""

    @property
    def has_searched_size(self) -> bool:
        """Whether `hidden` and `parameters` are no more than where the search begins: each trial has a size of its own."""
        return self.size_rule.endswith(SEARCHED)


@dataclass(frozen=True)
class RunRecord:
    """A trial, replicate, transferred run or cost measurement. `number` is the trial's number, the seed index, or a counter.

    `status` is "finished" (full budget), "pruned", "diverged" or "failed".
    A trial's `factors` hold its hyperparameters and `proposed_by`: "start-up" (the first round), or the sampler, "tpe" or
    "random". A replicate's `factors` hold the hyperparameters of its setting's best trial and that trial's number as `trial`, a
    transferred run's those of its parent's; `backend` is that by which its cells were computed, "kernel" or "eager", and
    `trained` is `ONE_BY_ONE` where its network could not be computed together with those of other runs. A cost's hold
    `cell`, `view` ("equal hidden size" or "equal parameters") and `hidden`. `metrics` are the values of single-valued
    metrics, `history` the curves. `reason` says why the run did not take its whole budget. `mechanisms` has what a replicate
    did inside by the names of `MECHANISMS`; what is in each stands in `ablations.record.mechanisms`.
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
    mechanisms: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True)
class StudyRecord:
    """Everything the record holds of one study at one scale; `plan` and `provenance` are plain JSON data.

    `plan` has question, baseline, tasks, variants, settings (the variants of each task), parents, runs (of a setting of each
    variant), nuisance, fixed, budget, solved_at and seed; `provenance` has commit, versions, command, started,
    wall_seconds, cores, device, changes, and, if the study has a file, study_file with its path, study_source with its
    text and study_commit with the commit of the repository that it is in, or "unknown". Replicates are those of each
    setting's best trial, and transferred runs those with the hyperparameters of its parent's.
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
    transferred: tuple[RunRecord, ...] = ()

    @property
    def has_runs(self) -> bool:
        """Whether a single run is recorded; the plan always is."""
        return bool(self.trials or self.replicates or self.transferred or self.costs)


PARENT = "mlflow.parentRunId"
NOTE = "mlflow.note.content"
INTERRUPTED = "interrupted"
"""The status of a run whose writer died before it had written all of it; such runs are never read."""


class RecordError(UserError):
    """What was asked for is not in the record, or the record cannot be opened."""


class NoStore(RecordError):
    """There is no database file at a tracking URI."""


class NotRecorded(RecordError):
    """Nothing is recorded of a study at a scale. `studies` are the names of those that are."""

    def __init__(self, message: str, studies: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.studies = studies


def experiment_name(study: str, scale: str) -> str:
    """The MLflow experiment that holds a study at one scale."""
    return f"{study}-{scale}"


def is_curve(metric: str) -> bool:
    """True where a metric is a curve and no single number."""
    return metric in CURVES or metric.endswith(BY_DIFFICULTY)


def is_ours(tags: Mapping[str, str]) -> bool:
    """True where the tags are those of an experiment that this project wrote."""
    return "plan" in tags and "plan_identity" in tags
