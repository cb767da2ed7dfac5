"""The Task base class, its Batch, and the means over examples that losses and scores are computed with."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from math import ceil
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self

import numpy as np
from pydantic import ConfigDict, Field
from torch import Tensor
from torch.nn.functional import cross_entropy

from tasks.step import Step

IGNORED = -100
"""The target of a step at which no answer is expected; PyTorch's own convention."""

UNALIGNED = -1
"""Both ends of the span of a written symbol that no step of the input determines, such as the hyphen of a date."""

DifficultySampling = Literal["uniform", "logarithmic"]
"""The distribution of the difficulties between the shortest and the nominal one."""

GRID = (1 / 16, 1 / 4, 1 / 2, 1, 3 / 2, 2)
"""The difficulties of an evaluation, as multiples of the nominal one."""

STRICT = ConfigDict(extra="forbid")
"""Unknown parameters of a task are errors."""

Count = Annotated[int, Field(ge=1)]
"""An integer of at least 1."""

Probability = Annotated[float, Field(ge=0, le=1)]
"""A number in [0, 1]."""


class DataError(ValueError):
    """Data that a task reads from a file are missing. The message is one line that says what to do about it."""


class Batch(NamedTuple):
    """`n` sequences, padded to the longest of them; all tensors are on the CPU.

    inputs: (n, T, D) float32 features or (n, T) int64 tokens; padding is zero.
    targets: (n, T) int64 where each step may be answered, `IGNORED` where no answer is expected; (n,) int64 or float32
        where the sequence is answered once; (n, U) int64 where the answer is written, `IGNORED` after its end.
    mask: (n, T) bool, true on the steps that belong to the sequence, false on the padding after it.
    """

    inputs: Tensor
    targets: Tensor
    mask: Tensor


class MinimalPair(NamedTuple):
    """Two sequences that are alike up to one step, and have different answers.

    batch: the two. asked: the step at which they are answered. classes: the names of the K answers. known (2, T, K): the
        probability of each for a reader who knows the task and has read up to a step; zero before the one that is asked.
    """

    batch: Batch
    asked: int
    classes: tuple[str, ...]
    known: Tensor


@dataclass(frozen=True)
class TaskSpec:
    """The shapes of a task's inputs and outputs; a model is built from them.

    vocabulary: the number of tokens, or None if inputs are features.
    features: the size D of an input feature vector, 0 if inputs are tokens.
    outputs: the number of classes, or of values in a regression.
    per_step: true if the model answers at every step, outputs (n, T, K); false if once per sequence, outputs (n, K).
    length: the largest number of steps in a training sequence.
    symbols: the largest number of symbols in a training answer, where answers are written symbol by symbol, outputs
        (n, U, K) for answers of up to U symbols; 0 where they are not.
    """

    vocabulary: int | None
    features: int
    outputs: int
    per_step: bool
    length: int
    symbols: int = 0


