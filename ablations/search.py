"""The search over nuisance factors. Optuna proposes trials in rounds; this process alone asks it and tells it results."""

from collections.abc import Mapping

import optuna
from optuna.samplers import BaseSampler
from optuna.storages import BaseStorage, RDBStorage
from optuna.trial import TrialState
from scipy.stats.qmc import LatinHypercube

from ablations.errors import UserError
from ablations.samplers import Given, sampler_of
from ablations.sqlite import create_once, database_file
from ablations.study import Choice, Plan, Setting
from ablations.study.proposals import name_of
from ablations.study.seeds import generator, integer
from ablations.study.space import Space, Value, is_drawn

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
    name: the search's name in the storage. stream: the name of its random streams. setting: the one that is searched, for
    its own factors; without one the search has all of the plan's. An interrupted search goes on where it stopped: a trial
    that was asked and has no result yet is given out again.
    """

    def __init__(
        self, storage: BaseStorage, name: str, stream: str, plan: Plan, setting: Setting | None = None
    ) -> None:
        self._plan, self._stream, self._per_round = plan, stream, plan.budget.trials_per_round
        self._spaces = dict(plan.nuisance) if setting is None else plan.space_of(setting)
        self._place = {"task": setting.label, "variant": setting.variant.name} if setting else {}
        self._optuna = optuna.create_study(storage=storage, study_name=name, direction="maximize", load_if_exists=True)

    def hyperparameters(self, number: int) -> dict[str, Value]:
        """The factors of a trial that are searched and drawn; Optuna is asked if it is a new one."""
        trials = self._optuna.get_trials(deepcopy=False)
        if number < len(trials) and self._is_whole(trials[number].params):
            return dict(trials[number].params)
        self._optuna.sampler = self._sampler(number)
        # A trial that was asked by a process that died before it had drawn all of its factors draws the others now.
        is_new = number >= len(trials)
        trial = self._optuna.ask() if is_new else optuna.trial.Trial(self._optuna, trials[number]._trial_id)
        values: dict[str, Value] = dict(self._place)
        for name, space in self._spaces.items():
            if is_drawn(space, values):
                values[name] = _drawn(trial, name, space)
        return {name: values[name] for name in self._spaces if name in values}

    def _is_whole(self, values: Mapping[str, Value]) -> bool:
        """Whether every factor is drawn whose condition holds."""
        known = {**self._place, **values}
        return all(name in known for name, space in self._spaces.items() if is_drawn(space, known))

    def tell(self, number: int, objective: float | None) -> None:
        """Ends a trial with its objective; None if it was pruned or has diverged. A trial that has ended stays as it is.

        Both are told as pruned. TPE counts pruned trials among the bad ones, and would pass over failed ones: it would go
        on to propose what diverges.
        """
        state = TrialState.PRUNED if objective is None else TrialState.COMPLETE
        self._optuna.tell(number, objective, state, skip_if_finished=True)

    def proposed_by(self, number: int) -> str:
        """Where a trial's values come from: "start-up", or the sampler's name, as "tpe" or "random"."""
        return "start-up" if number < self._per_round else name_of(self._plan.sampler)

    def _sampler(self, number: int) -> BaseSampler:
        if number < self._per_round:
            return Given(first_draws(self._plan, self._per_round)[number])
        seed = integer(self._plan.seed, self._stream, "sampler", number)
        sequence = integer(self._plan.seed, self._stream, "sequence")
        is_conditional = any(space.where for space in self._spaces.values())
        return sampler_of(self._plan.sampler, seed, sequence, self._per_round, is_conditional)


def first_draws(plan: Plan, trials: int) -> list[dict[str, Value]]:
    """A Latin hypercube of `trials` draws of the nuisance factors; it depends on the plan's seed and ranges alone.

    A draw has all of the plan's factors, also those that a setting does not have or whose condition does not hold.
    """
    spaces = plan.nuisance.items()
    points = LatinHypercube(len(spaces), rng=generator(plan.seed, "first draws", trials)).random(trials)
    return [{name: space.at(u) for u, (name, space) in zip(point, spaces, strict=True)} for point in points]


def _drawn(trial: optuna.Trial, name: str, space: Space) -> Value:
    """The trial's value of a factor, drawn by the study's sampler if it has none yet."""
    if isinstance(space, Choice):
        return trial.suggest_categorical(name, space.values)
    if space.is_whole:
        return trial.suggest_int(name, int(space.low), int(space.high), log=space.log, step=int(space.step or 1))
    return trial.suggest_float(name, space.low, space.high, log=space.log, step=space.step)
