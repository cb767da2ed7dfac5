"""The search over nuisance factors. Optuna proposes trials in rounds; this process alone asks it and tells it results."""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial, wraps
from itertools import count, takewhile
from typing import Concatenate, ParamSpec, TypeVar

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.storages import BaseStorage, InMemoryStorage, RDBStorage
from optuna.trial import BaseTrial, FixedTrial, FrozenTrial, TrialState, create_trial

from ablations.errors import UserError
from ablations.outages import check_database, connection_options, driver_url, is_on_server, ride_out
from ablations.samplers import Given, sampler_of
from ablations.sqlite import create_once, database_file
from ablations.study import Choice, Plan, Setting
from ablations.study.proposals import name_of
from ablations.study.seeds import generator, integer
from ablations.study.space import Space, Value, is_drawn

optuna.logging.set_verbosity(optuna.logging.WARNING)
log = logging.getLogger(__name__)

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

NOTES = "ablations:notes"
"""The name, among a trial's attributes, of what the sampler had noted of the whole study."""


def storage_at(url: str) -> RDBStorage:
    """Opens an Optuna storage; a database file that is missing is created. Raises `UserError` where that is impossible."""
    url, file = driver_url(url), database_file(url)
    check_database("the Optuna storage", url)
    try:
        if file:
            create_once(file, lambda new: RDBStorage(new).engine.dispose())
        return RDBStorage(url, connection_options(url) if is_on_server(url) else None)
    except Exception as error:
        raise UserError(f"cannot open the Optuna storage {url}: {str(error).splitlines()[0]}") from error


def _patient(
    method: Callable[Concatenate["Search", Arguments], Result],
) -> Callable[Concatenate["Search", Arguments], Result]:
    """Such a method does the same when it is called again: what was written in an outage is not written twice."""

    @wraps(method)
    def call(search: "Search", /, *arguments: Arguments.args, **more: Arguments.kwargs) -> Result:
        work = partial(method, search, *arguments, **more)
        url = getattr(search._storage, "url", "")
        return ride_out(f"the Optuna storage {url}", work) if is_on_server(url) else work()

    return call


