"""A dependency on the future: "Teddy bears are on sale" / "Teddy Roosevelt was a great President"."""

from math import log
from typing import ClassVar

import numpy as np
import torch
from pydantic import model_validator
from pydantic.dataclasses import dataclass
from torch import Tensor

from tasks.task import (
    IGNORED,
    STRICT,
    Batch,
    Count,
    DifficultySampling,
    Probability,
    Task,
    TaskSpec,
    answered_loss,
    hits,
    steps_mean,
)
from tasks.words import ABSENT, Vocabulary, close_up

READINGS = (
    ("Teddy", "toy", "bears"),
    ("Teddy", "person", "Roosevelt"),
    ("Paris", "place", "museums"),
    ("Paris", "person", "Hilton"),
    ("Jordan", "place", "deserts"),
    ("Jordan", "person", "Peele"),
    ("Turkey", "place", "beaches"),
    ("Turkey", "food", "sandwiches"),
    ("Apple", "company", "shares"),
    ("Apple", "food", "pies"),
    ("Washington", "place", "suburbs"),
    ("Washington", "person", "Irving"),
)
"""(ambiguous word, sense, cue): every word has two senses; the cue that follows decides between them."""

REVEALING = {
    "toy": "The toymaker said ,",
    "person": "The biographer said ,",
    "place": "The traveller said ,",
    "food": "The cook said ,",
    "company": "The broker said ,",
}
"""Left contexts that reveal the sense."""

NEUTRAL = ("He said ,", "She said ,", "Yesterday he said ,", "Long ago she said ,")
TAILS = {
    "toy": "are on sale",
    "person": "was a great President",
    "place": "are crowded in summer",
    "food": "are on the table",
    "company": "fell again today",
}
BETWEEN = "well you know as everybody knows indeed so they say"
SENSES = tuple(REVEALING)
WORDS = Vocabulary.of([*(f"{word} {cue}" for word, _, cue in READINGS), *REVEALING.values(), *NEUTRAL,
                       *TAILS.values(), BETWEEN])  # fmt: skip
READING_SENSE = np.array([SENSES.index(sense) for _, sense, _ in READINGS])
READING_WORD = WORDS.table(word for word, _, _ in READINGS)
READING_END = WORDS.table(f"{cue} {TAILS[sense]}" for _, sense, cue in READINGS)
LEFT = WORDS.table([*REVEALING.values(), *NEUTRAL])


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Disambiguation(Task):
    """Name the sense of an ambiguous word at the word itself, although the cue comes later.

    Rule: a left context, an ambiguous word, its cue `lookahead` words later, and the rest of the sentence. With
    probability `left_cue` the left context already reveals the sense. The answer is expected at the ambiguous word only.
    Defined by this suite, after the sentence that usually introduces bidirectional networks.

    Worked example (lookahead 1):

        He said , Teddy bears are on sale
                  toy
        He said , Teddy Roosevelt was a great President
                  person

    Shapes: inputs (n, T) tokens, one per word; targets (n, T), the sense at the ambiguous word, else `IGNORED`.
    Loss: cross-entropy in nats. Score: accuracy. `causal` is the score of the best left-to-right reader: it knows the
    sense if the left context reveals it, and otherwise guesses one of the word's two senses.

    >>> Disambiguation(left_cue=0.25).references()["causal"]
    0.625
    """

    lookahead: Count = 1
    shortest: int | None = None
    difficulty_sampling: DifficultySampling = "uniform"
    left_cue: Probability = 0.25

    difficulty: ClassVar[str] = "lookahead"

    @model_validator(mode="after")
    def _check(self) -> "Disambiguation":
        self.check_shortest()
        return self

    @property
    def spec(self) -> TaskSpec:
        longest = LEFT.shape[1] + self.lookahead + READING_END.shape[1]
        return TaskSpec(len(WORDS), 0, len(SENSES), per_step=True, length=longest)

    def sample(self, rng: np.random.Generator, n: int) -> Batch:
        between = self.draw_difficulties(rng, n)[:, None] - 1
        reading = rng.integers(len(READINGS), size=n)
        sense = READING_SENSE[reading]
        neutral = len(SENSES) + rng.integers(len(NEUTRAL), size=n)
        left = LEFT[np.where(rng.random(n) < self.left_cue, sense, neutral)]
        fillers = rng.choice(WORDS.tokens(BETWEEN), size=(n, self.lookahead - 1))
        fillers = np.where(np.arange(self.lookahead - 1) < between, fillers, ABSENT)
        inputs, mask = close_up(np.concatenate([left, READING_WORD[reading], fillers, READING_END[reading]], axis=1))
        targets = np.full(inputs.shape, IGNORED)
        targets[np.arange(n), (left != ABSENT).sum(1)] = sense
        return Batch(torch.from_numpy(inputs), torch.from_numpy(targets), torch.from_numpy(mask))

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        return answered_loss(outputs, batch.targets)

    def score(self, outputs: Tensor, batch: Batch) -> Tensor:
        return steps_mean(hits(outputs, batch.targets), batch.targets != IGNORED)

    def references(self) -> dict[str, float]:
        """`constant`: always answers the most frequent sense; `chance`: guesses one of the word's two senses."""
        most_frequent = np.bincount(READING_SENSE).max() / len(READINGS)
        causal = self.left_cue + (1 - self.left_cue) / 2
        return {"constant": float(most_frequent), "chance": 0.5, "causal": causal, "perfect": 1.0}

    def loss_references(self) -> dict[str, float]:
        return {"chance": log(2), "causal": (1 - self.left_cue) * log(2)}

    def read(self, batch: Batch, index: int) -> str:
        words = [WORDS.words[token] for token in batch.inputs[index][batch.mask[index]].tolist()]
        position = int((batch.targets[index] != IGNORED).nonzero()[0, 0])
        sense = SENSES[int(batch.targets[index, position])]
        return " ".join(words) + "\n" + " " * sum(len(word) + 1 for word in words[:position]) + sense
