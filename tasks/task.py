"""What every task shares: the batch, the contract, and the per-example means that losses and scores are made of."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from math import ceil
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self

import numpy as np
from pydantic import ConfigDict, Field
from torch import Tensor
from torch.nn.functional import cross_entropy

IGNORED = -100
"""The target of a step at which no answer is expected; PyTorch's own convention."""

DifficultySampling = Literal["uniform", "logarithmic"]
"""How difficulties between the shortest and the nominal one are distributed."""

GRID = (1 / 16, 1 / 4, 1 / 2, 1, 3 / 2, 2)
"""The difficulties of an evaluation, as shares of the nominal one."""

STRICT = ConfigDict(extra="forbid")
"""A task refuses parameters that it does not have."""

Count = Annotated[int, Field(ge=1)]
"""A whole number of at least one."""

Probability = Annotated[float, Field(ge=0, le=1)]
"""A number in [0, 1]."""


class Batch(NamedTuple):
    """`n` sequences, padded to the longest of them; all tensors are on the CPU.

    inputs: (n, T, D) float32 features or (n, T) int64 tokens; padding is zero.
    targets: (n, T) int64 where each step may be answered, `IGNORED` where no answer is expected; (n,) int64 or float32
        where the sequence is answered once.
    mask: (n, T) bool, true on the steps that belong to the sequence, false on the padding after it.
    """

    inputs: Tensor
    targets: Tensor
    mask: Tensor


@dataclass(frozen=True)
class TaskSpec:
    """What a model has to connect to.

    vocabulary: the number of tokens, or None where inputs are features.
    features: the size D of an input feature vector, 0 where inputs are tokens.
    outputs: the number of classes, or of regressed values.
    per_step: whether every step is answered, outputs (n, T, K), or the sequence once, outputs (n, K).
    length: the most steps that a training sequence has.
    """

    vocabulary: int | None
    features: int
    outputs: int
    per_step: bool
    length: int


class Task(ABC):
    """A distribution over sequences, with parameters, and the scores that a perfect or a blind reader reaches.

    `difficulty` names the parameter that makes the task harder. Every sequence has that difficulty, or, where
    `shortest` is given, its own one between `shortest` and it: "uniform" draws all alike, "logarithmic" draws as many
    between 1 and 2 as between 16 and 32.
    """

    difficulty: ClassVar[str]
    min_difficulty: ClassVar[int] = 1
    shortest: int | None
    difficulty_sampling: DifficultySampling

    @property
    @abstractmethod
    def spec(self) -> TaskSpec:
        """What a model of this task connects to."""

    @abstractmethod
    def sample(self, rng: np.random.Generator, n: int) -> Batch:
        """`n` fresh sequences: a pure function of the parameters, the state of `rng`, and `n`."""

    @abstractmethod
    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """The training loss, a scalar: the mean over examples, each of equal weight however long it is."""

    @abstractmethod
    def score(self, outputs: Tensor, batch: Batch) -> Tensor:
        """The headline number in [0, 1], a scalar: the mean over examples, each of equal weight."""

    @abstractmethod
    def references(self) -> Mapping[str, float]:
        """Exact values of the score: `chance`, `perfect` and what else is known."""

    @abstractmethod
    def loss_references(self) -> Mapping[str, float]:
        """Exact values of the loss that a reader without memory reaches."""

    @abstractmethod
    def read(self, batch: Batch, index: int) -> str:
        """One sequence of a batch and its answer as aligned text, for people."""

    @property
    def parameters(self) -> dict[str, Any]:
        """The task's parameters as plain data."""
        return asdict(self)  # type: ignore[call-overload]  # every concrete task is a dataclass

    @property
    def nominal(self) -> int:
        """The difficulty that the headline number is taken at."""
        return int(getattr(self, self.difficulty))

    def at(self, difficulty: int) -> Self:
        """This task with every sequence at one difficulty."""
        return self._changed({self.difficulty: difficulty, "shortest": None})

    def mixture(self) -> Self:
        """This task with difficulties from the easiest up to the nominal one: what networks are trained on.

        Spread logarithmically: without many easy sequences even a gated network stays on the plateau for long.
        """
        return self._changed({"shortest": self.min_difficulty, "difficulty_sampling": "logarithmic"})

    def grid(self) -> tuple[int, ...]:
        """The difficulties at which a trained network is evaluated, up to twice the nominal one."""
        return tuple(sorted({max(self.min_difficulty, ceil(self.nominal * part)) for part in GRID}))

    def check_shortest(self) -> None:
        """Refuses a `shortest` that no sequence could have."""
        if self.shortest is not None and not self.min_difficulty <= self.shortest <= self.nominal:
            raise ValueError(f"shortest must be between {self.min_difficulty} and {self.difficulty} ({self.nominal})")

    def difficulties(self) -> tuple[np.ndarray, np.ndarray]:
        """The difficulties that sequences have, in order, and the probability of each."""
        values = np.arange(self.nominal if self.shortest is None else self.shortest, self.nominal + 1)
        weights = np.log1p(1 / values) if self.difficulty_sampling == "logarithmic" else np.ones(len(values))
        return values, weights / weights.sum()

    def draw_difficulties(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """(n,) int64: the difficulty of each sequence."""
        values, probabilities = self.difficulties()
        return rng.choice(values, size=n, p=probabilities)

    def mean_over_difficulties(self, value: Callable[[int], float]) -> float:
        """The expectation of a function of the difficulty."""
        values, probabilities = self.difficulties()
        return float(sum(p * value(int(d)) for d, p in zip(values, probabilities, strict=True)))

    def _changed(self, changes: Mapping[str, Any]) -> Self:
        return replace(self, **changes)  # type: ignore[type-var]  # every concrete task is a dataclass


def steps_mean(values: Tensor, where: Tensor) -> Tensor:
    """The mean over examples of each example's mean of `values` (n, T) over the steps `where` (n, T) holds.

    >>> import torch
    >>> steps_mean(torch.tensor([[1.0, 9.0], [3.0, 5.0]]), torch.tensor([[True, False], [True, True]]))
    tensor(2.5000)
    """
    weight = where.to(values.dtype)
    return ((values * weight).sum(1) / weight.sum(1)).mean()


def answered_loss(outputs: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy in nats of outputs (n, T, K) over the steps whose target (n, T) is not `IGNORED`."""
    losses = cross_entropy(outputs.transpose(1, 2), targets, ignore_index=IGNORED, reduction="none")
    return steps_mean(losses, targets != IGNORED)


def hits(outputs: Tensor, targets: Tensor) -> Tensor:
    """1.0 where the most probable class of outputs (…, K) is the target (…), else 0.0."""
    return (outputs.argmax(-1) == targets).to(outputs.dtype)
