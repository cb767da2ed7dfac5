"""Pairs of texts, one the translation of the other, character by character, with the alignment between them."""

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import ClassVar, Literal, NamedTuple
from zlib import crc32

import numpy as np
import torch
from torch import Tensor

from tasks.task import steps_mean

END = 0
"""The token that follows the last character of a target. Padding is zero too: the masks tell where it begins."""

UNALIGNED = -1
"""Both ends of the span of a target character that no source character determines, such as the hyphen of a date."""

Split = Literal["training", "test"]
"""Which pairs: those that networks are trained on, or those that are kept for tests."""


def split_of(content: str) -> Split:
    """The split of what a pair says, in whatever language, by a hash: one in five to the test.

    >>> split_of("2026-11-27")
    'training'
    """
    return "test" if crc32(content.encode()) % 5 == 0 else "training"


class PairBatch(NamedTuple):
    """`n` pairs, padded to the longest source and to the longest target; all tensors are on the CPU.

    sources: (n, S) int64, the source's characters.
    targets: (n, U) int64, the target's characters and `END`.
    source_mask, target_mask: (n, S) and (n, U) bool, true on the characters and on `END`, false on the padding after it.
    alignment: (n, U, 2) int64, the first source character that determines a target character, and the one after
        the last that does; both `UNALIGNED` where none does, at `END`, and on padding.
    """

    sources: Tensor
    targets: Tensor
    source_mask: Tensor
    target_mask: Tensor
    alignment: Tensor


@dataclass(frozen=True)
class Characters:
    """The characters of some texts and their tokens, from 1; token 0 is `END`.

    >>> characters = Characters.of(["drei", "zwei"])
    >>> len(characters), characters.tokens("drei"), characters.text([1, 5, 2, 3, 0])
    (7, [1, 4, 2, 3], 'dwei')
    """

    characters: tuple[str, ...]

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Characters":
        """Each character once, in the order of their code points."""
        return cls(tuple(sorted(set().union(*texts))))

    @cached_property
    def _index(self) -> dict[str, int]:
        return {character: token for token, character in enumerate(self.characters, start=1)}

    def __len__(self) -> int:
        """The number of tokens, with `END`."""
        return 1 + len(self.characters)

    def tokens(self, text: str) -> list[int]:
        """The tokens of a text, without `END`."""
        return [self._index[character] for character in text]

    def text(self, tokens: Iterable[int]) -> str:
        """The characters of some tokens; nothing for `END`."""
        return "".join(self.characters[token - 1] for token in tokens if token != END)


class Piece(NamedTuple):
    """A piece of a text, and the parts of the meaning that it tells: none, for a space or a hyphen."""

    text: str
    parts: frozenset[Hashable] = frozenset()


class Pair(NamedTuple):
    """A source and its target, in pieces. A target piece is determined by the source pieces that tell a part of it."""

    source: Sequence[Piece]
    target: Sequence[Piece]

    def spans(self) -> list[tuple[int, int]]:
        """The span of each target character: from the first source piece that tells a part of it to the last.

        >>> day, month = frozenset({"day"}), frozenset({"month"})
        >>> Pair([Piece("May", month), Piece(" "), Piece("7", day)], [Piece("07", day), Piece("-"), Piece("5", month)]).spans()
        [(4, 5), (4, 5), (-1, -1), (0, 3)]
        """
        ends = np.cumsum([len(piece.text) for piece in self.source]).tolist()
        spans = []
        for piece in self.target:
            telling = [number for number, other in enumerate(self.source) if other.parts & piece.parts]
            span = (UNALIGNED, UNALIGNED)
            if telling:
                span = ends[telling[0]] - len(self.source[telling[0]].text), ends[telling[-1]]
            spans += [span] * len(piece.text)
        return spans


def text(pieces: Iterable[Piece]) -> str:
    """The text of some pieces."""
    return "".join(piece.text for piece in pieces)


class Translation(ABC):
    """A distribution over pairs with parameters: a `Task`, but for the shape of its answers, which are sequences.

    `difficulty` is the name of the parameter that makes it harder.
    """

    difficulty: ClassVar[str]

    @property
    @abstractmethod
    def source_characters(self) -> Characters:
        """The vocabulary of the sources."""

    @property
    @abstractmethod
    def target_characters(self) -> Characters:
        """The vocabulary of the targets."""

    @abstractmethod
    def draw(self, rng: np.random.Generator, n: int) -> list[Pair]:
        """Draws `n` pairs: a pure function of the parameters, the state of `rng`, and `n`."""

    @abstractmethod
    def references(self) -> Mapping[str, float]:
        """Exact values of the score: `chance`, that of the best constant answer, and `perfect`."""

    def sample(self, rng: np.random.Generator, n: int) -> PairBatch:
        """Draws `n` pairs as tokens."""
        pairs = self.draw(rng, n)
        sources, source_mask = _padded([self.source_characters.tokens(text(pair.source)) for pair in pairs])
        targets, target_mask = _padded([[*self.target_characters.tokens(text(pair.target)), END] for pair in pairs])
        alignment = torch.full((*targets.shape, 2), UNALIGNED)
        for row, pair in zip(alignment, pairs, strict=True):
            spans = torch.tensor(pair.spans())
            row[: len(spans)] = spans
        return PairBatch(sources, targets, source_mask, target_mask, alignment)

    def score(self, answers: Tensor, batch: PairBatch) -> Tensor:
        """The share of right tokens in answers (n, U), `END` among them: the mean over pairs, with equal weights."""
        return steps_mean((answers == batch.targets).float(), batch.target_mask)

    def read(self, batch: PairBatch, index: int) -> str:
        """One pair as text, and below it what is determined by what."""
        source = self.source_characters.text(batch.sources[index].tolist())
        target = self.target_characters.text(batch.targets[index].tolist())
        spans = [tuple(span) for span in batch.alignment[index].tolist()]
        runs = groupby(zip(spans, target), key=lambda each: each[0])  # noqa: B905  # END has a span and no character
        lines = [
            f"{''.join(character for _, character in run)} ← {source[slice(*span)]}"
            for span, run in runs
            if span[0] != UNALIGNED
        ]
        return f"{source} → {target}\n" + ", ".join(lines)


def best_constant(targets: Iterable[tuple[str, float]]) -> float:
    """The score of the best constant answer to targets, each with its probability.

    At each place it has the token with which most is won: a right one is worth a share of its target's length.

    >>> best_constant([("ab", 0.5), ("cb", 0.25), ("b", 0.25)])  # a b END: all, two thirds, and nothing
    0.6666666666666666
    """
    won: dict[int, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for target, probability in targets:
        for place, character in enumerate((*target, "")):
            won[place][character] += probability / (len(target) + 1)
    return sum(max(values.values()) for values in won.values())


def _padded(rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Tokens (n, T) with zeros after the end of each row, and their mask (n, T)."""
    lengths = torch.tensor([len(row) for row in rows])
    tokens = torch.zeros((len(rows), int(lengths.max())), dtype=torch.int64)
    for place, row in zip(tokens, rows, strict=True):
        place[: len(row)] = torch.tensor(row)
    return tokens, torch.arange(tokens.shape[1]) < lengths[:, None]
