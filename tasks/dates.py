"""Dates as people of ten languages write them, to be written in the form of ISO 8601."""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from typing import Annotated, ClassVar, NamedTuple

import numpy as np
import torch
from pydantic import Field
from pydantic.dataclasses import dataclass
from torch import Tensor

from tasks.split import Split, split_of
from tasks.task import STRICT, UNALIGNED, Batch
from tasks.translation import Characters, Translation, extra, with_ends
from tasks.words import ABSENT, close_up

LANGUAGES = ("en", "de", "fr", "es", "ru", "hu", "ja", "fi", "pl", "tr")
STYLES = ("full", "long", "medium")
"""The lengths of a date in the CLDR: the day of the week too, the month in a word, and shorter."""

FIRST, LAST = date(1900, 1, 1), date(2099, 12, 31)
FIELDS = ("between", "day", "month", "year", "weekday")
"""What a part of a written date tells; nothing, what stands between the others."""
LETTERS = {"d": "day", "M": "month", "L": "month", "y": "year", "E": "weekday", "c": "weekday"}
"""The fields by their letters in a CLDR pattern. The day of the week follows from the others."""
ANSWER = tuple(FIELDS.index(field) for field in (*["year"] * 4, "between", *["month"] * 2, "between", *["day"] * 2))
"""What each character of an answer tells."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Dates(Translation):
    """Write a date, given as people of some language write it, in the form year-month-day.

    Rule: a date between 1900 and 2099, one of the first `languages` of English, German, French, Spanish, Russian, Hungarian,
    Japanese, Finnish, Polish and Turkish, and one of three lengths are drawn, all equally probable. Texts are those of the
    Unicode CLDR as the package babel has them. The languages differ in the order of day, month and year, in the words for the
    twelve months, and in their scripts, so that one has to look to and fro in the source.

    The split is by a hash of the date, whatever its language: no test date occurs in training. A network is trained on all
    of its `languages` alike; a test on more of them has languages that it has never read. Defined by this suite; dates in
    many forms are a usual first example of attention.

    Worked example:

        2026. november 27., péntek → 2026-11-27

    Alignment: the four characters of the year are determined by the source's year, 2026, the two of the month by its month, a
    name or a number, here november, the two of the day by its day, 27; the hyphens by nothing.

    Shapes: inputs (n, T) tokens, the characters of the source; targets (n, 11), those of the answer and `END`. Loss:
    cross-entropy in nats. Score: the share of right symbols. `chance` is the score of the best constant answer.

    >>> {name: round(score, 3) for name, score in Dates().references().items()}
    {'chance': 0.507, 'perfect': 1.0}
    """

    languages: Annotated[int, Field(ge=1, le=len(LANGUAGES))] = 5

    difficulty: ClassVar[str] = "languages"
    max_difficulty: ClassVar[int] = len(LANGUAGES)

    @property
    def min_difficulty(self) -> int:  # type: ignore[override]  # all languages are trained alike
        return self.languages

    @property
    def source_characters(self) -> Characters:
        return _characters()

    @property
    def target_characters(self) -> Characters:
        return Characters.of(["-0123456789"])

    @property
    def longest(self) -> tuple[int, int]:
        forms = written_forms()[: self.languages * len(STYLES)]
        return max(sum(max(map(len, slot.texts)) for slot in form) for form in forms), len(ANSWER)

    def aligned_sample(self, rng: np.random.Generator, n: int) -> tuple[Batch, Tensor]:
        languages = rng.integers(self.draw_difficulties(rng, n))
        forms = len(STYLES) * languages + rng.integers(len(STYLES), size=n)
        days = _days(self.split)
        drawn = rng.integers(len(days.values), size=n)
        fields = _tables().fields[forms]
        values = np.take_along_axis(days.values[drawn], fields, axis=1)
        tokens = _tables().tokens[forms[:, None], np.arange(fields.shape[1]), values]
        told = np.where(tokens == ABSENT, ABSENT, fields[..., None])
        inputs, mask = close_up(tokens.reshape(n, -1))
        batch = Batch(
            torch.from_numpy(inputs), with_ends(days.answers[drawn], np.full(n, len(ANSWER))), torch.from_numpy(mask)
        )
        return batch, _spans(close_up(told.reshape(n, -1))[0])

    def answers(self) -> Iterator[tuple[str, float]]:
        days = dates(self.split)
        return ((day.isoformat(), 1 / len(days)) for day in days)


class Slot(NamedTuple):
    """A place in a form of a date: the field that stands there, and its text for each value."""

    field: str
    texts: tuple[str, ...]


class Days(NamedTuple):
    """The dates of a split: the value of each of `FIELDS` (dates, 5), from 0, and the answers' tokens (dates, 10)."""

    values: np.ndarray
    answers: np.ndarray


