"""Sentences as arrays of tokens: a vocabulary, and sentences with optional parts."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

ABSENT = -1
"""The token of a word that is left out; `close_up` removes it."""


@dataclass(frozen=True)
class Vocabulary:
    """Words and their tokens.

    >>> words = Vocabulary(("I", "speak", "French"))
    >>> words.tokens("I speak").tolist(), words.text([2, 1])
    ([0, 1], 'French speak')
    """

    words: tuple[str, ...]

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Vocabulary":
        """The vocabulary of some texts: each word once, in order of first appearance."""
        return cls(tuple(dict.fromkeys(word for text in texts for word in text.split())))

    @cached_property
    def _index(self) -> dict[str, int]:
        return {word: token for token, word in enumerate(self.words)}

    def __len__(self) -> int:
        return len(self.words)

    def tokens(self, text: str) -> np.ndarray:
        """The tokens (words,) of a text."""
        return np.array([self._index[word] for word in text.split()])

    def table(self, texts: Iterable[str]) -> np.ndarray:
        """The tokens of several texts (texts, words of the longest), with `ABSENT` after the end of each."""
        rows = [self.tokens(text) for text in texts]
        table = np.full((len(rows), max(map(len, rows))), ABSENT)
        for row, tokens in zip(table, rows, strict=True):
            row[: len(tokens)] = tokens
        return table

    def text(self, tokens: Iterable[int]) -> str:
        """The words of some tokens, joined by spaces."""
        return " ".join(self.words[token] for token in tokens)


def close_up(tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Removes `ABSENT` from each row of tokens (n, W): inputs (n, T), zero after the end, and their mask (n, T).

    >>> close_up(np.array([[-1, 5, -1, 7], [3, -1, -1, -1]]))
    (array([[5, 7],
           [3, 0]]), array([[ True,  True],
           [ True, False]]))
    """
    present = tokens != ABSENT
    order = np.argsort(~present, axis=1, kind="stable")
    lengths = present.sum(1)
    mask = np.arange(lengths.max()) < lengths[:, None]
    inputs = np.take_along_axis(tokens, order, axis=1)[:, : lengths.max()]
    return np.where(mask, inputs, 0), mask


def random_ranks(rng: np.random.Generator, lengths: np.ndarray) -> np.ndarray:
    """In each row a random order of its first `lengths` (n,) places: the rank of each place, (n, longest).

    Places after them have higher ranks. Those of the lowest k ranks are k different places, all choices equally probable.
    """
    keys = rng.random((len(lengths), lengths.max()))
    keys = np.where(np.arange(lengths.max()) < lengths[:, None], keys, 2.0)
    return np.argsort(np.argsort(keys, axis=1), axis=1)
