"""Word problems: say, after each symbol, the product of all symbols so far. Parity, counting modulo m, and permutations."""

from abc import abstractmethod
from math import log
from typing import Annotated, ClassVar

import numpy as np
import torch
from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass
from torch import Tensor

from tasks.groups import Group, cyclic, rearrangements
from tasks.task import (
    IGNORED,
    STRICT,
    Batch,
    Count,
    DifficultySampling,
    Task,
    TaskSpec,
    answered_loss,
    hits,
    steps_mean,
)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class WordProblem(Task):
    """Say, after each symbol, the product of all elements of a group that were read so far.

    The first symbol is drawn uniformly from the whole group, the others from its `moves`. So all products are equally
    probable, and who misses the first symbol knows nothing of the product. The loss is that of all steps; the score is that of
    the last, for which all symbols are needed.

    Shapes: inputs (n, T) tokens, targets (n, T) classes, both elements of the group.
    """

    length: Count = 40
    shortest: int | None = None
    difficulty_sampling: DifficultySampling = "uniform"

    difficulty: ClassVar[str] = "length"
    commutators: ClassVar[int]
    """The order of the commutator subgroup: the number of products that some symbols may have in different orders."""

    @model_validator(mode="after")
    def _check(self) -> "WordProblem":
        self.check_shortest()
        return self

    @property
    @abstractmethod
    def group(self) -> Group:
        """The group whose elements are the symbols."""

    @property
    def moves(self) -> tuple[str, ...]:
        """The elements that every symbol but the first is drawn from: all of the group, unless a task says otherwise."""
        return self.group.names

    @property
    def spec(self) -> TaskSpec:
        order = len(self.group.names)
        return TaskSpec(order, 0, order, per_step=True, length=self.length)

    def sample(self, rng: np.random.Generator, n: int) -> Batch:
        table = self.group.table
        lengths = self.draw_difficulties(rng, n)[:, None]
        symbols = rng.integers(len(table), size=(n, lengths.max()))
        moves = np.array([self.group.names.index(move) for move in self.moves])
        symbols[:, 1:] = moves[symbols[:, 1:] % len(moves)]  # their number divides the group's order
        products = symbols.copy()
        for step in range(1, symbols.shape[1]):
            products[:, step] = table[products[:, step - 1], symbols[:, step]]
        mask = np.arange(symbols.shape[1]) < lengths
        inputs, targets = np.where(mask, symbols, 0), np.where(mask, products, IGNORED)
        return Batch(torch.from_numpy(inputs), torch.from_numpy(targets), torch.from_numpy(mask))

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        return answered_loss(outputs, batch.targets)

    def score(self, outputs: Tensor, batch: Batch) -> Tensor:
        last = torch.arange(batch.mask.shape[-1]) == batch.mask.sum(-1, keepdim=True) - 1
        return steps_mean(hits(outputs, batch.targets), last)

    def references(self) -> dict[str, float]:
        """`last symbol`: the reader who forgets the rest. `order-blind`: who knows what is left of a product if all ab = ba.

        Of short sequences the symbols may tell more, whatever their order; of long ones they do not.
        """
        order = len(self.group.names)
        return {
            "chance": 1 / order,
            "last symbol": self.mean_over_difficulties(lambda length: 1 / order if length > 1 else 1.0),
            "order-blind": 1 / self.commutators,
            "perfect": 1.0,
        }

    def loss_references(self) -> dict[str, float]:
        """`last symbol`: the reader who forgets the rest; only the first product is known to it."""
        chance = log(len(self.group.names))
        return {"chance": chance, "last symbol": chance * self.mean_over_difficulties(lambda length: 1 - 1 / length)}

    def read(self, batch: Batch, index: int) -> str:
        names, mask = self.group.names, batch.mask[index]
        rows = {"symbol": batch.inputs[index][mask], "product": batch.targets[index][mask]}
        return "\n".join(f"{label:8} " + " ".join(names[k] for k in row.tolist()) for label, row in rows.items())


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Parity(WordProblem):
    """Say, after each bit, whether the number of ones so far is odd.

    The parity check of Delétang et al. (2023), "Neural networks and the Chomsky hierarchy", who train on lengths up to 40
    and test up to 500. They ask once, at the end; here the answer is asked for at each step, and the score is that of the
    last. Who counts the ones knows all (`order-blind`), but no sum of features tells an odd count from an even one.

    Worked example (length 8):

        symbol   0 0 0 1 1 1 1 1
        product  0 0 0 1 0 1 0 1

    Shapes: inputs (n, T) tokens, bits; targets (n, T), 1 where the number is odd.
    Loss: cross-entropy in nats over all steps. Score: accuracy at the last step.

    >>> Parity().references()
    {'chance': 0.5, 'last symbol': 0.5, 'order-blind': 1.0, 'perfect': 1.0}
    """

    commutators: ClassVar[int] = 1

    @property
    def group(self) -> Group:
        return cyclic(2)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Modulo(WordProblem):
    """Say, after each digit, the sum so far modulo `modulus`.

    After the modular arithmetic of Delétang et al. (2023), modulo 5 as there, but with sums alone, and asked at each step;
    the score is that of the last.

    Worked example (length 8, modulus 5):

        symbol   0 0 0 4 3 4 2 3
        product  0 0 0 4 2 1 3 1

    Shapes: inputs (n, T) tokens, digits below the modulus; targets (n, T), the sum.
    Loss: cross-entropy in nats over all steps. Score: accuracy at the last step.

    >>> Modulo(modulus=5).references()
    {'chance': 0.2, 'last symbol': 0.2, 'order-blind': 1.0, 'perfect': 1.0}
    """

    modulus: Annotated[int, Field(ge=2)] = 5

    commutators: ClassVar[int] = 1

    @property
    def group(self) -> Group:
        return cyclic(self.modulus)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class S3(WordProblem):
    """Say, after each rearrangement of three letters, what all so far make of abc: the word problem of the group S3.

    The word problem of Merrill, Petty & Sabharwal (2024), "The illusion of state in state-space models", here for the
    smallest group in which the order of factors matters. Each symbol, one of six, is the rearrangement that makes this
    word of abc. Who ignores the order knows the product's sign (`order-blind`: one of three remains).

    Worked example (length 6):

        symbol   abc abc acb cab bca cba
        product  abc abc acb bac acb bca

    Shapes: inputs (n, T) tokens, the six rearrangements; targets (n, T), what they make, by the same numbers.
    Loss: cross-entropy in nats over all steps. Score: accuracy at the last step.

    >>> S3().references()["order-blind"]
    0.3333333333333333
    """

    length: Count = 25

    commutators: ClassVar[int] = 3

    @property
    def group(self) -> Group:
        return rearrangements("abc", even=False)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class A5(WordProblem):
    """Say, after each even rearrangement of five letters, what all so far make of abcde: the word problem of the group A5.

    A5, with 60 elements, is the smallest group that is not solvable: its word problem is complete for NC¹ (Barrington 1989),
    and no circuit of constant depth is known for it. It is that of Merrill, Petty & Sabharwal (2024), on lengths up to 25 as
    there, but for this: the first symbol is any of the 60, and each later one is one of two `moves`, of which all 60 can be
    made. Where every symbol is any of the 60, as there, 3,600 products are to be learnt by heart before order matters. Who
    ignores the order of symbols knows nothing of the product of many (`order-blind` is chance).

    Worked example (length 6):

        symbol   ebcad bcade bcade bcdea bcdea bcdea
        product  ebcad bcead cebad ebadc badce adceb

    Shapes: inputs (n, T) tokens, the 60 even rearrangements; targets (n, T), what they make, by the same numbers.
    Loss: cross-entropy in nats over all steps. Score: accuracy at the last step.

    >>> A5().references()["order-blind"] == A5().references()["chance"] == 1 / 60
    True
    """

    length: Count = 25

    commutators: ClassVar[int] = 60

    @property
    def group(self) -> Group:
        return rearrangements("abcde", even=True)

    @property
    def moves(self) -> tuple[str, ...]:
        return "bcade", "bcdea"  # to rotate three letters, and to rotate all five