class Tables(NamedTuple):
    """The forms of all languages: each slot's field (forms, slots), and its tokens (forms, slots, values, characters)."""

    fields: np.ndarray
    tokens: np.ndarray


@cache
def dates(split: Split) -> tuple[date, ...]:
    """The dates of a split, in order."""
    days = (FIRST + timedelta(number) for number in range((LAST - FIRST).days + 1))
    return tuple(day for day in days if split_of(day.isoformat()) == split)


@cache
def written_forms() -> tuple[tuple[Slot, ...], ...]:
    """The forms of a date, by language and in each by length, as slots.

    >>> [slot.texts[-1] for slot in written_forms()[LANGUAGES.index("hu") * len(STYLES)]]
    ['2099', '. ', 'december', ' ', '31', '., ', 'vasárnap']
    """
    return tuple(tuple(_slots(language, style)) for language in LANGUAGES for style in STYLES)


def _slots(language: str, style: str) -> Iterator[Slot]:
    with extra("dates"):
        from babel import Locale
        from babel.dates import DateTimeFormat, tokenize_pattern
    locale = Locale(language)
    with_value = {  # a date with each value of a field
        "day": [date(2000, 1, number) for number in range(1, 32)],
        "month": [date(2000, number, 1) for number in range(1, 13)],
        "year": [date(number, 1, 1) for number in range(FIRST.year, LAST.year + 1)],
        "weekday": [date(2001, 1, number) for number in range(1, 8)],  # from a Monday on
    }
    for _, part in tokenize_pattern(locale.date_formats[style].pattern):
        if isinstance(part, str):
            yield Slot("between", (part,))
        else:
            letter, width = part
            field = LETTERS[letter]
            yield Slot(field, tuple(DateTimeFormat(day, locale)[letter * width] for day in with_value[field]))


@cache
def _characters() -> Characters:
    """Those of all languages."""
    return Characters.of(text for form in written_forms() for slot in form for text in slot.texts)


@cache
def _days(split: Split) -> Days:
    values = [[0, day.day - 1, day.month - 1, day.year - FIRST.year, day.weekday()] for day in dates(split)]
    characters = Dates().target_characters
    return Days(np.array(values), np.array([characters.tokens(day.isoformat()) for day in dates(split)]))


@cache
def _tables() -> Tables:
    forms, characters = written_forms(), _characters()
    slots = max(map(len, forms))
    texts = [text for form in forms for slot in form for text in slot.texts]
    fields = np.zeros((len(forms), slots), dtype=np.int64)
    tokens = np.full((*fields.shape, LAST.year - FIRST.year + 1, max(map(len, texts))), ABSENT)
    for form, row, table in zip(forms, fields, tokens, strict=True):
        for place, slot in enumerate(form):
            row[place] = FIELDS.index(slot.field)
            for value, text in enumerate(slot.texts):
                table[place, value, : len(text)] = characters.tokens(text)
    return Tables(fields, tokens)


def _spans(told: np.ndarray) -> Tensor:
    """The spans (n, 11, 2) of answers to sources of which each character tells a field (n, T)."""
    spans = np.full((len(told), len(ANSWER) + 1, 2), UNALIGNED)
    for place, field in enumerate(ANSWER):
        if field:
            there = told == field
            spans[:, place, 0] = there.argmax(1)
            spans[:, place, 1] = there.argmax(1) + there.sum(1)
    return torch.from_numpy(spans)
