"""Numbers in words, to be translated from one language into another that orders or counts them otherwise."""

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import takewhile
from typing import Annotated, ClassVar, Literal, NamedTuple

import numpy as np
import torch
from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass
from torch import Tensor

from tasks.pieces import Piece, spans, text
from tasks.split import Split, split_of
from tasks.task import STRICT, UNALIGNED, Batch
from tasks.translation import Characters, Translation, extra, padded, with_ends

Language = Literal["en", "de", "fr"]

GLUE = re.compile(r"(?:,| and)? ?$")
"""What may stand between the hundreds or thousands and what follows: ", ", " and ", a space, or nothing."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Numbers(Translation):
    """Translate the words of a number from one language into another.

    Rule: a number of `digits` digits in words. English counts by tens; German says the units before the tens
    ("dreiundzwanzig", three and twenty); French counts some by twenties ("quatre-vingt-dix-sept", four twenties and
    seventeen). Words are those of the package num2words. Numbers have three digits at least, since no other number tells
    how "eleven" is translated, but 311 does; and six at most. The split is by a hash of the number. Defined by this suite.

    Worked example (English to German):

        five hundred and twenty-three → fünfhundertdreiundzwanzig

    Alignment: fünf is determined by five, hundert by hundred, drei by three, zwanzig by twenty. Where a language has one word
    for two of these ("elf", "onze", "cent" for one hundred), it is determined by all that tell a part of it, and determines
    them. What only joins words ("und", "et", hyphens, spaces) is determined by nothing.

    Shapes: inputs (n, T) tokens, the characters of the source; targets (n, U), those of the answer and `END`. Loss:
    cross-entropy in nats. Score: the share of right symbols. `chance` is the score of the best constant answer.

    >>> {name: round(score, 3) for name, score in Numbers().references().items()}
    {'chance': 0.385, 'perfect': 1.0}
    """

    source: Language = "en"
    target: Language = "de"
    digits: Annotated[int, Field(ge=3, le=6)] = 3

    difficulty: ClassVar[str] = "digits"
    min_difficulty: ClassVar[int] = 3
    max_difficulty: ClassVar[int] = 6

    @model_validator(mode="after")
    def _check(self) -> "Numbers":
        if self.source == self.target:
            raise ValueError(f"source and target are both {self.source!r}")
        return self

    @property
    def source_characters(self) -> Characters:
        return _characters(self.source)

    @property
    def target_characters(self) -> Characters:
        return _characters(self.target)

    @property
    def longest(self) -> tuple[int, int]:
        return _longest(self.source, self.digits), _longest(self.target, self.digits)

    def aligned_sample(self, rng: np.random.Generator, n: int) -> tuple[Batch, Tensor]:
        lengths = self.draw_difficulties(rng, n)
        tables = {length: numbers(length, self.split) for length in set(lengths.tolist())}
        places = rng.integers(np.array([len(tables[length]) for length in lengths.tolist()]))
        drawn = [int(tables[length][place]) for length, place in zip(lengths.tolist(), places.tolist(), strict=True)]
        pairs = [_pair(number, self.source, self.target) for number in drawn]
        sources, answers, aligned = (list(part) for part in zip(*pairs, strict=True))
        mask = np.arange(max(map(len, sources))) < np.array([*map(len, sources)])[:, None]
        targets = with_ends(padded(answers, 0), np.array([*map(len, answers)]))
        batch = Batch(torch.from_numpy(padded(sources, 0)), targets, torch.from_numpy(mask))
        return batch, torch.from_numpy(
            np.pad(padded(aligned, UNALIGNED), ((0, 0), (0, 1), (0, 0)), constant_values=UNALIGNED)
        )

    def answers(self) -> Iterator[tuple[str, float]]:
        for length, probability in zip(*self.difficulties(), strict=True):
            chosen = numbers(int(length), self.split).tolist()
            for number in chosen:
                yield words(number, self.target), float(probability) / len(chosen)


class _Pair(NamedTuple):
    """A number in two languages: tokens of the source (T,) and the answer (U,), and the answer's spans (U, 2)."""

    source: np.ndarray
    answer: np.ndarray
    spans: np.ndarray


@lru_cache(maxsize=200_000)
def _pair(number: int, source: Language, target: Language) -> _Pair:
    told, said = pieces(number, source), pieces(number, target)
    return _Pair(
        np.array(_characters(source).tokens(text(told))),
        np.array(_characters(target).tokens(text(said))),
        np.array(spans(told, said)),
    )


@cache
def numbers(digits: int, split: Split) -> np.ndarray:
    """The numbers of so many digits that are in a split."""
    return np.array([n for n in range(10 ** (digits - 1), 10**digits) if split_of(str(n)) == split])