class Search:
    """The search of one setting. Trial n is a deterministic function of n and of the results of earlier rounds.

    The first round is a Latin hypercube, the same for all settings of the study. All settings so try the same values, and
    each tries every part of the ranges. With independent draws, a few trials would compare the luck of the draws. The
    sampler proposes all later rounds.
    name: the search's name in the storage. stream: the name of its random streams. setting: the one that is searched, for
    its own factors; without one the search has all of the plan's. An interrupted search goes on where it stopped: a trial
    that was asked and has no result yet is given out again. Trials of the storage that cannot be those of this search are
    dropped with all that follow them, and asked and told again.
    """

    def __init__(
        self, storage: BaseStorage, name: str, stream: str, plan: Plan, setting: Setting | None = None
    ) -> None:
        self._storage, self._name, self._stream = storage, name, stream
        self._plan, self._per_round = plan, plan.budget.trials_per_round
        self._spaces = dict(plan.nuisance) if setting is None else plan.space_of(setting)
        self._place: dict[str, Value] = {"task": setting.label, "variant": setting.variant.name} if setting else {}
        self._distributions = {name: _distribution(name, space) for name, space in self._spaces.items()}
        self._optuna = self._open()
        self._drop_unsound()

    @_patient
    def _drop_unsound(self) -> None:
        trials = self._optuna.get_trials()
        sound = [trial for trial, _ in takewhile(self._is_sound, zip(trials, count(), strict=False))]
        if len(sound) < len(trials):
            log.warning("the search of %s goes on from trial %d: what follows is not whole", self._stream, len(sound))
            self._rewrite(sound)

    @_patient
    def hyperparameters(self, number: int) -> dict[str, Value]:
        """The factors of a trial that are searched and drawn; the sampler is asked if it is a new one."""
        trials = self._optuna.get_trials(deepcopy=False)
        if number < len(trials):
            return self._in_order(trials[number].params)
        trial = self._draw(number, trials)
        # All of a trial at once: `ask` writes one thing after the other, and a crash would leave a trial without parameters.
        self._optuna.add_trial(trial)
        return self._in_order(trial.params)

    @_patient
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
                state=state,
                value=objective,
                params=trial.params,
                distributions=trial.distributions,
                system_attrs=trial.system_attrs,
            )
            self._rewrite(trials)

    def proposed_by(self, number: int) -> str:
        """Where a trial's values come from: "start-up", or the sampler's name, as "tpe" or "random"."""
        return "start-up" if number < self._per_round else name_of(self._plan.sampler)

    @_patient
    def _open(self) -> optuna.Study:
        return optuna.create_study(
            storage=self._storage, study_name=self._name, direction="maximize", load_if_exists=True
        )

    def _in_order(self, values: Mapping[str, Value]) -> dict[str, Value]:
        return {name: values[name] for name in self._spaces if name in values}

    def _is_sound(self, numbered: tuple[FrozenTrial, int]) -> bool:
        """Whether a trial is this search's: in its place, with all factors, and waiting for a result or ended with one."""
        trial, number = numbered
        has_result = trial.state == TrialState.COMPLETE and trial.value is not None
        is_known = has_result or trial.state in (TrialState.RUNNING, TrialState.PRUNED)
        known = {**self._place, **trial.params}
        drawn = {name: self._distributions[name] for name, space in self._spaces.items() if is_drawn(space, known)}
        return is_known and trial.number == number and trial.distributions == drawn

    @_patient
    def _rewrite(self, trials: Sequence[FrozenTrial]) -> None:
        """Replaces the search in the storage. A crash on the way costs nothing: what is missing is asked and told again."""
        with suppress(KeyError):  # an earlier try has deleted it
            optuna.delete_study(study_name=self._name, storage=self._storage)
        self._optuna = self._open()
        self._optuna.add_trials(trials)

    def _draw(self, number: int, trials: Sequence[FrozenTrial]) -> FrozenTrial:
        """A new trial, after these; its factors are drawn one after the other, each where its condition holds.

        Some samplers keep notes with the whole study, as how far a sequence of points was read. They go on from those that
        the last trial has.
        """
        storage = InMemoryStorage()
        memory = optuna.create_study(storage=storage, direction="maximize", sampler=self._sampler(number))
        memory.add_trials(trials)
        place = storage.get_study_id_from_name(memory.study_name)
        for key, value in trials[-1].system_attrs.get(NOTES, {}).items() if trials else ():
            storage.set_study_system_attr(place, key, value)
        trial = memory.ask()
        values = dict(self._place)
        for name, space in self._spaces.items():
            if is_drawn(space, values):
                values[name] = _drawn(trial, name, space)
        drawn = memory.get_trials()[-1]
        notes = storage.get_study_system_attrs(place)
        return create_trial(
            state=TrialState.RUNNING,
            params=drawn.params,
            distributions=drawn.distributions,
            system_attrs={**drawn.system_attrs, **({NOTES: notes} if notes else {})},
        )

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
    from scipy.stats.qmc import LatinHypercube  # takes most of a second

    spaces = plan.nuisance.items()
    points = LatinHypercube(len(spaces), rng=generator(plan.seed, "first draws", trials)).random(trials)
    return [{name: space.at(u) for u, (name, space) in zip(point, spaces, strict=True)} for point in points]


def _drawn(trial: BaseTrial, name: str, space: Space) -> Value:
    """The trial's value of a factor, drawn by the study's sampler."""
    if isinstance(space, Choice):
        return trial.suggest_categorical(name, space.values)
    if space.is_whole:
        return trial.suggest_int(name, int(space.low), int(space.high), log=space.log, step=int(space.step or 1))
    return trial.suggest_float(name, space.low, space.high, log=space.log, step=space.step)


def _distribution(name: str, space: Space) -> BaseDistribution:
    """What a factor is drawn from, as the storage has it."""
    trial = FixedTrial({name: space.ends[0]})
    _drawn(trial, name, space)
    return trial.distributions[name]
