"""Words: texts survive the way to tokens and back, and sentences close up as if done by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tasks.words import ABSENT, Vocabulary, close_up

few = settings(max_examples=50, deadline=None)
texts = st.lists(st.lists(st.sampled_from(["I", "we", "you", "speak", "grew", "up", "in"]), min_size=1), min_size=1)


@given(texts)
@few
def test_a_text_survives_the_way_to_tokens_and_back(words: list[list[str]]) -> None:
    lines = [" ".join(line) for line in words]
    vocabulary = Vocabulary.of(lines)
    assert [vocabulary.text(vocabulary.tokens(line)) for line in lines] == lines
    assert sorted(vocabulary.words) == sorted({word for line in words for word in line})
    assert vocabulary.tokens(" ".join(vocabulary.words)).tolist() == list(range(len(vocabulary)))


@given(texts)
@few
def test_a_table_is_its_texts_with_nothing_after_their_ends(words: list[list[str]]) -> None:
    lines = [" ".join(line) for line in words]
    vocabulary = Vocabulary.of(lines)
    for line, row in zip(lines, vocabulary.table(lines).tolist(), strict=True):
        length = len(line.split())
        assert vocabulary.text(row[:length]) == line
        assert set(row[length:]) <= {ABSENT}


def test_a_word_that_is_not_in_the_vocabulary_is_an_error() -> None:
    with pytest.raises(KeyError, match="Klingon"):
        Vocabulary(("French",)).tokens("Klingon")


@given(arrays(np.int64, st.tuples(st.integers(1, 4), st.integers(1, 40)), elements=st.integers(ABSENT, 3)))
@few
def test_closing_up_leaves_out_what_is_absent_and_keeps_the_order(tokens: np.ndarray) -> None:
    inputs, mask = close_up(tokens)
    rows = [[token for token in row if token != ABSENT] for row in tokens.tolist()]
    assert inputs.shape == mask.shape == (len(rows), max(map(len, rows)))
    for row, closed, real in zip(rows, inputs.tolist(), mask.tolist(), strict=True):
        assert closed == row + [0] * (len(closed) - len(row))
        assert real == [True] * len(row) + [False] * (len(closed) - len(row))
