"""Two texts that say the same, in pieces, and which piece of the one is determined by which of the other."""

from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from tasks.task import UNALIGNED


class Piece(NamedTuple):
    """A piece of a text, and the parts of the meaning that it tells: none, for a space or a hyphen."""

    text: str
    parts: frozenset[Hashable] = frozenset()


def text(pieces: Iterable[Piece]) -> str:
    """The text of some pieces."""
    return "".join(piece.text for piece in pieces)


def spans(source: Sequence[Piece], target: Sequence[Piece]) -> list[tuple[int, int]]:
    """The span of each target character: from the first source piece that tells a part of its piece to the last.

    >>> day, month = frozenset({"day"}), frozenset({"month"})
    >>> spans([Piece("May", month), Piece(" "), Piece("7", day)], [Piece("07", day), Piece("-"), Piece("5", month)])
    [(4, 5), (4, 5), (-1, -1), (0, 3)]
    """
    ends = np.cumsum([len(piece.text) for piece in source]).tolist()
    found = []
    for piece in target:
        telling = [number for number, other in enumerate(source) if other.parts & piece.parts]
        span = (UNALIGNED, UNALIGNED)
        if telling:
            span = ends[telling[0]] - len(source[telling[0]].text), ends[telling[-1]]
        found += [span] * len(piece.text)
    return found
