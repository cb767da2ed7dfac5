"""The search over nuisance factors. Optuna proposes trials in rounds; this process alone asks it and tells it results."""

import logging
from collections.abc import Sequence
from itertools import count, takewhile

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.storages import BaseStorage, RDBStorage
from optuna.trial import FrozenTrial, TrialState, create_trial
from scipy.stats.qmc import LatinHypercube

from ablations.errors import UserError
from ablations.sqlite import create_once, database_file
from ablations.study import Plan, Range
from ablations.study.seeds import generator, integer

optuna.logging.set_verbosity(optuna.logging.WARNING)
log = logging.getLogger(__name__)


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
    it stopped: a trial that was asked and has no result yet is given out again. Trials of the storage that cannot be those
    of this search are dropped with all that follow them, and asked and told again.
    """

    def __init__(self, storage: BaseStorage, name: str, stream: str, plan: Plan) -> None:
        self._storage, self._name, self._stream = storage, name, stream
        self._plan, self._per_round = plan, plan.budget.trials_per_round
        self._distributions = {name: _distribution(range_) for name, range_ in plan.nuisance.items()}
        self._optuna = self._open()
        trials = self._optuna.get_trials()
        sound = [trial for trial, _ in takewhile(self._is_sound, zip(trials, count(), strict=False))]
        if len(sound) < len(trials):
            log.warning("the search of %s goes on from trial %d: what follows is not whole", stream, len(sound))
            self._rewrite(sound)

    def hyperparameters(self, number: int) -> dict[str, float]:
        """The hyperparameters of a trial; the sampler is asked if it is a new one."""
        trials = self._optuna.get_trials(deepcopy=False)
        if number < len(trials):
            return dict(trials[number].params)
        params = self._draw(number, trials)
        # All of a trial at once: `ask` writes one thing after the other, and a crash would leave a trial without parameters.
        self._optuna.add_trial(create_trial(state=TrialState.RUNNING, params=params, distributions=self._distributions))
        return params

    def tell(self, number: int, objective: float | None) -> None:
        """Ends a trial with its objective; None if it was pruned or has diverged. What the storage had before is replaced.

        Both are told as pruned. TPE counts pruned trials among the bad ones, and would pass over failed ones: it would go
        on to propose what diverges.
        """
        state = TrialState.PRUNED if objective is None else TrialState.COMPLETE
        trials = self._optuna.get_trials()
        trial = trials[number]
        if trial.state == TrialState.RUNNING:
            self._optuna.tell(number, objective, state)
        elif (trial.state, trial.value) != (state, objective):
            log.warning("the search of %s had another result of trial %d than the record", self._stream, number)
            trials[number] = create_trial(
                state=state, value=objective, params=trial.params, distributions=trial.distributions
            )
            self._rewrite(trials)

    def proposed_by(self, number: int) -> str:
        """Where a trial's values come from: "start-up", or the sampler's name, "tpe" or "random"."""
        return "start-up" if number < self._per_round else self._plan.sampler

    def _open(self) -> optuna.Study:
        return optuna.create_study(
            storage=self._storage, study_name=self._name, direction="maximize", load_if_exists=True
        )

    def _is_sound(self, numbered: tuple[FrozenTrial, int]) -> bool:
        """Whether a trial is this search's: in its place, with all parameters, and waiting for a result or ended with one."""
        trial, number = numbered
        has_result = trial.state == TrialState.COMPLETE and trial.value is not None
        is_known = has_result or trial.state in (TrialState.RUNNING, TrialState.PRUNED)
        return is_known and trial.number == number and trial.distributions == self._distributions

    def _rewrite(self, trials: Sequence[FrozenTrial]) -> None:
        """Replaces the search in the storage. A crash on the way costs nothing: what is missing is asked and told again."""
        optuna.delete_study(study_name=self._name, storage=self._storage)
        self._optuna = self._open()
        self._optuna.add_trials(trials)

    def _draw(self, number: int, trials: Sequence[FrozenTrial]) -> dict[str, float]:
        """The values of a new trial, after these."""
        if number < self._per_round:
            return first_draws(self._plan, self._per_round)[number]
        memory = optuna.create_study(direction="maximize", sampler=self._sampler(number))
        memory.add_trials(trials)
        return dict(memory.ask(fixed_distributions=self._distributions).params)

    def _sampler(self, number: int) -> BaseSampler:
        seed = integer(self._plan.seed, self._stream, "sampler", number)
        if self._plan.sampler == "random":
            return optuna.samplers.RandomSampler(seed=seed)
        # The liar counts the trials of the same round, which have no result yet, as bad: so they do not bunch together.
        return optuna.samplers.TPESampler(
            seed=seed, n_startup_trials=self._per_round, multivariate=True, constant_liar=True
        )


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
