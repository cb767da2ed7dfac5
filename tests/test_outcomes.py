"""Which trial is the best, and which the pruner stops: those that can be told apart, and not before half of the budget."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import inf

import numpy as np
import pytest

from ablations.record.protocol import Ended
from ablations.run.cohort_runner import CohortState, initial_state
from ablations.run.outcomes import Outcome, best_trial, run_metrics, trial_outcome, unpromising_runs
from ablations.train.cohort import Cohort, Run

VALIDATION, SEGMENTS = 128, 9


@pytest.fixture
def after_segment(cohort: Callable[..., Cohort]) -> Callable[..., CohortState]:
    """A cohort of trials, each with its score on every search seed; NaN where that run has diverged."""
    empty = cohort(0.01)

    def make(*trials: Sequence[float]) -> CohortState:
        seeds = [(number, seed) for number, scores in enumerate(trials) for seed in range(len(scores))]
        runs = tuple(Run("trial", number, seed, 0.01, 1.0, 0.0) for number, seed in seeds)
        budget = replace(empty.budget, segments=SEGMENTS, steps=SEGMENTS, validation=VALIDATION)
        scores = [score for scores in trials for score in scores]
        return replace(
            initial_state(replace(empty, budget=budget, runs=runs)),
            curves=tuple({"validation_mixture_score": ((4, score),)} for score in scores),
            status=tuple("diverged" if np.isnan(score) else None for score in scores),
        )

    return make


def stopped(state: CohortState, segment: int = 5) -> set[int]:
    """The trials that are stopped; all of their runs are."""
    indices = unpromising_runs(state, segment)
    numbers = {state.cohort.runs[index].number for index in indices}
    assert indices == {index for index, run in enumerate(state.cohort.runs) if run.number in numbers}
    return numbers


def test_a_clearly_worse_trial_is_stopped_after_half_of_the_budget_and_not_before(
    after_segment: Callable[..., CohortState],
) -> None:
    state = after_segment([0.9, 0.85], [0.95, 0.9], [0.3, 0.2], [0.8, 0.9])
    assert [stopped(state, segment) for segment in range(1, 10)] == [set()] * 4 + [{2}] * 5


def test_a_trial_is_not_stopped_for_a_bad_seed(after_segment: Callable[..., CohortState]) -> None:
    assert not stopped(after_segment([0.9, 0.9], [0.9, 0.9], [0.9, 0.1]))
    assert not stopped(after_segment([0.9, 0.1], [0.9, 0.1], [0.2, 0.2]))  # as the others' worst seeds


def test_a_trial_is_not_stopped_for_what_a_validation_set_cannot_tell(
    after_segment: Callable[..., CohortState],
) -> None:
    margin = 2 * np.sqrt(2 * 0.25 / VALIDATION)
    assert stopped(after_segment([0.9], [0.9], [0.9 - 1.01 * margin])) == {2}
    assert not stopped(after_segment([0.9], [0.9], [0.9 - 0.99 * margin]))


def test_trials_that_differ_by_noise_alone_are_hardly_ever_stopped(
    after_segment: Callable[..., CohortState],
) -> None:
    """Runs scatter over seeds, and scores over validation sequences; the median rule stops 40 % of such trials."""
    rng = np.random.default_rng(0)
    stops = 0
    for _ in range(1000):
        skill = rng.beta(9, 1) + 0.1 * rng.standard_normal((5, 2))
        scores = rng.binomial(VALIDATION, skill.clip(0, 1)) / VALIDATION
        stops += len(stopped(after_segment(*scores)))
    assert stops < 0.01 * 5 * 1000


def test_the_better_half_of_a_round_is_never_stopped(after_segment: Callable[..., CohortState]) -> None:
    rng = np.random.default_rng(0)
    for trials in (1, 2, 3, 5, 8):
        for _ in range(50):
            scores = rng.random((trials, 2))
            best = set(np.argsort(-scores.mean(axis=1))[: (trials + 1) // 2].tolist())
            assert not stopped(after_segment(*scores)) & best


def test_the_other_seeds_of_a_diverged_trial_are_stopped(after_segment: Callable[..., CohortState]) -> None:
    assert stopped(after_segment([0.9, 0.9], [0.8, 0.9], [0.95, float("nan")])) == {2}
    assert not stopped(after_segment([0.9, float("nan")], [float("nan"), 0.9], [0.1, 0.1]))  # the median has diverged


def test_a_trial_has_the_means_of_its_seeds_and_ends_as_the_worst_of_them() -> None:
    ends = [Ended("finished", 0.5, 0.2, ""), Ended("finished", 0.7, 0.4, "")]
    outcome = trial_outcome(ends)
    assert (outcome.status, outcome.objective, outcome.loss) == ("finished", pytest.approx(0.6), pytest.approx(0.3))
    assert trial_outcome([*ends, Ended("pruned", 0.1, 1.0, "")]) == ("pruned", None, inf)
    assert trial_outcome([*ends, Ended("pruned", 0.1, 1.0, ""), Ended("diverged", None, None, "")])[0] == "diverged"


def test_the_best_has_the_highest_objective_then_the_lowest_loss_then_the_lowest_number() -> None:
    low, tied, better = Outcome("finished", 0.5, 0.0), Outcome("finished", 0.9, 0.2), Outcome("finished", 0.9, 0.1)
    assert best_trial([low, tied, tied]) == 1
    assert best_trial([low, tied, better, tied, better]) == 2
    assert best_trial([Outcome("diverged"), low, Outcome("pruned")]) == 1
    assert best_trial([Outcome("diverged"), Outcome("pruned")]) is None


def test_scores_that_differ_by_rounding_are_equal() -> None:
    scores = [np.float32(0.98) + np.float32(0.96), 2 * np.float32(0.97)]
    first, second = (float(score) / 2 + wobble for score, wobble in zip(scores, (1e-8, 0), strict=True))
    assert best_trial([Outcome("finished", first, 0.2), Outcome("finished", second, 0.1)]) == 1


def test_a_run_is_as_good_as_its_last_evaluation_and_not_as_its_best() -> None:
    scores = ((10, 0.2), (20, 0.9), (30, 0.6))
    curves = dict.fromkeys(("validation_score", "validation_mixture_score", "validation_loss", "train_loss"), scores)
    metrics = run_metrics(curves, "finished", None, 3, solved_at=0.8)
    assert (metrics["objective"], metrics["final_validation_score"], metrics["best_validation_score"]) == (
        0.6,
        0.6,
        0.9,
    )
    assert metrics["sequences_to_criterion"] == 20
