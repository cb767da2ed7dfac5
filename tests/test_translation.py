"""What dates and numbers share: pairs as tokens, their alignment, and the score of constant answers."""

import math
from collections import Counter

import numpy as np
import pytest
import torch
from builders.translations import alignments, is_symbol, said, texts
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import one_hot

from tasks import IGNORED, Translation
from tasks.dates import Dates
from tasks.numbers import Numbers
from tasks.pieces import Piece, spans
from tasks.split import split_of
from tasks.task import UNALIGNED
from tasks.translation import END, Characters, best_constant

FORMS: dict[str, Translation] = {
    "dates": Dates(languages=10),
    "english dates": Dates(languages=1, split="training"),
    "en-de": Numbers(),
    "de-fr": Numbers(source="de", target="fr", digits=5, shortest=3),
    "fr-en": Numbers(source="fr", target="en", digits=4, split="validation"),
}
each_form = pytest.mark.parametrize("task", FORMS.values(), ids=FORMS)


@each_form
def test_the_sample_is_the_aligned_one_without_its_spans(task: Translation) -> None:
    sample, (aligned, _) = (draw(np.random.default_rng(1), 9) for draw in (task.sample, task.aligned_sample))
    assert all(torch.equal(one, other) for one, other in zip(sample, aligned, strict=True))


@each_form
def test_every_answer_ends_and_ends_once(task: Translation) -> None:
    batch = task.sample(np.random.default_rng(0), 40)
    lengths = is_symbol(batch).sum(1)
    assert bool((batch.targets[torch.arange(40), lengths - 1] == END).all())
    assert bool(((batch.targets == END).sum(1) == 1).all())
    assert bool((batch.inputs[batch.mask] != END).all())


@each_form
def test_no_text_is_longer_than_the_task_says_and_some_are_as_long(task: Translation) -> None:
    batch = task.sample(np.random.default_rng(0), 20_000)
    longest = int(batch.mask.sum(1).max()), int(is_symbol(batch).sum(1).max()) - 1
    assert all(seen <= most <= seen + 3 for seen, most in zip(longest, task.longest, strict=True))
    assert (task.spec.length, task.spec.symbols) == (task.longest[0], task.longest[1] + 1)


@each_form
def test_spans_lie_in_the_source_and_neither_the_end_nor_what_follows_has_one(task: Translation) -> None:
    batch, aligned = task.aligned_sample(np.random.default_rng(0), 40)
    assert aligned.shape == (*batch.targets.shape, 2)
    assert aligned.dtype == torch.int64
    start, end = aligned.unbind(-1)
    has_span = start != UNALIGNED
    assert torch.equal(has_span, end != UNALIGNED)
    assert bool(((start >= 0) & (start < end) & (end <= batch.mask.sum(1, keepdim=True)))[has_span].all())
    assert not bool((has_span & ((batch.targets == END) | (batch.targets == IGNORED))).any())
    assert bool(has_span.any(1).all())


@each_form
def test_answers_have_equal_weight_whatever_their_length(task: Translation) -> None:
    batch = task.sample(np.random.default_rng(0), 40)
    is_right = (torch.rand(batch.targets.shape, generator=torch.Generator().manual_seed(0)) < 0.5) & is_symbol(batch)
    outputs = one_hot(torch.where(is_right, batch.targets, 1), len(task.target_characters)).float()
    right = ((outputs.argmax(-1) == batch.targets) & is_symbol(batch)).sum(1) / is_symbol(batch).sum(1)
    torch.testing.assert_close(task.score(outputs, batch), right.mean())
    assert float(task.further_scores(outputs, batch)["exact_match"]) == float((right == 1).float().mean())


@each_form
def test_one_wrong_symbol_is_no_exact_match_and_what_is_said_after_the_end_is_ignored(task: Translation) -> None:
    batch = task.sample(np.random.default_rng(0), 2)
    outputs = said(task, batch, [answer for _, answer in texts(task, batch)])
    outputs[~is_symbol(batch)] = 1 - outputs[~is_symbol(batch)]
    assert float(task.further_scores(outputs, batch)["exact_match"]) == float(task.score(outputs, batch)) == 1
    outputs[0, 2] = 1 - outputs[0, 2]
    assert float(task.further_scores(outputs, batch)["exact_match"]) == 0.5


