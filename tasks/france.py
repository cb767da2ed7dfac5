"""A long-range dependency in words: "I grew up in France … I speak fluent French"."""

from math import log
from typing import Annotated, ClassVar

import numpy as np
import torch
from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass
from torch import Tensor

from tasks.classification import Classification
from tasks.step import Step, in_steps
from tasks.task import STRICT, Batch, Count, TaskSpec
from tasks.words import ABSENT, Vocabulary, close_up

LANGUAGES = {
    "France": "French",
    "Germany": "German",
    "Spain": "Spanish",
    "Italy": "Italian",
    "Japan": "Japanese",
    "China": "Chinese",
    "Russia": "Russian",
    "Greece": "Greek",
    "Poland": "Polish",
    "Turkey": "Turkish",
}
NAMES = ("Anna", "Ben", "Clara", "David", "Emma", "Felix", "Grace", "Henry", "Irene", "Jacob")
FILLER = "and then we often went to the old market by sea with many good friends where music was played until late"
WORDS = Vocabulary.of(["About :", *NAMES, *LANGUAGES, FILLER, "grew up in", "speaks fluent"])
COUNTRIES = tuple(LANGUAGES)
COUNTRY_TOKENS = torch.from_numpy(WORDS.table(COUNTRIES)[:, 0])

OPENING = 3
"""The most filler words between the opening and the first clause.

With them "About <name>" and that person's country are ten words apart or more: a window of nine, as the suite's CNN
has, never sees both.
"""

ASIDE = 2
"""The most filler words between a name and its "grew up in"; a clause has no fixed length, and none a fixed place."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class France(Classification):
    """Name the language of the country in which one of several people grew up, which was mentioned long ago.

    Rule: "About <name> :", filler words, for that person and for `distractors` others, in random order, the clause "<name>
    grew up in <country>", `gap` filler words, and the question "<name> speaks fluent": the answer is the language of that
    person's country. All countries are different. Up to two filler words stand between a name and its "grew up", and
    three (or `gap`, if that is less) after the opening. Names are drawn from `distractors` + 2.

    Only the name tells whose clause is asked for: the clauses have the same words, and which comes first is random. The
    best logistic regression on n-grams that are too short to see a clause and the name that is asked for gives even odds
    to the named countries: all names are alike to it, all countries too, and a sum of features cannot say that this country
    is right if that name is asked for. Defined by this suite, after the textbook sentence "I grew up in France … I speak
    fluent French", whose "I" a 5-gram would find.

    Worked example (gap 4, one distractor):

        About Anna : by sea often Anna then grew up in France Ben grew up in Spain we often went to Anna speaks fluent
        → French

    Shapes: inputs (n, T) tokens, one per word; targets (n,), the index of the language.
    Loss: cross-entropy in nats. Score: accuracy. `last country` is the score of answering with the country named last,
    `named countries` that of a reader who knows which countries were named but not whose they are.

    >>> France(gap=20, distractors=3).references()
    {'chance': 0.1, 'last country': 0.25, 'named countries': 0.25, 'perfect': 1.0}
    """

    gap: Count = 20
    distractors: Annotated[int, Field(ge=0, le=len(NAMES) - 2)] = 1
    countries: Annotated[int, Field(ge=2, le=len(COUNTRIES))] = len(COUNTRIES)

    difficulty: ClassVar[str] = "gap"

    @model_validator(mode="after")
    def _check(self) -> "France":
        self.check_shortest()
        if self.distractors >= self.countries:
            raise ValueError(f"distractors must be fewer than countries ({self.countries}), which are all different")
        return self

    @property
    def spec(self) -> TaskSpec:
        longest = 3 + OPENING + (5 + ASIDE) * (1 + self.distractors) + self.gap + 3
        return TaskSpec(len(WORDS), 0, self.countries, per_step=False, length=longest)

    def sample(self, rng: np.random.Generator, n: int) -> Batch:
        gaps = self.draw_difficulties(rng, n)
        people = 1 + self.distractors
        names = WORDS.table(NAMES)[:, 0][_different(rng, self.distractors + 2, (n, people))]
        countries = _different(rng, self.countries, (n, people))
        asked = rng.integers(people, size=(n, 1))
        name = np.take_along_axis(names, asked, axis=1)
        country = np.take_along_axis(countries, asked, axis=1)[:, 0]
        asides = _filler(rng, rng.integers(ASIDE, size=(n, people), endpoint=True), ASIDE)
        clauses = [
            names[..., None],
            asides,
            _said("grew up in", n, people),
            COUNTRY_TOKENS.numpy()[countries][..., None],
        ]
        parts = [
            *(_said("About", n), name, _said(":", n)),
            _filler(rng, np.minimum(gaps, OPENING), OPENING),
            np.concatenate(clauses, axis=-1).reshape(n, -1),
            _filler(rng, gaps, self.gap),
            *(name, _said("speaks fluent", n)),
        ]
        inputs, mask = close_up(np.concatenate(parts, axis=1))
        return Batch(torch.from_numpy(inputs), torch.from_numpy(country), torch.from_numpy(mask))

    def cue(self, batch: Batch) -> Tensor:
        """The step of the country of the person who is asked for; it is named only once."""
        tokens = COUNTRY_TOKENS[batch.targets].unsqueeze(1)
        return ((batch.inputs == tokens) & batch.mask).int().argmax(1)

    def references(self) -> dict[str, float]:
        """`chance` guesses one of all languages; the class says what the others know. Any order is equally probable."""
        one = 1 / (1 + self.distractors)
        return {"chance": 1 / self.countries, "last country": one, "named countries": one, "perfect": 1.0}

    def loss_references(self) -> dict[str, float]:
        return {"chance": log(self.countries), "named countries": log(1 + self.distractors)}

    def read_steps(self, batch: Batch, index: int) -> list[Step]:
        words = WORDS.text(batch.inputs[index][batch.mask[index]].tolist()).split()
        return in_steps(words, {int(self.cue(batch)[index]): "store", len(words) - 1: "answer"})

    def read(self, batch: Batch, index: int) -> str:
        sentence = WORDS.text(batch.inputs[index][batch.mask[index]].tolist())
        return f"{sentence} → {LANGUAGES[COUNTRIES[int(batch.targets[index])]]}"


def _different(rng: np.random.Generator, count: int, shape: tuple[int, int]) -> np.ndarray:
    """In each row of `shape`, different numbers below `count`, all orders equally probable."""
    rows, columns = shape
    return rng.permuted(np.tile(np.arange(count), (rows, 1)), axis=1)[:, :columns]


def _said(text: str, *shape: int) -> np.ndarray:
    """The tokens of a text, the same everywhere: (*shape, words)."""
    tokens = WORDS.tokens(text)
    return np.broadcast_to(tokens, (*shape, len(tokens)))


def _filler(rng: np.random.Generator, counts: np.ndarray, most: int) -> np.ndarray:
    """As many random filler words as `counts` (…) says, at most `most`: tokens (…, most)."""
    words = rng.choice(WORDS.tokens(FILLER), size=(*counts.shape, most))
    return np.where(np.arange(most) < counts[..., None], words, ABSENT)
