"""Sequential digits: the images of scikit-learn, whole and in their splits, and classifiers that score what is said."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from builders.readers import error, score
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

from tasks import TASKS
from tasks.digits import PARTS, SCAN, Digits, images

N = 4000
BY_ROWS, PERMUTED = TASKS["digits"](), TASKS["digits"](scan="permuted")
PIXELS, LABELS = load_digits(return_X_y=True)
SPLITS = {"training": slice(0, 1150), "validation": slice(1150, 1437), "test": slice(1437, 1797)}


@pytest.mark.parametrize("split", SPLITS)
def test_a_split_draws_all_of_its_images_and_no_other(split: str) -> None:
    task = replace(BY_ROWS, split=split)
    batch = task.sample(np.random.default_rng(0), 20_000)
    own = {(*image, label) for image, label in zip(PIXELS[SPLITS[split]].tolist(), LABELS[SPLITS[split]], strict=True)}
    seen = {
        (*image, label)
        for image, label in zip((16 * batch.inputs[..., 0]).tolist(), batch.targets.tolist(), strict=True)
    }
    assert len(seen) == len(own) == len(seen & own)  # not ==, whose message would compare images for an hour


def test_no_image_is_in_two_splits_and_each_split_has_all_digits() -> None:
    parts = [set(map(tuple, PIXELS[part])) for part in SPLITS.values()]
    assert sum(map(len, parts)) == len(set.union(*parts)) == len(PIXELS)
    assert all(set(LABELS[part]) == set(range(10)) for part in SPLITS.values())
    assert list(PARTS) == list(SPLITS)


def test_networks_are_trained_chosen_and_tested_by_different_images() -> None:
    mixture, hard = BY_ROWS.mixture(), BY_ROWS.mixture().at(3)
    assert (mixture.split, mixture.validation().split, hard.validation().split, hard.split) == (
        "training",
        "validation",
        "validation",
        "test",
    )
    assert mixture.validation() == replace(mixture, split="validation")


def test_both_scans_show_the_same_pixels_and_the_permuted_one_is_a_fixed_order() -> None:
    one, other = (task.sample(np.random.default_rng(0), 50).inputs for task in (BY_ROWS, PERMUTED))
    assert sorted(SCAN["permuted"]) == list(range(64))
    assert SCAN["permuted"][:6].tolist() == [55, 51, 39, 49, 9, 50]  # whatever the machine
    assert torch.equal(one[:, SCAN["permuted"]], other)
    assert not torch.equal(one, other)


def test_after_the_image_come_zeros() -> None:
    batch = BY_ROWS.at(5).sample(np.random.default_rng(0), 20)
    assert batch.inputs.shape == (20, 68, 1)
    assert not batch.inputs[:, 64:].any()
    assert torch.equal(batch.inputs[:, :64], BY_ROWS.sample(np.random.default_rng(0), 20).inputs)


@pytest.mark.parametrize("task", [BY_ROWS, PERMUTED, BY_ROWS.mixture(), BY_ROWS.validation()])
def test_the_most_frequent_digit_and_nearest_images_score_what_the_references_say(task: Digits) -> None:
    part = SPLITS[task.split]
    references = task.references()
    assert references["chance"] == pytest.approx(np.bincount(LABELS[part]).max() / len(LABELS[part]))
    constant = int(np.bincount(LABELS[part]).argmax())
    batch = task.sample(np.random.default_rng(0), N)
    assert score(task, batch, [constant] * N) == pytest.approx(references["chance"], abs=error(0.1, N))
    for name, view in {"nearest image": np.asarray, "bag of pixels": lambda pixels: np.sort(pixels, axis=1)}.items():
        near = KNeighborsClassifier(2).fit(view(PIXELS[:1150]), LABELS[:1150])
        neighbours = near.kneighbors(view(PIXELS[part]), return_distance=False)
        own = np.arange(len(LABELS[part]))
        nearest = (
            np.where(neighbours[:, 0] == own, neighbours[:, 1], neighbours[:, 0])
            if task.split == "training"
            else neighbours[:, 0]
        )
        reached = float((LABELS[nearest] == LABELS[part]).mean())
        assert reached == pytest.approx(references[name], abs=0.005), name  # of equally near ones either may be taken


def test_frequencies_as_probabilities_lose_what_the_references_say() -> None:
    batch = BY_ROWS.sample(np.random.default_rng(0), N)
    outputs = torch.tensor(images("test").shares).log().float().expand(N, 10)
    assert float(BY_ROWS.loss(outputs, batch)) == pytest.approx(BY_ROWS.loss_references()["chance"], abs=0.01)
