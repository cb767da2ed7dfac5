"""Streams are named, independent, and never shared by accident."""

import numpy as np

from ablations.study.identity import identity
from ablations.study.seeds import generator, integer


def test_equal_names_give_equal_streams() -> None:
    assert np.array_equal(generator(1, "a", 2).random(5), generator(1, "a", 2).random(5))


def test_every_part_of_the_name_matters() -> None:
    names = [(0, "a", 1), (1, "a", 1), (0, "b", 1), (0, "a", 2), (0, "a", "1"), (0, "a"), (0, "a", 1, 0)]
    assert len({integer(seed, *name) for seed, *name in names}) == len(names)


def test_streams_are_uncorrelated() -> None:
    draws = np.stack([generator(0, "train", k).standard_normal(4000) for k in range(8)])
    off_diagonal = np.corrcoef(draws)[np.triu_indices(8, 1)]
    assert np.abs(off_diagonal).max() < 5 / np.sqrt(4000)


def test_identity_ignores_the_order_of_keys_and_nothing_else() -> None:
    assert identity({"a": 1, "b": [1, 2]}) == identity({"b": [1, 2], "a": 1})
    assert identity({"a": 1, "b": [1, 2]}) != identity({"a": 1, "b": [2, 1]})
