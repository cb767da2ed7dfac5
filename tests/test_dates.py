"""Dates: a reader that knows the months of all languages, and never sees the pieces that dates are made of."""

import re
from datetime import date
from itertools import product
from typing import Literal, get_args

import numpy as np
import pytest
from babel.dates import format_date, get_month_names
from builders.translations import said, texts
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tasks.dates import FIRST, LANGUAGES, LAST, STYLES, Dates, dates, written_forms
from tasks.split import Split, split_of
from tasks.task import UNALIGNED

WIDTHS: tuple[Literal["wide", "abbreviated"], ...] = ("wide", "abbreviated")
CONTEXTS: tuple[Literal["format", "stand-alone"], ...] = ("format", "stand-alone")
MONTHS = {
    name.casefold().rstrip("."): month
    for language, width, context in product(LANGUAGES, WIDTHS, CONTEXTS)
    for month, name in get_month_names(width, context, language).items()
    if not name[0].isdigit()
}
days = st.dates(FIRST, LAST)
each_language = pytest.mark.parametrize("language", LANGUAGES)
each_style = pytest.mark.parametrize("style", STYLES)


def parsed(source: str) -> date:
    """The date that a text in one of the languages means."""
    figures = [int(figure) for figure in re.findall(r"\d+", source)]
    names = {MONTHS[word] for word in re.findall(r"[^\W\d]+", source.casefold()) if word in MONTHS}
    if names:
        (month,) = names
        day, year = sorted(figures)
    elif figures[0] > 31:
        year, month, day = figures
    else:
        day, month, year = figures
    return date(year, month, day)


def written(day: date, language: str, style: str) -> str:
    """A date in a form of the task."""
    form = written_forms()[LANGUAGES.index(language) * len(STYLES) + STYLES.index(style)]
    values = {
        "between": 0,
        "day": day.day - 1,
        "month": day.month - 1,
        "year": day.year - 1900,
        "weekday": day.weekday(),
    }
    return "".join(slot.texts[values[slot.field]] for slot in form)


@each_language
@each_style
@given(days)
@settings(max_examples=60, deadline=None)
def test_a_date_is_written_as_babel_writes_it(language: str, style: str, day: date) -> None:
    assert written(day, language, style) == format_date(day, style, language)


@each_language
@each_style
@given(days)
@settings(max_examples=30, deadline=None)
def test_no_text_is_ambiguous_whatever_its_language(language: str, style: str, day: date) -> None:
    assert parsed(written(day, language, style)) == day


@pytest.mark.parametrize("languages", [1, 10])
def test_whoever_knows_the_months_makes_no_mistake(languages: int) -> None:
    task = Dates(languages=languages)
    batch = task.sample(np.random.default_rng(0), 1000)
    answers = said(task, batch, [parsed(source).isoformat() for source, _ in texts(task, batch)])
    assert float(task.score(answers, batch)) == 1


def test_each_part_of_the_answer_is_aligned_with_its_text_in_the_source() -> None:
    task = Dates(languages=10)
    batch, aligned = task.aligned_sample(np.random.default_rng(0), 600)
    for (source, target), spans in zip(texts(task, batch), aligned.tolist(), strict=True):
        year, month, day = (map(tuple, spans[part]) for part in (slice(4), slice(5, 7), slice(8, 10)))
        ((start, end),) = set(year)
        assert (start, end) == (source.find(target[:4]), source.find(target[:4]) + 4)
        ((start, end),) = set(day)
        assert (source[start - 1 : start] + source[end : end + 1]).strip().isdigit() is False
        assert int(source[start:end]) == int(target[8:10])
        ((month_start, month_end),) = set(month)
        name = source[month_start:month_end]
        assert int(name) if name.isdigit() else MONTHS[name.casefold().rstrip(".")] == int(target[5:7])
        assert (month_start, month_end) != (start, end)
        assert spans[4] == spans[7] == spans[10] == [UNALIGNED, UNALIGNED]


def test_no_test_date_is_trained_on_in_any_form() -> None:
    drawn = {}
    for split, task in (("training", Dates().mixture()), ("validation", Dates().validation()), ("test", Dates().at(5))):
        drawn[split] = {target for _, target in texts(task, task.sample(np.random.default_rng(0), 3000))}
        assert {split_of(target) for target in drawn[split]} == {split}
    assert not drawn["training"] & drawn["test"]
    assert sum(len(dates(split)) for split in get_args(Split)) == (LAST - FIRST).days + 1


def test_all_languages_and_lengths_are_drawn_and_no_others() -> None:
    task = Dates(languages=3)
    pairs = texts(task, task.sample(np.random.default_rng(0), 400))
    forms = set()
    for source, target in pairs:
        day = date.fromisoformat(target)
        fitting = {form for form in product(LANGUAGES[:3], STYLES) if format_date(day, form[1], form[0]) == source}
        assert fitting
        forms |= fitting
    assert forms == set(product(LANGUAGES[:3], STYLES))


def test_chance_is_the_share_of_the_most_frequent_characters() -> None:
    digits = np.array([list(day.isoformat()) for day in dates("test")])
    shares = [np.unique(column, return_counts=True)[1].max() / len(digits) for column in digits.T]
    assert Dates().references()["chance"] == pytest.approx((sum(shares) + 1) / 11)  # and the end


@pytest.mark.parametrize("wrong", [{"languages": 0}, {"languages": 11}, {"split": "all"}, {"style": "short"}])
def test_impossible_parameters_are_errors(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Dates(**wrong)  # type: ignore[arg-type]


def test_networks_read_the_same_characters_whatever_they_are_trained_on() -> None:
    assert Dates(languages=1).spec.vocabulary == Dates(languages=10).spec.vocabulary
    assert Dates(languages=3).grid() == (3, 5, 6)
    assert Dates(languages=8).grid() == (8, 10)