class Task(ABC):
    """A distribution over sequences with parameters, and exact reference scores.

    A task is a frozen dataclass with the field that its `difficulty` names, `shortest` and `difficulty_sampling`.
    `difficulty` is the name of the parameter that makes the task harder; its value is the nominal difficulty. Without
    `shortest`, every sequence has the nominal difficulty. With `shortest`, each sequence draws its own difficulty from
    `shortest` to the nominal one: "uniform" draws all with equal probability, "logarithmic" draws as many between 1 and
    2 as between 16 and 32.
    """

    difficulty: ClassVar[str]
    min_difficulty: ClassVar[int] = 1
    """The easiest form that there is: training and tests go down to it."""
    max_difficulty: ClassVar[int | None] = None
    """The hardest form that there is; None where there is always a harder one: tests go up to twice the nominal one."""
    shortest: int | None = None
    difficulty_sampling: DifficultySampling = "uniform"

    @property
    @abstractmethod
    def spec(self) -> TaskSpec:
        """The shapes of inputs and outputs."""

    @abstractmethod
    def sample(self, rng: np.random.Generator, n: int) -> Batch:
        """Draws `n` sequences: a pure function of the parameters, the state of `rng`, and `n`."""

    @abstractmethod
    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """The training loss, a scalar: the mean over examples. Each has equal weight, whatever its length."""

    @abstractmethod
    def score(self, outputs: Tensor, batch: Batch) -> Tensor:
        """The headline number in [0, 1], a scalar: the mean over examples, with equal weights."""

    def further_scores(self, outputs: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        """Other numbers in [0, 1] that a test records, by name: means over examples, each with equal weight; by default none."""
        return {}

    @abstractmethod
    def references(self) -> Mapping[str, float]:
        """Exact values of the score: `chance`, `perfect` and others of the task."""

    @abstractmethod
    def loss_references(self) -> Mapping[str, float]:
        """Exact values of the loss of readers with less than full information."""

    @abstractmethod
    def read(self, batch: Batch, index: int) -> str:
        """One sequence of a batch and its answer as aligned text."""

    def cue(self, batch: Batch) -> Tensor | None:
        """The step of each sequence at which the information that decides its answer stands: (n,) int64.

        None, the default, where there is no single such step, as in adding (two addends) and copying (ten symbols).
        """
        return None

    def read_steps(self, batch: Batch, index: int) -> list[Step]:
        """The steps of one sequence of a batch; by default they say nothing."""
        return [Step("")] * int(batch.mask[index].sum())

    def minimal_pair(self) -> MinimalPair | None:
        """Two sequences that one step alone tells apart, of a task that is answered at a step of them; by default None."""
        return None

    def aligned_sample(self, rng: np.random.Generator, n: int) -> tuple[Batch, Tensor] | None:
        """Draws `n` sequences, as `sample` does, and the spans (n, U, 2) of the input that determine each written symbol.

        A span is the first step and the one after the last; both are `UNALIGNED` where no step determines a symbol, and after
        the answer. None, the default, where answers are not written or their alignment is not known.
        """
        return None

    @property
    def parameters(self) -> dict[str, Any]:
        """The task's parameters as plain data."""
        return asdict(self)  # type: ignore[call-overload]  # every concrete task is a dataclass

    @property
    def nominal(self) -> int:
        """The difficulty at which the headline number is measured."""
        return int(getattr(self, self.difficulty))

    def at(self, difficulty: int) -> Self:
        """The test distribution: this task with every sequence at one difficulty."""
        return self._with({self.difficulty: difficulty, "shortest": None})

    def mixture(self) -> Self:
        """The training distribution: this task with difficulties from the easiest to the nominal one.

        They are logarithmic, because without many easy sequences even a gated network stays on the plateau for long.
        """
        return self._with({"shortest": self.min_difficulty, "difficulty_sampling": "logarithmic"})

    def with_difficulties(self, shortest: int | None, sampling: DifficultySampling, nominal: int | None = None) -> Self:
        """This task with other difficulties: from `shortest`, or the nominal one alone, to the nominal or another one."""
        hardest = self.nominal if nominal is None else nominal
        return self._with({self.difficulty: hardest, "shortest": shortest, "difficulty_sampling": sampling})

    def validation(self) -> Self:
        """What networks are chosen by: this task, as its sequences are drawn anew each time; of a fixed set, another part."""
        return self

    def grid(self) -> tuple[int, ...]:
        """The difficulties at which a network is evaluated, up to twice the nominal one, or to the hardest there is."""
        most = self.max_difficulty or max(GRID) * self.nominal
        wanted = (ceil(self.nominal * multiple) for multiple in GRID)
        return tuple(sorted({int(min(max(self.min_difficulty, difficulty), most)) for difficulty in wanted}))

    def check_shortest(self) -> None:
        """Raises an error if `shortest` is not between the easiest and the nominal difficulty."""
        if self.shortest is not None and not self.min_difficulty <= self.shortest <= self.nominal:
            raise ValueError(f"shortest must be between {self.min_difficulty} and {self.difficulty} ({self.nominal})")

    def difficulties(self) -> tuple[np.ndarray, np.ndarray]:
        """All possible difficulties in order, and the probability of each."""
        values = np.arange(self.nominal if self.shortest is None else self.shortest, self.nominal + 1)
        weights = np.log1p(1 / values) if self.difficulty_sampling == "logarithmic" else np.ones(len(values))
        return values, weights / weights.sum()

    def draw_difficulties(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """Draws the difficulty of each sequence: (n,) int64."""
        values, probabilities = self.difficulties()
        return rng.choice(values, size=n, p=probabilities)

    def mean_over_difficulties(self, value: Callable[[int], float]) -> float:
        """The expected value of a function of the difficulty."""
        values, probabilities = self.difficulties()
        return float(sum(p * value(int(d)) for d, p in zip(values, probabilities, strict=True)))

    def _with(self, changes: Mapping[str, Any]) -> Self:
        return replace(self, **changes)  # type: ignore[type-var]  # every concrete task is a dataclass


def steps_mean(values: Tensor, where: Tensor) -> Tensor:
    """The mean of `values` (n, T) over the steps where the mask `where` (n, T) is true: first per example, then over examples.

    >>> import torch
    >>> steps_mean(torch.tensor([[1.0, 9.0], [3.0, 5.0]]), torch.tensor([[True, False], [True, True]]))
    tensor(2.5000)
    """
    weight = where.to(values.dtype)
    return ((values * weight).sum(1) / weight.sum(1)).mean()


def answered_loss(outputs: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy in nats of outputs (n, T, K) on the steps whose target (n, T) is not `IGNORED`."""
    losses = cross_entropy(outputs.transpose(1, 2), targets, ignore_index=IGNORED, reduction="none")
    return steps_mean(losses, targets != IGNORED)


def hits(outputs: Tensor, targets: Tensor) -> Tensor:
    """1.0 where the most probable class of outputs (…, K) is the target (…), else 0.0."""
    return (outputs.argmax(-1) == targets).to(outputs.dtype)
