"""How long an operation of each kind of network takes on this machine.

From recorded runs where there are some. Else from a table that was measured once, scaled by the speed of this machine; a
kind of network that the table does not have, as a user's own, is timed for a few steps. To time all kinds would take
seconds, most of them to load the compiler.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from statistics import fmean
from time import perf_counter, thread_time
from typing import NamedTuple

import torch

from ablations.models.backends import backend_of
from ablations.record.schema import RunRecord
from ablations.study import Budget, Plan, Setting
from ablations.train.cohort import Cohort, run_of
from ablations.train.operations import operations
from ablations.train.segment import train_segment

OVERHEAD = 2.6e5
"""What a sequence costs beside its operations, in operations: its drawing, its loss, its share of the optimiser."""

PICOSECONDS: Mapping[tuple[str, bool], float] = {
    ("FeedForward", False): 23.0,
    ("CNN", False): 17.0,
    ("TCN", False): 21.0,
    ("Reservoir", False): 17.0,
    ("RecurrentModel", False): 18.0,
    ("AttentionModel", False): 24.0,
    ("BagOfWords", False): 5.0,
    ("RecurrentModel", True): 27.0,
    ("AttentionModel", True): 39.0,
    ("BagOfWords", True): 26.0,
}
"""(network, whether it writes answers) -> picoseconds of one core for an operation, at demo scale, on a machine whose
`yardstick` takes `REFERENCE` seconds. The median over the settings of the recorded studies claims and attention."""

REFERENCE = 1.7e-3
"""Seconds that the `yardstick` takes on the machine of the table."""

USUAL = 20.0
"""Picoseconds for an operation of a network that is neither in the table, nor recorded, nor timed."""

TIMING = 2.0
"""Seconds within which unknown kinds of networks are timed: after that no other one is begun."""

STEPS = 4
"""Training steps of a timing."""


class Kind(NamedTuple):
    """What decides how long an operation takes: the network's class, whether it writes, and how cells are computed."""

    network: str
    writes: bool
    is_eager: bool


def kind_of(setting: Setting) -> Kind:
    """The kind of network of a setting."""
    variant, cell = setting.variant, setting.variant.cell
    is_eager = cell is not None and backend_of(cell) == "eager"
    return Kind(variant.network.__name__, setting.task.spec.symbols > 0, is_eager)


def training_sequences(budget: Budget) -> float:
    """The sequences of one run's training; one that is only read, in an evaluation, is a third of one."""
    return budget.steps * budget.batch + budget.segments * 2 * budget.validation / 3


class Rates:
    """Seconds of one core for a sequence of a setting's training.

    ended: the recorded runs by the identity of their setting. settings: those that have runs left.
    """

    def __init__(self, plan: Plan, settings: Iterable[Setting], ended: Mapping[str, Sequence[RunRecord]]) -> None:
        self._plan = plan
        self._left = list(settings)
        self._amounts: dict[str, float] = {}
        by_variant: dict[str, list[float]] = defaultdict(list)
        by_kind: dict[Kind, list[float]] = defaultdict(list)
        for setting in plan.settings if self._left else ():
            runs = ended.get(plan.identities[setting.name], ())
            seconds = [run.metrics["seconds"] for run in runs if "seconds" in run.metrics and run.status == "finished"]
            if seconds:
                rate = fmean(seconds) / training_sequences(plan.budget) / self.amount(setting)
                by_variant[setting.variant.name].append(rate)
                by_kind[kind_of(setting)].append(rate)
        self._by_variant = {name: fmean(rates) for name, rates in by_variant.items()}
        self._by_kind = {kind: fmean(rates) for kind, rates in by_kind.items()}

    def seconds(self, setting: Setting) -> float:
        """For one of the longest sequences, forward and backward."""
        kind = kind_of(setting)
        rate = self._by_variant.get(setting.variant.name) or self._by_kind.get(kind) or self._unrecorded.get(kind)
        return self.amount(setting) * (rate or USUAL * 1e-12 * self._speed)

    def amount(self, setting: Setting) -> float:
        """What a sequence costs, in operations."""
        if setting.name not in self._amounts:
            self._amounts[setting.name] = OVERHEAD + operations(setting)
        return self._amounts[setting.name]

    @cached_property
    def _unrecorded(self) -> dict[Kind, float]:
        """Of the kinds of the settings that are left and have no record: from the table, or timed."""
        rates: dict[Kind, float] = {}
        start = perf_counter()
        for setting in sorted(self._left, key=self.amount):  # of each kind the smallest is timed
            kind = kind_of(setting)
            if kind in rates or kind in self._by_kind:
                continue
            if (known := PICOSECONDS.get((kind.network, kind.writes))) and not kind.is_eager:
                rates[kind] = known * 1e-12 * self._speed
            elif perf_counter() - start < TIMING:
                rates[kind] = _timed(self._plan, setting) / self.amount(setting)
        return rates

    @cached_property
    def _speed(self) -> float:
        """How many times as long as in the table an operation takes here: by the record, or else by the yardstick."""
        known = {kind: PICOSECONDS.get((kind.network, kind.writes)) for kind in self._by_kind if not kind.is_eager}
        ratios = [self._by_kind[kind] / (each * 1e-12) for kind, each in known.items() if each]
        return fmean(ratios) if ratios else yardstick() / REFERENCE


def yardstick() -> float:
    """Seconds of one core for a fixed piece of work: products of matrices as small networks have them.

    The shortest of some rounds: what else the machine does makes a round longer, never shorter.
    """
    rng = torch.Generator().manual_seed(0)
    a, b = torch.rand(10, 32, 64, generator=rng), torch.rand(10, 64, 64, generator=rng)
    return min(_round(a, b) for _ in range(40))


def _round(a: torch.Tensor, b: torch.Tensor) -> float:
    start = thread_time()
    for _ in range(20):
        torch.tanh(torch.bmm(a, b))
    return thread_time() - start


def _timed(plan: Plan, setting: Setting) -> float:
    """The seconds of a training sequence in a short cohort of that setting: of its second segment, as the first loads."""
    budget = replace(plan.budget, validation=min(plan.budget.validation, 32))
    factors = plan.middle_of(setting)
    runs = tuple(run_of("replicate", number, number, factors) for number in range(budget.replicates))
    (cohort,) = Cohort(setting, budget, plan.optimiser, plan.seed, runs).shapes
    train_segment(cohort, None, 2)
    start = thread_time()
    train_segment(cohort, None, STEPS)
    sequences = training_sequences(replace(budget, steps=STEPS, segments=1))
    return (thread_time() - start) / len(runs) / sequences
