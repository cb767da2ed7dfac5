"""Languages to recognise that need a counter: aⁿbⁿ, and balanced brackets."""

from abc import abstractmethod
from math import log
from typing import Annotated, ClassVar

import numpy as np
import torch
from pydantic import Field
from pydantic.dataclasses import dataclass

from tasks.classification import Classification
from tasks.task import STRICT, Batch, Count, TaskSpec
from tasks.words import ABSENT, close_up, random_ranks

NONE, OF_COUNT, OF_ORDER = range(3)
"""The fault of a word: none, as every second word has; its symbols are too many or too few, or in the wrong order."""

SHARES = (1 / 2, 1 / 4, 1 / 4)
"""The probability of each fault."""

MOST_SURPLUS = 12
"""The most letters by which a word of aⁿbⁿ has too many of one kind, and too few of the other."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Recognition(Classification):
    """Say, once for each word, whether it belongs to a language of two symbols, 0 and 1, of which it needs equally many.

    Half of the words belong to it. The others have the same lengths and a single fault: a quarter of all words have more
    of one symbol than of the other, in an order that is not wrong by itself, and a quarter have equally many, in a wrong
    order.

    Shapes: inputs (n, T) tokens, T twice the number of pairs; targets (n,), 1 for a word that belongs to the language.
    """

    pairs: Count = 50

    difficulty: ClassVar[str] = "pairs"
    symbols: ClassVar[str]
    """The two symbols, as people write them."""

    @abstractmethod
    def words(self, rng: np.random.Generator, pairs: np.ndarray, fault: np.ndarray) -> np.ndarray:
        """Draws words of 2·pairs symbols with these faults, both (n,): tokens (n, W) with `ABSENT` after the end of each."""

    @property
    def spec(self) -> TaskSpec:
        return TaskSpec(2, 0, 2, per_step=False, length=2 * self.pairs)

    def sample(self, rng: np.random.Generator, n: int) -> Batch:
        pairs = self.draw_difficulties(rng, n)
        fault = rng.choice(3, size=n, p=SHARES)
        inputs, mask = close_up(self.words(rng, pairs, fault))
        targets = (fault == NONE).astype(np.int64)
        return Batch(torch.from_numpy(inputs), torch.from_numpy(targets), torch.from_numpy(mask))

    def references(self) -> dict[str, float]:
        """`counts`: the reader of a bag of symbols, who misses all faults of order; `order`: who misses those of count."""
        return {"chance": 1 / 2, "counts": 3 / 4, "order": 3 / 4, "perfect": 1.0}

    def loss_references(self) -> dict[str, float]:
        """Three words of four show no fault to the reader of one kind; of these, two of three belong to the language."""
        return {"chance": log(2), "counts": 3 / 4 * (log(3) - 2 / 3 * log(2))}

    def read(self, batch: Batch, index: int) -> str:
        word = " ".join(self.symbols[token] for token in batch.inputs[index][batch.mask[index]].tolist())
        return f"{word} → {'yes' if batch.targets[index] else 'no'}"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class AnBn(Recognition):
    """Say whether a word is aⁿbⁿ: some letters a, and after them as many letters b.

    The language of Gers & Schmidhuber (2001), "LSTM recurrent networks learn simple context-free and context-sensitive
    languages", and of Weiss, Goldberg & Yahav (2018), who train on n up to 100 and ask, as here, whether a word belongs.
    Hard negatives: aⁿ⁺ˢbⁿ⁻ˢ and aⁿ⁻ˢbⁿ⁺ˢ in equal shares, and aⁿbⁿ with an a and a b exchanged. The last of these are
    the words with "ba", which a reader of neighbours finds (`order`); for the others one must count. The surplus s is
    small more often than not, from 1 to 12 and below n, with the probability ln(1 + 1/s) / ln min(n, 13). Were it always
    1, whoever counts modulo 4 would know all words of any length without a counter; here he scores 0.90, modulo 3 0.94.

    Worked examples (three pairs):

        a a a b b b → yes
        a a a a b b → no
        a a b b b a → no

    Shapes: inputs (n, T) tokens; targets (n,), 1 for yes. Loss: cross-entropy in nats. Score: accuracy.

    >>> AnBn().references()
    {'chance': 0.5, 'counts': 0.75, 'order': 0.75, 'perfect': 1.0}
    """

    symbols: ClassVar[str] = "ab"

    def words(self, rng: np.random.Generator, pairs: np.ndarray, fault: np.ndarray) -> np.ndarray:
        letters = np.floor(np.minimum(pairs, MOST_SURPLUS + 1) ** rng.random(len(pairs))).astype(np.int64)
        surplus = np.where(fault == OF_COUNT, letters * rng.choice([-1, 1], size=len(pairs)), 0)
        step = np.arange(2 * pairs.max())
        tokens = (step >= (pairs + surplus)[:, None]).astype(np.int64)
        exchanged = np.stack([rng.integers(pairs), rng.integers(pairs, 2 * pairs)], axis=1)
        flips = np.zeros_like(tokens)
        np.put_along_axis(flips, exchanged, 1, axis=1)
        tokens = np.where((fault == OF_ORDER)[:, None], tokens ^ flips, tokens)
        return np.where(step < 2 * pairs[:, None], tokens, ABSENT)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Dyck(Recognition):
    """Say whether a word of one kind of brackets is balanced: the language Dyck-1.

    Rule: a word is u ( w ) v, where u, w and v are balanced themselves. They are not empty; their lengths are drawn
    uniformly from all that fit, and they themselves from all balanced words of their length. Hard negatives: u ( w ( v, in
    which all that is closed was open, and u ) w ( v, in which the brackets are equally many. The latter have the same
    pairs of neighbours as the words that belong: who counts these knows no more than `counts`. Longer runs tell a bit, for u,
    w and v may be short: a logistic regression on runs of five and the counts scores 0.84 with 12 pairs, 0.76 with 50.
    Dyck-1 is in Suzgun et al. (2019), "LSTM networks can perform dynamic counting"; these negatives are of this suite.

    Worked examples (five pairs):

        ( ) ( ( ) ) ( ( ) ) → yes
        ( ( ) ) ( ( ) ( ( ) → no
        ( ( ) ) ) ( ) ( ( ) → no

    Shapes: inputs (n, T) tokens; targets (n,), 1 for yes. Loss: cross-entropy in nats. Score: accuracy.
    The reader `order` is the one who sees what is closed without being open.

    >>> Dyck().references()
    {'chance': 0.5, 'counts': 0.75, 'order': 0.75, 'perfect': 1.0}
    """

    pairs: Annotated[int, Field(ge=4)] = 50  # one for each of u, w and v, and the one that may be wrong

    symbols: ClassVar[str] = "()"
    min_difficulty: ClassVar[int] = 4

    def words(self, rng: np.random.Generator, pairs: np.ndarray, fault: np.ndarray) -> np.ndarray:
        first, second = rng.integers(1, pairs - 1), rng.integers(1, pairs - 2)
        cuts = np.sort([first, second + (second >= first)], axis=0)  # two different ones of 1 … pairs − 2
        u, w, v = (balanced(rng, part) for part in (cuts[0], cuts[1] - cuts[0], pairs - 1 - cuts[1]))
        left, right = (fault == OF_ORDER).astype(np.int64), (fault == NONE).astype(np.int64)
        return np.concatenate([u, left[:, None], w, right[:, None], v], axis=1)


def balanced(rng: np.random.Generator, pairs: np.ndarray) -> np.ndarray:
    """Draws balanced words of `pairs` (n,) pairs, all equally probable: 0 opens, 1 closes, `ABSENT` after the end: (n, W).

    By the cycle lemma (Dvoretzky & Motzkin 1947), of all rotations of p opening and p + 1 closing brackets in any order
    just one is a balanced word and a closing bracket: the one that begins after the first of the lowest points.
    """
    pairs = pairs[:, None]
    length = 2 * pairs + 1
    step = np.arange(length.max())
    closing = random_ranks(rng, length[:, 0]) >= pairs
    heights = np.where(step < length, np.cumsum(1 - 2 * closing, axis=1), np.iinfo(np.int64).max)
    rotation = (heights.argmin(axis=1)[:, None] + 1 + step) % length
    words = np.take_along_axis(closing, rotation, axis=1)
    return np.where(step < length - 1, words, ABSENT)[:, :-1]
