"""Numbers in words, to be translated from one language into another that orders or counts them otherwise."""

import re
from collections.abc import Iterator
from functools import cache
from itertools import takewhile
from typing import Annotated, ClassVar, Literal

import numpy as np
from num2words import num2words
from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from tasks.pairs import Characters, Pair, Piece, Split, Translation, best_constant, split_of
from tasks.task import STRICT

Language = Literal["en", "de", "fr"]
Digits = Annotated[int, Field(ge=3, le=6)]

GLUE = re.compile(r"(?:,| and)? ?$")
"""What may stand between the hundreds or thousands and what follows: ", ", " and ", a space, or nothing."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Numbers(Translation):
    """Translate the words of a number from one language into another.

    Rule: a number of `digits` digits in words, or of `shortest` to `digits` with equal probability. English counts by tens;
    German says the units before the tens ("dreiundzwanzig", three and twenty); French counts some by twenties ("quatre-vingt-
    dix-sept", four twenties and seventeen). Words are those of the package num2words.

    One number in five, by a hash, is kept for the test: none of them occurs in `split` "training". Numbers have three digits
    at least, since no other number tells how "eleven" is translated, but 311 does. Defined by this suite.

    Worked example (English to German):

        five hundred and twenty-three → fünfhundertdreiundzwanzig
        fünf ← five, hundert ← hundred, drei ← three, zwanzig ← twenty

    Shapes: those of `PairBatch`. Alignment: the word of a digit is determined by the source's word of the same digit, "hundred"
    and "thousand" by those of the source. Where a language has one word for two of these ("elf", "onze", "cent" for one
    hundred), it is determined by all that tell a part of it, and determines them. What only joins words ("und", "et", hyphens,
    spaces) is determined by nothing. Score: the share of right tokens. `chance` is the score of the best constant answer.

    >>> {name: round(score, 3) for name, score in Numbers().references().items()}
    {'chance': 0.401, 'perfect': 1.0}
    """

    source: Language = "en"
    target: Language = "de"
    digits: Digits = 3
    shortest: Digits | None = None
    split: Split = "test"

    difficulty: ClassVar[str] = "digits"

    @model_validator(mode="after")
    def _check(self) -> "Numbers":
        if self.source == self.target:
            raise ValueError(f"source and target are both {self.source!r}")
        if self.shortest is not None and self.shortest > self.digits:
            raise ValueError(f"shortest must be at most digits ({self.digits})")
        return self

    @property
    def source_characters(self) -> Characters:
        return _characters(self.source)

    @property
    def target_characters(self) -> Characters:
        return _characters(self.target)

    def draw(self, rng: np.random.Generator, n: int) -> list[Pair]:
        lengths = rng.integers(self.shortest or self.digits, self.digits, size=n, endpoint=True)
        tables = [numbers(length, self.split) for length in lengths.tolist()]
        drawn = [int(table[place]) for table, place in zip(tables, rng.integers([*map(len, tables)]), strict=True)]
        return [Pair(pieces(number, self.source), pieces(number, self.target)) for number in drawn]

    def references(self) -> dict[str, float]:
        return {"chance": best_constant(self._targets()), "perfect": 1.0}

    def _targets(self) -> Iterator[tuple[str, float]]:
        """Every target and its probability."""
        lengths = range(self.shortest or self.digits, self.digits + 1)
        for length in lengths:
            chosen = numbers(length, self.split)
            for number in chosen.tolist():
                yield words(number, self.target), 1 / len(lengths) / len(chosen)


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
def _characters(language: Language) -> Characters:
    """Those of all words there are: in the numbers below 1000, and in a thousand and some."""
    return Characters.of(words(number, language) for number in range(1, 2000))
