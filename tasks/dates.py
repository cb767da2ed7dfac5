"""Dates as people of ten languages write them, to be written in the form of ISO 8601."""

from datetime import date, timedelta
from functools import cache
from typing import Annotated, ClassVar

import numpy as np
from babel import Locale
from babel.dates import DateTimeFormat, tokenize_pattern
from pydantic import Field
from pydantic.dataclasses import dataclass

from tasks.pairs import Characters, Pair, Piece, Split, Translation, best_constant, split_of, text
from tasks.task import STRICT

LANGUAGES = ("en", "de", "fr", "es", "ru", "hu", "ja", "fi", "pl", "tr")
STYLES = ("full", "long", "medium")
"""The lengths of a date in the CLDR: the day of the week too, the month in a word, and shorter."""

FIRST, LAST = date(1900, 1, 1), date(2099, 12, 31)
PART_OF = {"d": "day", "M": "month", "L": "month", "y": "year"}
"""What the fields of a CLDR pattern tell of a date. The day of the week follows from the others."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Dates(Translation):
    """Write a date, given as people of some language write it, in the form year-month-day.

    Rule: a date between 1900 and 2099, one of the first `languages` of English, German, French, Spanish, Russian, Hungarian,
    Japanese, Finnish, Polish and Turkish, and one of three lengths are drawn, all equally probable. Texts are those of the
    Unicode CLDR as the package babel has them. The languages differ in the order of day, month and year, in the words for the
    twelve months, and in their scripts, so that one has to look to and fro in the source.

    One date in five, by a hash, is kept for the test, whatever its language: no test date occurs in `split` "training".
    Defined by this suite; dates in many forms are a usual first example of attention.

    Worked example:

        2026. november 27., péntek → 2026-11-27
        2026 ← 2026, 11 ← november, 27 ← 27

    Shapes: those of `PairBatch`. Alignment: the four characters of the year are determined by the source's year, the two of the
    month by its month, a name or a number, the two of the day by its day; the hyphens by nothing. Score: the share of
    right tokens. `chance` is the score of the best constant answer.

    >>> {name: round(score, 3) for name, score in Dates().references().items()}
    {'chance': 0.508, 'perfect': 1.0}
    """

    languages: Annotated[int, Field(ge=1, le=len(LANGUAGES))] = len(LANGUAGES)
    split: Split = "test"

    difficulty: ClassVar[str] = "languages"

    @property
    def source_characters(self) -> Characters:
        return _characters(self.languages)

    @property
    def target_characters(self) -> Characters:
        return Characters.of(["-0123456789"])

    def draw(self, rng: np.random.Generator, n: int) -> list[Pair]:
        days = dates(self.split)
        drawn = zip(*(rng.integers(count, size=n) for count in (len(days), self.languages, len(STYLES))), strict=True)
        return [Pair(written(days[k], LANGUAGES[i], STYLES[j]), iso_pieces(days[k])) for k, i, j in drawn]

    def references(self) -> dict[str, float]:
        days = dates(self.split)
        return {"chance": best_constant((day.isoformat(), 1 / len(days)) for day in days), "perfect": 1.0}


@cache
def dates(split: Split) -> tuple[date, ...]:
    """The dates of a split, in order."""
    days = (FIRST + timedelta(number) for number in range((LAST - FIRST).days + 1))
    return tuple(day for day in days if split_of(day.isoformat()) == split)


def written(day: date, language: str, style: str) -> list[Piece]:
    """A date in a language, in pieces.

    >>> text(written(date(2026, 11, 27), "fr", "full"))
    'vendredi 27 novembre 2026'
    """
    locale = Locale(language)
    fields = DateTimeFormat(day, locale)
    pieces = []
    for _, value in tokenize_pattern(locale.date_formats[style].pattern):
        if isinstance(value, str):  # what stands between the fields
            pieces.append(Piece(value))
        else:
            letter, width = value
            part = PART_OF.get(letter)
            pieces.append(Piece(fields[letter * width], frozenset({part} if part else ())))
    return pieces


def iso_pieces(day: date) -> list[Piece]:
    """A date as year-month-day, in pieces."""
    year, month, number = (
        Piece(value, frozenset({part}))
        for part, value in zip(("year", "month", "day"), day.isoformat().split("-"), strict=True)
    )
    return [year, Piece("-"), month, Piece("-"), number]


@cache
def _characters(languages: int) -> Characters:
    """Those of a leap year, which has all months, all days of the week, and all digits."""
    year = [date(2000, 1, 1) + timedelta(number) for number in range(366)]
    texts = (
        text(written(day, language, style)) for language in LANGUAGES[:languages] for style in STYLES for day in year
    )
    return Characters.of(texts)
