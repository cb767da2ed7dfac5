"""What follows from the numbers of a training: the run's metrics, a trial's outcome, and which runs to prune."""

from collections.abc import Mapping, Sequence
from statistics import mean
from typing import TYPE_CHECKING

from ablations.run.cohort_runner import CohortState
from ablations.search import Search
from ablations.train.evaluation import Evaluation
from ablations.train.metrics import Curve

if TYPE_CHECKING:
    from ablations.record.protocol import Ended


def run_metrics(
    curves: Mapping[str, Curve], status: str, test: Evaluation | None, nominal: int, solved_at: float
) -> dict[str, float]:
    """The single numbers of a run that is over. A trial has no `test`; `nominal` is its task's difficulty."""
    metrics = {"sequences": float(curves["score"][-1][0])}
    solved = [sequences for sequences, score in curves["score"] if score >= solved_at]
    if solved:
        metrics["sequences_to_criterion"] = float(solved[0])
    if status == "diverged":
        return metrics
    metrics["best_score"] = max(score for _, score in curves["score"])
    metrics["objective"] = curves["mixed_score"][-1][1]
    metrics["final_score"], metrics["final_loss"] = (curves[name][-1][1] for name in ("score", "loss"))
    if test:
        metrics["flops_per_sequence"] = test.flops_per_sequence
        metrics |= test.gradient_at_cue
        metrics["final_score"] = dict(test.curves["test_score"])[nominal]
        metrics["final_loss"] = dict(test.curves["test_loss"])[nominal]
    return metrics


def unpromising_runs(search: Search, state: CohortState, segment: int) -> set[int]:
    """The runs, by index, of the trials that the pruner stops; it compares each trial's mean score over its seeds."""
    numbers = [run.number for run in state.cohort.runs]
    active = sorted({numbers[index] for index in state.active})
    latest = [curves["mixed_score"][-1][1] for curves in state.curves]
    means = [mean(score for number, score in zip(numbers, latest, strict=True) if number == each) for each in active]
    stops = search.prune(active, means, segment)
    pruned = {number for number, stop in zip(active, stops, strict=True) if stop}
    return {index for index, number in enumerate(numbers) if number in pruned}


def trial_outcome(ends: Sequence["Ended"]) -> tuple[str, float | None]:
    """How a trial ended, given how it did on each of its seeds, and the mean of its objective."""
    statuses = {end.status for end in ends}
    for status in ("diverged", "pruned"):
        if status in statuses:
            return status, None
    return "finished", mean(end.objective for end in ends if end.objective is not None)
