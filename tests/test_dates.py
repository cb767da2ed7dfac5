"""Dates: a reader that knows the months of all languages, and never sees the pieces that dates are made of."""

import re
from datetime import date
from itertools import product
from typing import Literal

import numpy as np
import pytest
import torch
from babel.dates import format_date, get_month_names
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tasks.dates import FIRST, LANGUAGES, LAST, STYLES, Dates, dates, iso_pieces, written
from tasks.pairs import UNALIGNED, Pair, PairBatch, text

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


def both(task: Dates, batch: PairBatch) -> list[tuple[str, str]]:
    """The sources and the targets."""
    lines = (task.read(batch, index).splitlines()[0] for index in range(len(batch.targets)))
    return [(source, target) for source, target in (line.split(" → ") for line in lines)]


@each_language
@each_style
@given(days)
@settings(max_examples=60, deadline=None)
def test_a_date_is_written_as_babel_writes_it(language: str, style: str, day: date) -> None:
    assert text(written(day, language, style)) == format_date(day, style, language)


@each_language
@each_style
@given(days)
@settings(max_examples=30, deadline=None)
def test_no_text_is_ambiguous_whatever_its_language(language: str, style: str, day: date) -> None:
    assert parsed(text(written(day, language, style))) == day


@pytest.mark.parametrize("languages", [1, 10])
def test_whoever_knows_the_months_makes_no_mistake(languages: int) -> None:
    task = Dates(languages=languages)
    batch = task.sample(np.random.default_rng(0), 1000)
    answers = torch.zeros_like(batch.targets)
    for row, (source, _) in zip(answers, both(task, batch), strict=True):
        row[:10] = torch.tensor(task.target_characters.tokens(parsed(source).isoformat()))
    assert float(task.score(answers, batch)) == 1


def test_each_part_of_the_answer_is_aligned_with_its_text_in_the_source() -> None:
    task = Dates()
    batch = task.sample(np.random.default_rng(0), 600)
    for (source, target), spans in zip(both(task, batch), batch.alignment.tolist(), strict=True):
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


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "ja"])
@pytest.mark.parametrize("style", ["full", "long"])
@given(days)
@settings(max_examples=40, deadline=None)
def test_the_name_of_the_month_is_where_a_search_finds_it(language: str, style: str, day: date) -> None:
    """Japanese has figures for it."""
    name = get_month_names("wide", "format", language)[day.month]
    source = written(day, language, style)
    assert text(source).count(name) == 1
    start = text(source).find(name)
    assert Pair(source, iso_pieces(day)).spans()[5:7] == [(start, start + len(name))] * 2


def test_no_test_date_is_trained_on_in_any_form() -> None:
    drawn = []
    for split in ("training", "test"):
        task = Dates(split=split)
        drawn.append({target for _, target in both(task, task.sample(np.random.default_rng(0), 3000))})
    assert not drawn[0] & drawn[1]
    assert not set(dates("training")) & set(dates("test"))
    assert len(dates("training")) + len(dates("test")) == (LAST - FIRST).days + 1


def test_all_languages_and_lengths_are_drawn_and_no_others() -> None:
    task = Dates(languages=3)
    pairs = both(task, task.sample(np.random.default_rng(0), 400))
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
