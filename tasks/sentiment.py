"""Sentiment by rules: negation, intensifiers, comparison and contrast, in sentences of real words."""

from dataclasses import replace
from itertools import combinations
from math import log
from typing import ClassVar, Literal, Self
from zlib import crc32

import numpy as np
import torch
from pydantic.dataclasses import dataclass

from tasks.classification import Classification
from tasks.grammar import FORMS, JOINS, best_reader
from tasks.step import Step, in_steps
from tasks.task import STRICT, Batch, Count, TaskSpec
from tasks.words import ABSENT, Vocabulary, close_up

Split = Literal["training", "test"]
"""Which sentences: those that networks are trained on, or those that are kept for tests."""

LABELS = ("negative", "positive")
SCALES = (
    "bad worse good better",
    "dull duller funny funnier",
    "slow slower fast faster",
    "cold colder warm warmer",
    "silly sillier smart smarter",
    "stale staler fresh fresher",
    "weak weaker strong stronger",
    "poor poorer rich richer",
    "vague vaguer clear clearer",
    "bleak bleaker bright brighter",
    "tame tamer bold bolder",
    "crude cruder fine finer",
)
"""The two ends of each scale, the negative one first, and after each end its comparative."""

PARTS = "plot cast music ending dialogue scenery"
OTHERS = "book play sequel trailer original remake"
FILLER = "as far as anyone could tell after a long evening out with old friends in town"
WEAK, STRONG = "slightly somewhat", "really truly"
WORDS = Vocabulary.of([*SCALES, PARTS, OTHERS, FILLER, WEAK, STRONG, "the film was not than , but although and"])
ENDS = WORDS.table(SCALES).reshape(len(SCALES), 2, 2)  # scale, polarity, comparative or not

FORM_JOINS = np.array([JOINS.index(form.join) for form in FORMS])
FORM_CLAUSES = np.array([[form.first, form.second] for form in FORMS])  # form, clause, field
FORM_LABELS = np.array([form.value > 0 for form in FORMS]).astype(np.int64)


def _is_test(pair: tuple[int, int]) -> bool:
    """Whether a pair of scales is kept for tests, by a hash of their words: about a fifth are."""
    return crc32(" ".join(SCALES[scale] for scale in pair).encode()) % 4 == 0


