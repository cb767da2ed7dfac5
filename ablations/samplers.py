"""Optuna's samplers, made ready for one trial: what they propose depends on a seed and on earlier results alone."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any
from warnings import catch_warnings, simplefilter

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, GPSampler, QMCSampler, RandomSampler, TPESampler

from ablations.study.space import Value


class Given(BaseSampler):
    """A sampler that returns given values."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._values = values

    def infer_relative_search_space(self, study: Any, trial: Any) -> dict[str, BaseDistribution]:
        return {}

    def sample_relative(self, study: Any, trial: Any, search_space: Any) -> dict[str, Any]:
        return {}

    def sample_independent(self, study: Any, trial: Any, param_name: str, param_distribution: Any) -> Value:
        return self._values[param_name]


def sampler_of(sampler: Any, seed: int, sequence: int, startup: int, is_conditional: bool) -> BaseSampler:
    """The sampler of that name, or a copy of the object, with its random numbers from `seed`.

    sequence: the seed of what all trials of a search share, a sequence of points. startup: the trials before which it does
    not propose from results. is_conditional: some factors are drawn under conditions.
    """
    with catch_warnings():
        simplefilter("ignore", ExperimentalWarning)  # Optuna's, of QMC and of groups of factors
        if sampler == "tpe":
            # The liar counts the trials of the same round, which have no result yet, as bad: so they do not bunch together.
            return TPESampler(
                seed=seed, n_startup_trials=startup, multivariate=True, constant_liar=True, group=is_conditional
            )
        if sampler == "random":
            return RandomSampler(seed=seed)
        if sampler == "qmc":
            return QMCSampler(seed=sequence, scramble=True, independent_sampler=RandomSampler(seed=seed))
        if sampler == "gp":
            independent = RandomSampler(seed=seed)
            return GPSampler(seed=seed, n_startup_trials=startup, independent_sampler=independent)
        own: BaseSampler = deepcopy(sampler)
    if isinstance(own, QMCSampler):
        own._seed = sequence
    _reseed(own, seed, set())
    return own


def _reseed(thing: Any, seed: int, reached: set[int]) -> None:
    """Seeds all generators below a sampler: Optuna seeds them once when it is made, and then they run on."""
    if id(thing) in reached:
        return
    reached.add(id(thing))
    if isinstance(thing, np.random.RandomState):
        thing.seed(seed)
        return
    if isinstance(rng := getattr(thing, "rng", None), np.random.RandomState):  # made when it is first read
        rng.seed(seed)
    for name, part in list(getattr(thing, "__dict__", {}).items()):
        if isinstance(part, np.random.Generator):
            setattr(thing, name, np.random.default_rng(seed))
        elif isinstance(part, np.random.RandomState) or type(part).__module__.startswith("optuna."):
            _reseed(part, seed, reached)
