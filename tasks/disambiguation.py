"""A dependency on the future: "Teddy bears are on sale" / "Teddy Roosevelt was a great President"."""

from dataclasses import replace
from math import log
from typing import ClassVar, Literal, Self

import numpy as np
import torch
from pydantic import model_validator
from pydantic.dataclasses import dataclass
from torch import Tensor

from tasks.step import Step, in_steps
from tasks.task import (
    IGNORED,
    STRICT,
    Batch,
    Count,
    DifficultySampling,
    MinimalPair,
    Probability,
    Task,
    TaskSpec,
    answered_loss,
    hits,
    steps_mean,
)
from tasks.words import ABSENT, Vocabulary, close_up

Split = Literal["training", "test"]
"""Which sentences: those that networks are trained on, or those that are kept for tests."""

SENSES_OF = {
    "Teddy": ("toy", "person"),
    "Ken": ("toy", "person"),
    "Paris": ("place", "person"),
    "Jordan": ("place", "person"),
    "Washington": ("place", "person"),
    "Turkey": ("place", "food"),
    "Lima": ("place", "food"),
    "Apple": ("company", "food"),
    "Ford": ("company", "person"),
    "Amazon": ("company", "place"),
}
"""The two senses of each ambiguous word."""

CUES = {
    "toy": ("dolls", "bears", "puppets", "blocks"),
    "person": ("Hilton", "Roosevelt", "Irving", "Peele"),
    "place": ("museums", "beaches", "deserts", "suburbs"),
    "food": ("sandwiches", "pies", "salads", "beans"),
    "company": ("shares", "profits", "dividends", "bonds"),
}
"""The words that decide for a sense when they follow; a sense's cues go with each of its words."""

TAILS = {
    "toy": "are on sale",
    "person": "was a great President",
    "place": "are crowded in summer",
    "food": "are on the table",
    "company": "fell again today",
}
REVEALING = {
    "toy": "The toymaker said ,",
    "person": "The biographer said ,",
    "place": "The traveller said ,",
    "food": "The cook said ,",
    "company": "The broker said ,",
}
"""Left contexts that reveal the sense."""

SPEAKERS: dict[Split, str] = {"training": "He She Anna Ben", "test": "Olga Ivan Maria Tom"}
BETWEEN: dict[Split, str] = {
    "training": "well you know as everybody knows indeed so they say",
    "test": "frankly one might add of course by all accounts",
}
"""The filler words between an ambiguous word and its cue."""

WHEN = ("", "Yesterday", "Long ago")
SENSES = tuple(REVEALING)


def _neutral(split: Split) -> list[str]:
    """Left contexts that say nothing of the sense."""
    return [f"{when} {speaker} said ," for when in WHEN for speaker in SPEAKERS[split].split()]


def _readings(split: Split) -> list[tuple[str, str, str]]:
    """(ambiguous word, sense, cue): one cue of each word's sense is kept for tests, a different one from word to word."""
    return [
        (word, sense, cue)
        for number, (word, senses) in enumerate(SENSES_OF.items())
        for sense in senses
        for place, cue in enumerate(CUES[sense])
        if (place == number % len(CUES[sense])) == (split == "test")
    ]


READINGS: dict[Split, list[tuple[str, str, str]]] = {"training": _readings("training"), "test": _readings("test")}
LEFTS: dict[Split, list[str]] = {split: [*REVEALING.values(), *_neutral(split)] for split in READINGS}
WORDS = Vocabulary.of([*SENSES_OF, *LEFTS["training"], *LEFTS["test"], *BETWEEN.values(),
                       *TAILS.values(), *(cue for cues in CUES.values() for cue in cues)])  # fmt: skip
CUE_TOKENS = torch.from_numpy(WORDS.tokens(" ".join(cue for cues in CUES.values() for cue in cues)))


class _Tables:
    """The sentences of a split as tokens: LEFT contexts, the revealing ones first, and for each reading its word, the
    words from its cue on, and its sense."""

    def __init__(self, split: Split) -> None:
        readings = READINGS[split]
        self.left = WORDS.table(LEFTS[split])
        self.word = WORDS.table(word for word, _, _ in readings)
        self.end = WORDS.table(f"{cue} {TAILS[sense]}" for _, sense, cue in readings)
        self.sense = np.array([SENSES.index(sense) for _, sense, _ in readings])
        self.between = WORDS.tokens(BETWEEN[split])


