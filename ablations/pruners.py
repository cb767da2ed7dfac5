"""Optuna's pruners, asked about trials that train side by side.

Trials of a round have equally many results. A pruner is asked about each as if the others had just ended with theirs, and
what it says depends on these results alone: not on when or where a trial was trained.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

import optuna
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner
from optuna.trial import Trial, TrialState

PRUNERS: Mapping[str, BasePruner] = {
    "median": MedianPruner(n_startup_trials=2),
    "hyperband": HyperbandPruner(),
    "none": NopPruner(),
}
"""Optuna's pruners by name, beside the project's own."""


def stopped_by(pruner: Any, curves: Mapping[int, Sequence[float]]) -> set[int]:
    """The trials that a pruner, given by name or as an object, stops now; curves: trial -> its score after each segment."""
    own = PRUNERS[pruner] if isinstance(pruner, str) else pruner
    return {number for number, scores in curves.items() if scores and _is_stopped(deepcopy(own), curves, number)}


def _is_stopped(pruner: BasePruner, curves: Mapping[int, Sequence[float]], number: int) -> bool:
    """The answer about one trial, asked after the others. Results are told one by one: some pruners keep what they saw."""
    study = optuna.create_study(study_name="round", direction="maximize", pruner=pruner)
    trials = {each: study.ask() for each in sorted(curves)}
    last = len(curves[number]) - 1
    for step in range(last + 1):
        for each, trial in trials.items():
            if step < len(curves[each]):
                trial.report(curves[each][step], step + 1)
        for each, trial in trials.items():
            if step < last or each != number:  # whose answer comes last is asked below
                trial.should_prune()
    for each, trial in trials.items():
        if each != number:
            _end(study, trial, curves[each])
    return trials[number].should_prune()


def _end(study: optuna.Study, trial: Trial, scores: Sequence[float]) -> None:
    study.tell(trial, scores[-1] if scores else None, TrialState.COMPLETE if scores else TrialState.FAIL)
