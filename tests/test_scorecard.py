"""A scorecard says of each task whether what is tried is better or worse than the others, by the rules of the claims."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from builders.fake_record import World, fake_study

from reports.claims.comparison import MARGIN
from reports.estimates import Estimates
from reports.page_one.facts import facts
from reports.page_one.numbers import in_words
from reports.result_tables import ResultTables
from reports.scorecard import WORDS, rule, scorecard, word_of, write_scorecard
from reports.search_summary import windows
from reports.statistics.decision import ALPHA, sign_test

AGAINST = ("lstm", "gru")
TASKS = ("copying", "adding", "france")
SKILL = {
    ("copying", "rnn"): 0.99, ("copying", "lstm"): 0.5, ("copying", "gru"): 0.99,
    ("adding", "rnn"): 0.5, ("adding", "lstm"): 0.98, ("adding", "gru"): 0.5,
    ("france", "rnn"): 0.97, ("france", "lstm"): 0.97, ("france", "gru"): 0.9,
}  # fmt: skip
WORLD = World(
    tasks=TASKS, variants=("lstm", "gru", "rnn"), replicates=10, diverged=(), noise=0.001, skill=SKILL, parents={}
)


def estimates(world: World = WORLD) -> Estimates:
    return Estimates(ResultTables(fake_study(world, "try-mine")))


@pytest.mark.parametrize(
    ("task", "other", "word"),
    [
        ("copying", "lstm", "better"),
        ("copying", "gru", "as good"),
        ("adding", "lstm", "worse"),
        ("france", "lstm", "as good"),
        ("france", "gru", "better"),
    ],
)
def test_a_difference_that_most_seeds_show_is_named(task: str, other: str, word: str) -> None:
    assert word_of(estimates(), "rnn", other, task)[0] == word


def test_a_task_that_needs_the_future_is_out_of_reach_of_those_who_do_not_read_it() -> None:
    world = replace(WORLD, tasks=("disambiguation",), variants=("lstm", "gru", "rnn", "bilstm"), skill={})
    assert word_of(estimates(world), "rnn", "lstm", "disambiguation")[0] == "out of reach"
    assert word_of(estimates(world), "bilstm", "lstm", "disambiguation")[0] == "better"


def test_two_seeds_decide_nothing() -> None:
    few = estimates(replace(WORLD, replicates=2))
    assert {word_of(few, "rnn", other, "copying")[0] for other in AGAINST} == {"undecided"}


def test_the_page_has_a_row_for_each_task_and_each_of_the_others() -> None:
    page = scorecard(estimates(), AGAINST)
    assert [row.title for row in page.strip.rows][:2] == ["rnn beside lstm on copying", "rnn beside lstm on adding"]
    assert len(page.strip.rows) == 6
    assert {row.word for row in page.strip.rows} <= set(WORDS)
    (sentence,) = page.answer
    assert "beside lstm it is better on copying, worse on adding, as good on france" in sentence
    assert "of gru's training time" in sentence


def test_it_is_written_as_one_page_with_its_tables(tmp_path: Path) -> None:
    html, pdf = write_scorecard(fake_study(WORLD, "try-mine"), tmp_path / "card", AGAINST)
    assert pdf.read_bytes().startswith(b"%PDF")
    text = html.read_text(encoding="utf-8")
    assert "rnn beside lstm on copying" in text
    assert 'id="contents"' not in text
    verdicts = pd.read_csv(html.parent / "tables" / "verdicts.csv")
    assert list(verdicts["verdict"][:2]) == ["better", "worse"]


@pytest.mark.parametrize("seeds", range(2, 31))
def test_the_rule_says_how_many_seeds_are_needed_and_so_many_are(seeds: int) -> None:
    """Against the words of made-up samples: with so many seeds above the limit it is better, with one less it is not."""
    text = rule(seeds)
    if seeds < 6:
        assert text == f"{seeds} seeds for each network decide nothing: at least 6 are needed."
        return
    needed = int(text.split()[3])
    enough, less = (sign_test(np.array([1.0] * k + [0.0] * (seeds - k)), MARGIN) for k in (needed, needed - 1))
    assert enough <= ALPHA < less


def test_nothing_is_claimed_on_the_page_of_who_claims_nothing() -> None:
    page = scorecard(estimates(), AGAINST)
    for row in page.strip.rows:
        assert row.measurement is not None
        assert in_words(row.measurement).endswith("limit ±0.02")
    assert in_words(replace(page.strip.rows[0].measurement, is_claimed=True)).endswith("claimed above 0.02")  # type: ignore[type-var]


def test_the_page_says_which_best_values_lie_at_an_end_and_what_to_do() -> None:
    found = dict(facts(estimates()))["How fair?"]
    table = windows(estimates().results)
    edges = table[table["edge"] != ""]
    assert f"{len(edges)} of {len(table)} best values lie at an end of those tried (" in found
    first = edges.iloc[0]
    assert f"{first['factor']} of {first['variant']} on {first['task']}" in found
    assert found.endswith("a wider range or more trials may find better ones there.")
