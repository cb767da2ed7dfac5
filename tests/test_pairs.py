"""What dates and numbers share: pairs as tokens, their masks, their alignment, and the score of constant answers."""

from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.dates import Dates
from tasks.numbers import Numbers
from tasks.pairs import END, UNALIGNED, Characters, Pair, Piece, Translation, best_constant, split_of, text

FORMS: dict[str, Translation] = {
    "dates": Dates(),
    "english dates": Dates(languages=1, split="training"),
    "en-de": Numbers(),
    "de-fr": Numbers(source="de", target="fr", digits=5, shortest=3),
    "fr-en": Numbers(source="fr", target="en", digits=4, split="training"),
}
each_form = pytest.mark.parametrize("task", FORMS.values(), ids=FORMS)


@each_form
def test_same_state_same_pairs_and_other_seeds_give_others(task: Translation) -> None:
    one, same, other = (task.sample(np.random.default_rng(seed), 9) for seed in (1, 1, 2))
    assert all(torch.equal(a, b) for a, b in zip(one, same, strict=True))
    assert task.read(one, 0) != task.read(other, 0)


@each_form
def test_shapes_and_types_are_as_the_batch_says(task: Translation) -> None:
    sources, targets, source_mask, target_mask, alignment = task.sample(np.random.default_rng(0), 40)
    for tokens, mask, characters in (
        (sources, source_mask, task.source_characters),
        (targets, target_mask, task.target_characters),
    ):
        assert tokens.shape == mask.shape
        assert (tokens.dtype, mask.dtype) == (torch.int64, torch.bool)
        assert bool(mask.any(0).all())  # padded to the longest, and no further
        assert bool((mask[:, :-1] | ~mask[:, 1:]).all())
        assert not tokens[~mask].any()
        assert int(tokens.max()) < len(characters)
    assert alignment.shape == (*targets.shape, 2)
    assert alignment.dtype == torch.int64


@each_form
def test_every_target_ends_and_ends_once(task: Translation) -> None:
    batch = task.sample(np.random.default_rng(0), 40)
    lengths = batch.target_mask.sum(1)
    assert bool((batch.targets[torch.arange(40), lengths - 1] == END).all())
    assert bool((((batch.targets == END) & batch.target_mask).sum(1) == 1).all())
    assert bool((batch.sources[batch.source_mask] != END).all())


@each_form
def test_spans_lie_in_the_source_and_neither_the_end_nor_padding_has_one(task: Translation) -> None:
    batch = task.sample(np.random.default_rng(0), 40)
    start, end = batch.alignment.unbind(-1)
    aligned = start != UNALIGNED
    assert torch.equal(aligned, end != UNALIGNED)
    assert bool(((start >= 0) & (start < end) & (end <= batch.source_mask.sum(1, keepdim=True)))[aligned].all())
    assert not bool((aligned & (batch.targets == END)).any())
    assert bool(aligned.any(1).all())


@each_form
def test_right_answers_score_one_whatever_is_said_on_padding(task: Translation) -> None:
    batch = task.sample(np.random.default_rng(0), 40)
    answers = torch.where(batch.target_mask, batch.targets, 3)
    assert float(task.score(answers, batch)) == task.references()["perfect"] == 1


@each_form
def test_pairs_have_equal_weight_whatever_their_length(task: Translation) -> None:
    batch = task.sample(np.random.default_rng(0), 40)
    answers = torch.where(torch.rand(batch.targets.shape) < 0.5, batch.targets, 1)
    right = ((answers == batch.targets) & batch.target_mask).sum(1) / batch.target_mask.sum(1)
    torch.testing.assert_close(task.score(answers, batch), right.mean())


@each_form
def test_the_best_constant_answer_scores_chance(task: Translation) -> None:
    """It is learnt from one large batch, place by place, and scored on another."""
    learnt, batch = (task.sample(np.random.default_rng(seed), 4000) for seed in (0, 1))
    weight = learnt.target_mask / learnt.target_mask.sum(1, keepdim=True)
    won = torch.zeros(learnt.targets.shape[1], len(task.target_characters))
    for place in range(len(won)):
        won[place].index_add_(0, learnt.targets[:, place], weight[:, place])
    constant = torch.zeros(batch.targets.shape[1], dtype=torch.int64)
    constant[: len(won)] = won.argmax(1)[: len(constant)]
    answers = constant.expand_as(batch.targets)
    right = ((answers == batch.targets) & batch.target_mask).sum(1) / batch.target_mask.sum(1)
    # Learning loses a little where two tokens are about equally frequent.
    assert float(task.score(answers, batch)) == pytest.approx(
        task.references()["chance"], abs=4 * float(right.std()) / 4000**0.5 + 0.004
    )


@each_form
def test_the_reading_shows_source_target_and_what_is_determined_by_what(task: Translation) -> None:
    pair = task.draw(np.random.default_rng(3), 1)[0]
    first, second = task.read(task.sample(np.random.default_rng(3), 1), 0).splitlines()
    assert first == f"{text(pair.source)} → {text(pair.target)}"
    target = "".join(run.partition(" ← ")[0] for run in second.split(", "))
    joints = Counter(text(piece for piece in pair.target if not piece.parts))
    assert Counter(text(pair.target)) == Counter(target) + joints


@given(st.lists(st.text(min_size=1), min_size=1))
@settings(max_examples=50, deadline=None)
def test_texts_survive_the_way_to_tokens_and_back(texts: list[str]) -> None:
    characters = Characters.of(texts)
    for each in texts:
        tokens = characters.tokens(each)
        assert END not in tokens
        assert characters.text([*tokens, END, END]) == each
    assert len(characters) == 1 + len(set("".join(texts)))


@given(st.lists(st.text("abc", max_size=3), min_size=1, max_size=6))
@settings(max_examples=50, deadline=None)
def test_the_best_constant_is_the_best_of_all_answers(targets: list[str]) -> None:
    """Each place is chosen for itself, so that trying all tokens at each place finds the best of all answers."""
    total = 0.0
    for place in range(4):
        at_place = [(target + ".", target) for target in targets if len(target) >= place]
        total += max(
            (sum(1 / len(ended) for ended, _ in at_place if ended[place : place + 1] == token) for token in "abc."),
            default=0,
        )
    assert best_constant((target, 1 / len(targets)) for target in targets) == pytest.approx(total / len(targets))


def test_a_piece_that_tells_two_parts_reaches_over_all_that_tell_one() -> None:
    one, two = frozenset({1}), frozenset({2})
    source = [Piece("einund", one), Piece("zwanzig", two), Piece("!")]
    assert Pair(source, [Piece("xx", one | two), Piece("?"), Piece("y", two)]).spans() == [
        *[(0, 13), (0, 13)],
        (UNALIGNED, UNALIGNED),
        (6, 13),
    ]


def test_about_one_in_five_is_kept_for_the_test() -> None:
    share = sum(split_of(str(number)) == "test" for number in range(10_000)) / 10_000
    assert share == pytest.approx(0.2, abs=0.02)
