"""Temporal order: the paper's places, and readers of the letters that score what the references say."""

from math import log

import numpy as np
import pytest
import torch
from builders.readers import detector_score, error, ngrams, rows, score

from tasks import TASKS, Batch
from tasks.temporal_order import TemporalOrder

N = 8000
TWO, THREE = TASKS["temporal-order"](), TASKS["temporal-order"](marks=3)
each_task = pytest.mark.parametrize("task", [TWO, THREE, TWO.mixture()])
PAPER = {  # Hochreiter & Schmidhuber (1997), sections 5.6: the classes, and between which positions the marks are
    2: ({"XX": "Q", "XY": "R", "YX": "S", "YY": "U"}, [(10, 20), (50, 60)]),
    3: (
        {"XXX": "Q", "XXY": "R", "XYX": "S", "XYY": "U", "YXX": "V", "YXY": "A", "YYX": "B", "YYY": "C"},
        [(10, 20), (33, 43), (66, 76)],
    ),
}


def letters(task: TemporalOrder, batch: Batch) -> list[tuple[str, str]]:
    """The text of each sequence without spaces, and its class."""
    read = [task.read(batch, index).split(" → ") for index in range(len(batch.inputs))]
    return [(text.replace(" ", ""), answer) for text, answer in read]


@pytest.mark.parametrize("task", [TWO, THREE])
def test_marks_and_ends_are_where_the_paper_has_them(task: TemporalOrder) -> None:
    _, windows = PAPER[task.marks]
    texts = [text for text, _ in letters(task, task.sample(np.random.default_rng(0), 2000))]
    assert {len(text) for text in texts} == set(range(100, 111))
    places = np.array([[k for k, letter in enumerate(text) if letter in "XY"] for text in texts])
    assert [(low, high) for low, high in zip(places.min(0), places.max(0), strict=True)] == windows
    assert all(text[0] == "E" and text[-1] == "B" and set(text[1:-1]) <= set("abcdXY") for text in texts)


@each_task
def test_who_writes_down_the_marks_makes_no_error(task: TemporalOrder) -> None:
    batch = task.sample(np.random.default_rng(0), 200)
    classes, _ = PAPER[task.marks]
    for text, answer in letters(task, batch):
        assert classes["".join(letter for letter in text if letter in "XY")] == answer
    marks = [[token - 6 for token in row if token >= 6] for row in rows(batch)]
    assert score(task, batch, [int("".join(map(str, own)), base=2) for own in marks]) == 1


@each_task
def test_less_than_all_marks_score_what_the_references_say(task: TemporalOrder) -> None:
    batch = task.sample(np.random.default_rng(0), N)
    marks = np.array([[token - 6 for token in row if token >= 6] for row in rows(batch)])
    sorted_marks = np.sort(marks, axis=1)  # the order that a bag of words leaves open; any is as good
    readers = {"chance": 0 * marks, "last mark": marks[:, -1:] * np.ones_like(marks), "bag of words": sorted_marks}
    for name, answers in readers.items():
        reference = task.references()[name]
        classes = answers @ 2 ** np.arange(task.marks)[::-1]
        assert score(task, batch, classes.tolist()) == pytest.approx(reference, abs=error(reference, N)), name


@each_task
def test_even_odds_on_all_orders_of_a_bag_lose_what_the_references_say(task: TemporalOrder) -> None:
    batch = task.sample(np.random.default_rng(0), N)
    ones = torch.tensor([bin(k).count("1") for k in range(2**task.marks)])
    outputs = torch.where(ones == ones[batch.targets][:, None], 0.0, -99.0)
    assert float(task.loss(outputs, batch)) == pytest.approx(task.loss_references()["bag of words"], abs=0.03)
    assert float(task.loss(torch.zeros_like(outputs), batch)) == pytest.approx(task.loss_references()["chance"])
    assert task.loss_references()["chance"] == pytest.approx(log(2**task.marks))


@pytest.mark.slow
@pytest.mark.parametrize("task", [TWO, THREE])
def test_a_detector_of_neighbours_knows_no_more_than_a_bag_of_words(task: TemporalOrder) -> None:
    batches = [task.sample(np.random.default_rng(seed), 3000) for seed in (0, 1)]
    (train, classes), (test, right) = ((ngrams(batch, 8, 2), batch.targets.numpy()) for batch in batches)
    reference = task.references()["bag of words"]
    assert 0.8 * reference < detector_score(train, classes, test, right) < reference + error(reference, 3000)
