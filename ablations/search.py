"""The search over nuisance factors. Optuna proposes trials in rounds; this process alone asks it and tells it results."""

from collections.abc import Mapping
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.storages import BaseStorage, RDBStorage
from optuna.trial import TrialState
from scipy.stats.qmc import LatinHypercube

from ablations.errors import UserError
from ablations.sqlite import create_once, database_file
from ablations.study import Plan, Range
from ablations.study.seeds import generator, integer

optuna.logging.set_verbosity(optuna.logging.WARNING)


def storage_at(url: str) -> RDBStorage:
    """Opens an Optuna storage; a database file that is missing is created. Raises `UserError` where that is impossible."""
    file = database_file(url)
    try:
        if file:
            create_once(file, lambda new: RDBStorage(new).engine.dispose())
        return RDBStorage(url)
    except Exception as error:
        raise UserError(f"cannot open the Optuna storage {url}: {str(error).splitlines()[0]}") from error


class Search:
    """The search of one setting. Trial n is a deterministic function of n and of the results of earlier rounds.

    The first round is a Latin hypercube, the same for all settings of the study. All settings so try the same values, and
    each tries every part of the ranges. With independent draws, a few trials would compare the luck of the draws. The
    sampler proposes all later rounds.
    name: the search's name in the storage. stream: the name of its random streams. An interrupted search goes on where
    it stopped: a trial that was asked and has no result yet is given out again.
    """

    def __init__(self, storage: BaseStorage, name: str, stream: str, plan: Plan) -> None:
        self._plan, self._stream, self._per_round = plan, stream, plan.budget.trials_per_round
        self._optuna = optuna.create_study(storage=storage, study_name=name, direction="maximize", load_if_exists=True)

    def hyperparameters(self, number: int) -> dict[str, float]:
        """The hyperparameters of a trial; Optuna is asked if it is a new one."""
        trials = self._optuna.get_trials(deepcopy=False)
        if number < len(trials):
            return dict(trials[number].params)
        self._optuna.sampler = self._sampler(number)
        distributions = {name: _distribution(range_) for name, range_ in self._plan.nuisance.items()}
        return dict(self._optuna.ask(fixed_distributions=distributions).params)

    def tell(self, number: int, objective: float | None) -> None:
        """Ends a trial with its objective; None if it was pruned or has diverged. A trial that has ended stays as it is.

        Both are told as pruned. TPE counts pruned trials among the bad ones, and would pass over failed ones: it would go
        on to propose what diverges.
        """
        state = TrialState.PRUNED if objective is None else TrialState.COMPLETE
        self._optuna.tell(number, objective, state, skip_if_finished=True)

    def proposed_by(self, number: int) -> str:
        """Where a trial's values come from: "start-up", or the sampler's name, "tpe" or "random"."""
        return "start-up" if number < self._per_round else self._plan.sampler

    def _sampler(self, number: int) -> BaseSampler:
        if number < self._per_round:
            return _Given(first_draws(self._plan, self._per_round)[number])
        seed = integer(self._plan.seed, self._stream, "sampler", number)
        if self._plan.sampler == "random":
            return optuna.samplers.RandomSampler(seed=seed)
        # The liar counts the trials of the same round, which have no result yet, as bad: so they do not bunch together.
        return optuna.samplers.TPESampler(
            seed=seed, n_startup_trials=self._per_round, multivariate=True, constant_liar=True
        )


class _Given(BaseSampler):
    """A sampler that returns given values."""

    def __init__(self, values: Mapping[str, float]) -> None:
        self._values = values

    def infer_relative_search_space(self, study: Any, trial: Any) -> dict[str, BaseDistribution]:
        return {}

    def sample_relative(self, study: Any, trial: Any, search_space: Any) -> dict[str, float]:
        return {}

    def sample_independent(self, study: Any, trial: Any, param_name: str, param_distribution: Any) -> float:
        return self._values[param_name]


def first_draws(plan: Plan, trials: int) -> list[dict[str, float]]:
    """A Latin hypercube of `trials` draws of the nuisance factors; it depends on the plan's seed and ranges alone."""
    ranges = plan.nuisance.items()
    points = LatinHypercube(len(ranges), rng=generator(plan.seed, "first draws", trials)).random(trials)
    return [{name: _scaled(u, range_) for u, (name, range_) in zip(point, ranges, strict=True)} for point in points]


def _scaled(share: float, range_: Range) -> float:
    """The value at a share of a range: 0 is its low end, 1 its high end."""
    if range_.log:
        return float(range_.low * (range_.high / range_.low) ** share)
    return float(range_.low + share * (range_.high - range_.low))


def _distribution(range_: Range) -> BaseDistribution:
    return optuna.distributions.FloatDistribution(range_.low, range_.high, log=range_.log)