PAIRS: dict[Split, np.ndarray] = {
    split: np.array([pair for pair in combinations(range(len(SCALES)), 2) if _is_test(pair) == (split == "test")])
    for split in ("training", "test")
}
"""The pairs of scales (pairs, 2) of the sentences of each split."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Sentiment(Classification):
    """Say whether a sentence of two clauses judges a film positively or negatively.

    Rule: each clause has a value. Its adjective is negative or positive; "not" turns that round, and so does a comparison in
    which the film comes last ("the book was better than the film"). The strength is 1 with "slightly" or "somewhat", 3 with
    "really" or "truly", otherwise 2. The clause that is not conceded decides: B in "A , but B" and in "although A , B", A in
    "A , although B". In "A , and B" the sum of the values decides; ties do not occur. `distance` filler words stand
    between "was" with its "not" and intensifier, and the adjective that they act on.

    All sentences with a decision are equally probable, whatever they say. No word alone tells anything: each occurs as
    often in positive as in negative sentences. No test sentence occurs in training, so that a table of sentences is of no
    use: in `split` "test", that of `at`, the adjectives of the two clauses are from two scales (good and bad, funny and
    dull, …) that never stand together in `split` "training", that of `mixture`. Which pairs are kept is decided by a hash.

    Defined by this suite, after the contextual valence shifters of Polanyi & Zaenen (2006) and the contrastive sentences "X
    but Y" that Socher et al. (2013) test on.

    Worked example (distance 2):

        although the plot was really long evening good , the film was not as far better than the book
        → negative

    Shapes: inputs (n, T) tokens, one per word; targets (n,), 0 for negative, 1 for positive.
    Loss: cross-entropy in nats. Score: accuracy. `bag of words` is the score of the best reader that knows how often each
    word occurs, but not the order. `last clause` is that of the best reader that sees what follows the comma. The answer
    is given once, after the last word, so that reading from left to right loses nothing.

    >>> {name: round(score, 3) for name, score in Sentiment().references().items()}
    {'chance': 0.5, 'bag of words': 0.572, 'last clause': 0.826, 'perfect': 1.0}
    """

    distance: Count = 6
    split: Split = "test"

    difficulty: ClassVar[str] = "distance"

    @property
    def spec(self) -> TaskSpec:
        clause = self.distance + len(WORDS.tokens("the film was not really better than the book"))
        return TaskSpec(len(WORDS), 0, len(LABELS), per_step=False, length=2 * clause + len(WORDS.tokens(", but")))

    def at(self, difficulty: int) -> Self:
        return replace(super().at(difficulty), split="test")

    def mixture(self) -> Self:
        return replace(super().mixture(), split="training")

    def sample(self, rng: np.random.Generator, n: int) -> Batch:
        form = rng.integers(len(FORMS), size=n)
        scales = rng.permuted(rng.choice(PAIRS[self.split], size=n), axis=1)
        distances = self.draw_difficulties(rng, n)
        first, second = (self._clause(rng, FORM_CLAUSES[form, which], scales[:, which], distances) for which in (0, 1))
        join = FORM_JOINS[form]
        parts = [
            _said_if(join == JOINS.index("although …"), "although"),
            first,
            _said_if(np.full(n, True), ","),
            *(_said_if(join == JOINS.index(word), word) for word in ("but", "although", "and")),
            second,
        ]
        inputs, mask = close_up(np.concatenate(parts, axis=1))
        return Batch(torch.from_numpy(inputs), torch.from_numpy(FORM_LABELS[form]), torch.from_numpy(mask))

    def _clause(
        self, rng: np.random.Generator, clauses: np.ndarray, scales: np.ndarray, distances: np.ndarray
    ) -> np.ndarray:
        """The words (n, W) of a clause, given its fields (n, 4), its scales (n,) and its number of fillers (n,)."""
        film, negated, strength, polarity = clauses.T
        n, is_comparison = len(clauses), film > 0
        (the_film,) = WORDS.tokens("film")
        parts, others, weak, strong = (
            rng.choice(WORDS.tokens(words), size=n) for words in (PARTS, OTHERS, WEAK, STRONG)
        )
        first = np.select([film == 0, film == 1], [parts, the_film], others)
        last = np.select([film == 0, film == 1], [ABSENT, others], the_film)
        intensifier = np.select([strength == 1, strength == 3], [weak, strong], ABSENT)
        fillers = rng.choice(WORDS.tokens(FILLER), size=(n, self.distance))
        words = [
            _said_if(np.full(n, True), "the"),
            first[:, None],
            _said_if(np.full(n, True), "was"),
            _said_if(negated == 1, "not"),
            intensifier[:, None],
            np.where(np.arange(self.distance) < distances[:, None], fillers, ABSENT),
            ENDS[scales, (polarity + 1) // 2, is_comparison.astype(int)][:, None],
            _said_if(is_comparison, "than the"),
            last[:, None],
        ]
        return np.concatenate(words, axis=1)

    def references(self) -> dict[str, float]:
        """Neither the distance nor the split changes what a reader can know of a form."""
        bag, last = best_reader("bag of words"), best_reader("last clause")
        return {"chance": 0.5, "bag of words": bag[0], "last clause": last[0], "perfect": 1.0}

    def loss_references(self) -> dict[str, float]:
        bag, last = best_reader("bag of words"), best_reader("last clause")
        return {"chance": log(2), "bag of words": bag[1], "last clause": last[1]}

    def read_steps(self, batch: Batch, index: int) -> list[Step]:
        words = WORDS.text(batch.inputs[index][batch.mask[index]].tolist()).split()
        return in_steps(words, {len(words) - 1: "answer"})

    def read(self, batch: Batch, index: int) -> str:
        return f"{WORDS.text(batch.inputs[index][batch.mask[index]].tolist())}\n→ {LABELS[int(batch.targets[index])]}"


def _said_if(condition: np.ndarray, text: str) -> np.ndarray:
    """The tokens of a text in the rows where a condition (n,) holds: (n, words)."""
    return np.where(condition[:, None], WORDS.tokens(text), ABSENT)