TABLES: dict[Split, _Tables] = {"training": _Tables("training"), "test": _Tables("test")}


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Disambiguation(Task):
    """Name the sense of an ambiguous word at the word itself, although the cue comes later.

    Rule: a left context, an ambiguous word, its cue `lookahead` words later, and the rest of the sentence. With
    probability `left_cue` the left context already reveals the sense. The answer is expected at the ambiguous word only.

    No test sentence occurs in training, so that a table of sentences is of no use: `split` "test", that of `at`, has pairs
    of ambiguous word and cue, speakers, and filler words that `split` "training", that of `mixture`, never has. What a
    cue means can be learnt from other words: each of a word's two senses has four cues, which it shares with other words,
    and one of which is kept for the test. In both splits a word has either sense with probability 1/2, whatever is to its
    left, unless that reveals the sense. Defined by this suite, after the sentence that usually introduces bidirectional
    networks.

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

    lookahead: Count = 3
    shortest: int | None = None
    difficulty_sampling: DifficultySampling = "uniform"
    left_cue: Probability = 0.25
    split: Split = "test"

    difficulty: ClassVar[str] = "lookahead"

    @model_validator(mode="after")
    def _check(self) -> "Disambiguation":
        self.check_shortest()
        return self

    @property
    def spec(self) -> TaskSpec:
        longest = max(tables.left.shape[1] + self.lookahead + tables.end.shape[1] for tables in TABLES.values())
        return TaskSpec(len(WORDS), 0, len(SENSES), per_step=True, length=longest)

    def at(self, difficulty: int) -> Self:
        return replace(super().at(difficulty), split="test")

    def mixture(self) -> Self:
        return replace(super().mixture(), split="training")

    def sample(self, rng: np.random.Generator, n: int) -> Batch:
        tables = TABLES[self.split]
        between = self.draw_difficulties(rng, n)[:, None] - 1
        reading = rng.integers(len(tables.sense), size=n)
        sense = tables.sense[reading]
        neutral = rng.integers(len(SENSES), len(tables.left), size=n)
        left = tables.left[np.where(rng.random(n) < self.left_cue, sense, neutral)]
        fillers = rng.choice(tables.between, size=(n, self.lookahead - 1))
        fillers = np.where(np.arange(self.lookahead - 1) < between, fillers, ABSENT)
        inputs, mask = close_up(np.concatenate([left, tables.word[reading], fillers, tables.end[reading]], axis=1))
        targets = np.full(inputs.shape, IGNORED)
        targets[np.arange(n), (left != ABSENT).sum(1)] = sense
        return Batch(torch.from_numpy(inputs), torch.from_numpy(targets), torch.from_numpy(mask))

    def cue(self, batch: Batch) -> Tensor:
        """The step of the cue, `lookahead` steps after the ambiguous word; no other word of a sentence is a cue."""
        return (torch.isin(batch.inputs, CUE_TOKENS) & batch.mask).int().argmax(1)

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        return answered_loss(outputs, batch.targets)

    def score(self, outputs: Tensor, batch: Batch) -> Tensor:
        return steps_mean(hits(outputs, batch.targets), batch.targets != IGNORED)

    def references(self) -> dict[str, float]:
        """`constant`: always answers the most frequent sense; `chance`: guesses one of the word's two senses."""
        senses = TABLES[self.split].sense
        most_frequent = np.bincount(senses).max() / len(senses)
        causal = self.left_cue + (1 - self.left_cue) / 2
        return {"constant": float(most_frequent), "chance": 0.5, "causal": causal, "perfect": 1.0}

    def loss_references(self) -> dict[str, float]:
        return {"chance": log(2), "causal": (1 - self.left_cue) * log(2)}

    def read_steps(self, batch: Batch, index: int) -> list[Step]:
        words = WORDS.text(batch.inputs[index][batch.mask[index]].tolist()).split()
        asked = int((batch.targets[index] != IGNORED).nonzero()[0, 0])
        return in_steps(words, {int(self.cue(batch)[index]): "store", asked: "answer"})

    def minimal_pair(self) -> MinimalPair:
        """The first ambiguous word in both senses, after a neutral left context; the cue alone tells which it is.

        Up to the cue both senses are equally probable, and from it on one is certain.
        """
        tables, lookahead = TABLES[self.split], self.lookahead
        alike = [tables.left[len(SENSES)], tables.word[0], np.resize(tables.between, lookahead - 1)]
        readings = np.flatnonzero(tables.word[:, 0] == tables.word[0, 0])[[0, -1]]
        inputs, mask = close_up(np.stack([np.concatenate([*alike, tables.end[reading]]) for reading in readings]))
        asked = int((alike[0] != ABSENT).sum())
        targets, known = np.full(inputs.shape, IGNORED), torch.zeros(*inputs.shape, len(SENSES))
        senses = tables.sense[readings]
        targets[:, asked] = senses
        known[:, asked : asked + lookahead, senses.tolist()] = 0.5
        known[[0, 1], asked + lookahead :, senses.tolist()] = 1.0
        batch = Batch(torch.from_numpy(inputs), torch.from_numpy(targets), torch.from_numpy(mask))
        return MinimalPair(batch, asked, SENSES, known)

    def read(self, batch: Batch, index: int) -> str:
        words = [step.text for step in self.read_steps(batch, index)]
        position = int((batch.targets[index] != IGNORED).nonzero()[0, 0])
        sense = SENSES[int(batch.targets[index, position])]
        return " ".join(words) + "\n" + " " * sum(len(word) + 1 for word in words[:position]) + sense
