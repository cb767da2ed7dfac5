"""What follows from the numbers of a training: the run's metrics, a trial's outcome, the best trial, and which to prune."""

from collections.abc import Mapping, Sequence
from math import inf, isfinite, sqrt
from statistics import mean
from typing import TYPE_CHECKING, Any, NamedTuple

from ablations.pruners import stopped_by
from ablations.record.schema import BY_DIFFICULTY
from ablations.run.cohort_runner import CohortState
from ablations.train.evaluation import Evaluation
from ablations.train.metrics import EXPLODED, Curve

if TYPE_CHECKING:
    from ablations.record.protocol import Ended

DIGITS = 6
"""The digits to which two trials' scores are compared. What lies below is float32's rounding of equal scores."""


class Outcome(NamedTuple):
    """How a trial ended, given all its seeds; if it is finished, its mean objective and its mean validation loss."""

    status: str
    objective: float | None = None
    loss: float = inf


def run_metrics(
    curves: Mapping[str, Curve], status: str, test: Evaluation | None, nominal: int, solved_at: float
) -> dict[str, float]:
    """The single numbers of a run that is over. A trial has no `test`; `nominal` is its task's difficulty."""
    scores = curves["validation_score"]
    metrics = {"sequences": float(scores[-1][0])}
    solved = [sequences for sequences, score in scores if score >= solved_at]
    if solved:
        metrics["sequences_to_criterion"] = float(solved[0])
    if status == "diverged":
        return metrics
    metrics["best_validation_score"] = max(score for _, score in scores)
    metrics["objective"] = curves["validation_mixture_score"][-1][1]
    for name in ("validation_score", "validation_loss"):
        metrics[f"final_{name}"] = curves[name][-1][1]
    return metrics | (_test_metrics(test, nominal) if test else {})


def end_reason(curves: Mapping[str, Curve], status: str) -> str:
    """Why a run did not take its whole budget, in a sentence; empty where it did."""
    if status == "finished":
        return ""
    sequences, loss = curves["validation_loss"][-1]
    _, train_loss = curves["train_loss"][-1]
    if status == "pruned":
        return f"pruned after {sequences:,} sequences: its validation score was clearly below the median trial's"
    if not isfinite(train_loss):
        cause = "the training loss is not finite"
    elif train_loss >= EXPLODED:
        cause = f"the training loss is {train_loss:.3g}, above the limit of {EXPLODED:,.0f}"
    else:
        cause = f"the validation loss is {loss}"
    return f"diverged within {sequences:,} sequences: {cause}"


def best_replicate(ends: Mapping[int, "Ended"]) -> int | None:
    """The number of the best replicate, given how each ended: by its last validation score, then by validation loss.

    Never by a test: the test is to say how good it is. None where none is finished.
    """
    ranks = {
        number: (-round(end.score, DIGITS), inf if end.loss is None else end.loss, number)
        for number, end in ends.items()
        if end.status == "finished" and end.score is not None
    }
    return min(ranks, key=ranks.__getitem__, default=None)


def _test_metrics(test: Evaluation, nominal: int) -> dict[str, float]:
    """The single numbers of a test. Under the name of a curve by difficulty, but for its ending, is its nominal point."""
    headline = {
        name.removesuffix(BY_DIFFICULTY): dict(curve)[nominal]
        for name, curve in test.curves.items()
        if name.startswith("test_")
    }
    return {**test.values, **headline, "refusals": float(len(test.curves.get("refused_by_difficulty", ())))}


def unpromising_runs(state: CohortState, segment: int) -> set[int]:
    """The runs, by index, of the trials that are clearly worse than the median trial of their round; for the pruner.

    No trial is before half of the budget. Later one is if the score of its best seed is below that of the median trial's
    worst seed by more than two standard errors of the difference between two scores, each on `validation` sequences.
    The scores of all trials but the median one may differ by noise alone, and often do when all have solved the task.
    """
    budget = state.cohort.budget
    if 2 * segment < budget.segments:
        return set()
    scores = _latest_scores(state)
    ranked = sorted(scores.values(), key=mean, reverse=True)
    limit = min(ranked[(len(ranked) - 1) // 2]) - 2 * sqrt(2 * 0.25 / budget.validation)  # a score's variance is <= 1/4
    return {index for index, run in enumerate(state.cohort.runs) if max(scores[run.number]) < limit}


def stopped_runs(pruner: Any, state: CohortState, segment: int) -> set[int]:
    """The runs, by index, of the trials that a pruner of Optuna's stops, given by name or as an object.

    It is told a trial's mean score over its seeds after each segment; of a trial that has diverged on one, nothing more.
    """
    curves: dict[int, list[list[float]]] = {}
    for run, own, status in zip(state.cohort.runs, state.curves, state.status, strict=True):
        scores = [score for _, score in own["validation_mixture_score"]]
        curves.setdefault(run.number, []).append(scores[:-1] if status == "diverged" else scores)
    means = {number: [mean(scores) for scores in zip(*own, strict=False)] for number, own in curves.items()}
    running = {run.number for run, status in zip(state.cohort.runs, state.status, strict=True) if status is None}
    stopped = running & stopped_by(pruner, means)
    return {index for index, run in enumerate(state.cohort.runs) if run.number in stopped}


def _latest_scores(state: CohortState) -> dict[int, list[float]]:
    """trial -> its latest score on each seed; all are -inf where it has diverged on one of them, for then it is over."""
    scores: dict[int, list[float]] = {}
    for run, curves, status in zip(state.cohort.runs, state.curves, state.status, strict=True):
        score = -inf if status == "diverged" else curves["validation_mixture_score"][-1][1]
        scores.setdefault(run.number, []).append(score)
    return {number: [-inf] * len(own) if -inf in own else own for number, own in scores.items()}


def trial_outcome(ends: Sequence["Ended"]) -> Outcome:
    """How a trial ended, given how it did on each of its seeds."""
    statuses = {end.status for end in ends}
    for status in ("diverged", "pruned"):
        if status in statuses:
            return Outcome(status)
    objective = mean(end.objective for end in ends if end.objective is not None)
    return Outcome("finished", objective, mean(inf if end.loss is None else end.loss for end in ends))


def best_trial(outcomes: Sequence[Outcome]) -> int | None:
    """The number of the best trial, given the outcomes of trials 0, 1, …; None where none is finished.

    Of trials with the highest objective it is the one with the lowest loss, and of these the earliest.

    >>> best_trial([Outcome("diverged"), Outcome("finished", 1.0, 0.2), Outcome("finished", 1.0, 0.1)])
    2
    """
    ranks = {n: (-round(o.objective, DIGITS), o.loss, n) for n, o in enumerate(outcomes) if o.objective is not None}
    return min(ranks, key=ranks.__getitem__, default=None)
