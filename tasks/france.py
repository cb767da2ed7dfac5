"""A long-range dependency in words: "I grew up in France … I speak fluent French"."""

from math import log
from typing import Annotated, ClassVar

import numpy as np
import torch
from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass
from torch import Tensor
from torch.nn.functional import cross_entropy

from tasks.task import STRICT, Batch, Count, DifficultySampling, Task, TaskSpec, hits
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
OTHERS = ("Anna", "Ben", "Clara", "David", "Emma")
FILLER = "and then we often went to the old market by sea with many good friends where music was played until late"
WORDS = Vocabulary.of([*LANGUAGES, *OTHERS, FILLER, "I grew up in", "I speak fluent"])
COUNTRIES = tuple(LANGUAGES)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class France(Task):
    """Name the language of the country in which the speaker grew up, which was mentioned long ago.

    Rule: "I grew up in <country>", `gap` filler words, "I speak fluent": the answer is the country's language. There are
    also `distractors` clauses "<name> grew up in <other country>". Each is before the speaker's own clause with
    probability 1/2, otherwise at a random place among the filler words after it. So the country that is named last is
    the right one with probability 2^−distractors. Defined by this suite, after the textbook sentence.

    Worked example (gap 4, one distractor):

        I grew up in France and Anna grew up in Spain we often went I speak fluent → French

    Shapes: inputs (n, T) tokens, one per word; targets (n,), the index of the language.
    Loss: cross-entropy in nats. Score: accuracy.

    >>> France(gap=20, distractors=2).references()
    {'chance': 0.1, 'last country': 0.25, 'perfect': 1.0}
    """

    gap: Count = 20
    shortest: int | None = None
    difficulty_sampling: DifficultySampling = "uniform"
    distractors: Annotated[int, Field(ge=0)] = 1
    countries: Annotated[int, Field(ge=2, le=len(COUNTRIES))] = len(COUNTRIES)

    difficulty: ClassVar[str] = "gap"

    @model_validator(mode="after")
    def _check(self) -> "France":
        self.check_shortest()
        return self

    @property
    def spec(self) -> TaskSpec:
        longest = 5 * (1 + self.distractors) + self.gap + 3
        return TaskSpec(len(WORDS), 0, self.countries, per_step=False, length=longest)

    def sample(self, rng: np.random.Generator, n: int) -> Batch:
        gaps = self.draw_difficulties(rng, n)[:, None]
        country = rng.integers(self.countries, size=n)
        others = (country[:, None] + rng.integers(1, self.countries, size=(n, self.distractors))) % self.countries
        clauses = _clause(rng.choice(WORDS.table(OTHERS)[:, 0], size=others.shape), others)
        before = rng.random((n, self.distractors, 1)) < 0.5
        filler = np.full((n, self.gap, 5), ABSENT)
        words = rng.choice(WORDS.tokens(FILLER), size=(n, self.gap))
        filler[:, :, 0] = np.where(np.arange(self.gap) < gaps, words, ABSENT)
        after = np.concatenate([filler, np.where(before, ABSENT, clauses)], axis=1)
        order = rng.permuted(np.arange(after.shape[1])[None].repeat(n, 0), axis=1)
        parts = [
            np.where(before, clauses, ABSENT).reshape(n, -1),
            _clause(WORDS.tokens("I"), country),
            np.take_along_axis(after, order[..., None], axis=1).reshape(n, -1),
            WORDS.tokens("I speak fluent")[None].repeat(n, 0),
        ]
        inputs, mask = close_up(np.concatenate(parts, axis=1))
        return Batch(torch.from_numpy(inputs), torch.from_numpy(country), torch.from_numpy(mask))

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        return cross_entropy(outputs, batch.targets)

    def score(self, outputs: Tensor, batch: Batch) -> Tensor:
        return hits(outputs, batch.targets).mean()

    def references(self) -> dict[str, float]:
        """`chance`: guesses one of all languages; `last country`: answers the language of the country named last."""
        return {"chance": 1 / self.countries, "last country": 0.5**self.distractors, "perfect": 1.0}

    def loss_references(self) -> dict[str, float]:
        return {"chance": log(self.countries)}

    def read(self, batch: Batch, index: int) -> str:
        sentence = WORDS.text(batch.inputs[index][batch.mask[index]].tolist())
        return f"{sentence} → {LANGUAGES[COUNTRIES[int(batch.targets[index])]]}"


def _clause(subject: np.ndarray, country: np.ndarray) -> np.ndarray:
    """The clause "<subject> grew up in <country>" for countries (…): tokens (…, 5)."""
    clause = np.empty((*country.shape, 5), dtype=np.int64)
    clause[..., 0] = subject
    clause[..., 1:4] = WORDS.tokens("grew up in")
    clause[..., 4] = WORDS.table(COUNTRIES)[:, 0][country]
    return clause