@each_form
def test_the_best_constant_answer_scores_chance(task: Translation) -> None:
    """It is learnt from one large batch, place by place, and scored on another."""
    learnt, batch = (task.sample(np.random.default_rng(seed), 4000) for seed in (0, 1))
    weight = is_symbol(learnt) / is_symbol(learnt).sum(1, keepdim=True)
    won = torch.zeros(learnt.targets.shape[1], len(task.target_characters))
    for place in range(len(won)):
        won[place].index_add_(0, learnt.targets[:, place].clamp(min=0), weight[:, place])
    constant = torch.zeros(batch.targets.shape[1], dtype=torch.int64)
    constant[: len(won)] = won.argmax(1)[: len(constant)]
    right = ((constant == batch.targets) & is_symbol(batch)).sum(1) / is_symbol(batch).sum(1)
    # Learning loses a little where two symbols are about equally frequent.
    assert float(right.mean()) == pytest.approx(
        task.references()["chance"], abs=4 * float(right.std()) / 4000**0.5 + 0.006
    )


@pytest.mark.long
@each_form
def test_frequencies_by_place_as_probabilities_lose_what_the_reference_says(task: Translation) -> None:
    batch = task.sample(np.random.default_rng(0), 4000)
    shares = torch.zeros(batch.targets.shape[1], len(task.target_characters), dtype=torch.float64)
    for answer, probability in task.answers():
        for place, symbol in enumerate([*task.target_characters.tokens(answer), END][: len(shares)]):
            shares[place, symbol] += probability / (len(answer) + 1)
    outputs = (shares / shares.sum(1, keepdim=True)).log().clamp(min=-30).float().expand(4000, -1, -1)
    assert float(task.loss(outputs, batch)) == pytest.approx(task.loss_references()["chance"], rel=0.02)


@each_form
def test_what_is_aligned_makes_up_the_answer_but_for_what_only_joins(task: Translation) -> None:
    for source, answer, pieces in alignments(task, 3, 20):
        assert all(told in source for _, told in pieces)
        rest = Counter(answer) - Counter("".join(piece for piece, _ in pieces))
        assert set(rest) <= set("-und et,a ")


@given(st.lists(st.text(min_size=1), min_size=1))
@settings(max_examples=50, deadline=None)
def test_texts_survive_the_way_to_tokens_and_back(texts: list[str]) -> None:
    characters = Characters.of(texts)
    for each in texts:
        tokens = characters.tokens(each)
        assert END not in tokens
        assert characters.text([*tokens, END, IGNORED]) == each
    assert len(characters) == 1 + len(set("".join(texts)))


@given(st.lists(st.text("abc", max_size=3), min_size=1, max_size=6))
@settings(max_examples=50, deadline=None)
def test_the_best_constant_is_the_best_of_all_answers(targets: list[str]) -> None:
    """Each place is chosen for itself, so that trying all symbols at each place finds the best of all answers."""
    total, loss = 0.0, 0.0
    for place in range(4):
        at_place = [(target + ".", target) for target in targets if len(target) >= place]
        won = [sum(1 / len(ended) for ended, _ in at_place if ended[place : place + 1] == symbol) for symbol in "abc."]
        total += max(won)
        loss -= sum(w * math.log(w / sum(won)) for w in won if w)
    expected = pytest.approx((total / len(targets), loss / len(targets)))
    assert best_constant((target, 1 / len(targets)) for target in targets) == expected


def test_a_piece_that_tells_two_parts_reaches_over_all_that_tell_one() -> None:
    one, two = frozenset({1}), frozenset({2})
    source = [Piece("einund", one), Piece("zwanzig", two), Piece("!")]
    assert spans(source, [Piece("xx", one | two), Piece("?"), Piece("y", two)]) == [
        *[(0, 13), (0, 13)],
        (UNALIGNED, UNALIGNED),
        (6, 13),
    ]


def test_of_ten_texts_two_are_kept_for_the_test_and_one_to_choose_by() -> None:
    counts = Counter(split_of(str(number)) for number in range(10_000))
    assert counts["test"] == pytest.approx(2000, abs=200)
    assert counts["validation"] == pytest.approx(1000, abs=150)