def words(number: int, language: Language) -> str:
    """A number below a million in words.

    What follows the thousands is the same after any of them, which saves num2words most of its work.

    >>> words(71_023, "en"), words(71_023, "de"), words(71_023, "fr")
    ('seventy-one thousand and twenty-three', 'einundsiebzigtausenddreiundzwanzig', 'soixante et onze mille vingt-trois')
    """
    thousands, rest = divmod(number, 1000)
    if not thousands or not rest:
        return _spelt(number, language)
    return _spelt(1000 * thousands, language) + _spelt(1000 + rest, language).removeprefix(_spelt(1000, language))


@cache
def _spelt(number: int, language: Language) -> str:
    with extra("numbers"):
        from num2words import num2words
    return str(num2words(number, lang=language))


def pieces(number: int, language: Language) -> list[Piece]:
    """A number below a million in words, in pieces that tell its digits.

    >>> [(piece.text, sorted(piece.parts)) for piece in pieces(123, "fr")]
    [('cent', ['digit 2', 'hundred 0']), (' ', []), ('vingt', ['digit 1']), ('-', []), ('trois', ['digit 0'])]
    """
    thousands, rest = divmod(number, 1000)
    if not thousands:
        return _hundreds(rest, words(rest, language), language, 0)
    front, glue, end = _cut(words(number, language), words(rest, language) if rest else "")
    head = _shared_start(words(thousands, language), front)
    counted = _hundreds(thousands, head, language, 3) if head else []
    return [
        *counted,
        *_multiplier(front[len(head) :], {"thousand"} if head else {"thousand", "digit 3"}),
        *_joint(glue),
        *(_hundreds(rest, end, language, 0) if rest else []),
    ]


def _hundreds(number: int, said: str, language: Language, place: int) -> list[Piece]:
    """The pieces of a number below 1000 whose units are the digit `place`; its words may have lost a last letter."""
    hundreds, rest = divmod(number, 100)
    if not hundreds:
        return _tens(number, said, language, place)
    lost = len(words(number, language)) - len(said)
    ending = words(rest, language) if rest else ""
    front, glue, end = _cut(said, ending[: len(ending) - lost])
    head = _shared_start(words(hundreds, language), front)
    digit, multiplier = f"digit {place + 2}", f"hundred {place}"
    return [
        *([Piece(head, frozenset({digit}))] if head else []),
        *_multiplier(front[len(head) :], {multiplier} if head else {multiplier, digit}),
        *_joint(glue),
        *(_tens(rest, end, language, place) if rest else []),
    ]


def _tens(number: int, said: str, language: Language, place: int) -> list[Piece]:
    """The pieces of a number below 100: tens and units in either order, or one piece where they cannot be told apart."""
    tens, units = frozenset({f"digit {place + 1}"}), frozenset({f"digit {place}"})
    if number < 10 or number % 10 == 0:
        return [Piece(said, units if number < 10 else tens)]
    ten, unit = words(number // 10 * 10, language), words(number % 10, language)
    for first, last, parts in ((ten, unit, (tens, units)), (unit, ten, (units, tens))):
        start = _shared_start(first, said)
        if len(start) >= len(first) - 1 and said.endswith(last):  # "quatre-vingt-un" and "einundzwanzig" lack an s
            return [Piece(start, parts[0]), *_joint(said[len(start) : len(said) - len(last)]), Piece(last, parts[1])]
    return [Piece(said, tens | units)]


def _cut(said: str, ending: str) -> tuple[str, str, str]:
    """Words before an ending, the glue between both, and the ending."""
    assert said.endswith(ending)
    front = said[: len(said) - len(ending)]
    cut = len(GLUE.sub("", front, count=1))
    return front[:cut], front[cut:], ending


def _multiplier(said: str, parts: set[str]) -> list[Piece]:
    """ "hundred" or "thousand", and the space before it."""
    word = said.lstrip()
    return [*_joint(said[: len(said) - len(word)]), Piece(word, frozenset(parts))]


def _shared_start(one: str, other: str) -> str:
    """The letters with which both begin."""
    return "".join(letter for letter, _ in takewhile(lambda two: two[0] == two[1], zip(one, other, strict=False)))


def _joint(said: str) -> list[Piece]:
    """A piece that tells nothing, unless it is empty."""
    return [Piece(said)] if said else []


@cache
def _longest(language: Language, digits: int) -> int:
    """The most characters of a number of up to so many digits."""
    ends = max(len(words(1000 + rest, language)) for rest in range(1000)) - len(words(1000, language))
    thousands = [len(words(1000 * number, language)) for number in range(1, 10 ** (digits - 3))]
    return max(thousands) + ends if thousands else max(len(words(number, language)) for number in range(1000))


@cache
def _characters(language: Language) -> Characters:
    """Those of all words there are: in the numbers below 1000, and in a thousand and some."""
    return Characters.of(words(number, language) for number in range(1, 2000))
