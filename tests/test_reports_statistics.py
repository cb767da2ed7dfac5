"""The statistics against oracles that share no code with them."""

from itertools import product

import numpy as np
import pytest

from reports.skill import skill
from reports.statistics import geometric_mean, half_life, mean, pooled, probability_of_improvement


def rng():
    return np.random.default_rng(0)


def test_interval_of_a_mean_agrees_with_every_possible_resample():
    values = [0.113, 0.409, 0.537, 0.871, 0.224, 0.352]
    exhaustive = np.array(list(product(values, repeat=6))).mean(axis=1)
    found = mean(values, rng())
    assert found.value == pytest.approx(np.mean(values))
    assert (found.low, found.high) == pytest.approx(np.percentile(exhaustive, [2.5, 97.5]), abs=0.02)


def test_interval_covers_the_true_mean_about_as_often_as_it_says():
    draws = np.random.default_rng(1).normal(3.0, 1.0, size=(150, 40))
    covered = [found.low <= 3.0 <= found.high for found in (mean(values, rng()) for values in draws)]
    assert 0.88 <= np.mean(covered) <= 0.99


def test_equal_values_give_an_interval_without_width():
    found = mean([0.7] * 6, rng())
    assert (found.value, found.low, found.high, found.n) == pytest.approx((0.7, 0.7, 0.7, 6))


def test_one_run_gives_no_interval_and_says_so():
    found = mean([0.7], rng())
    assert found.value == 0.7
    assert np.isnan(found.low)
    assert np.isnan(found.high)
    assert str(found) == "0.7 (n = 1)"


def test_the_same_generator_state_gives_the_same_interval():
    values = np.random.default_rng(2).random(30)
    assert mean(values, rng()) == mean(values, rng())
    assert mean(values, rng()) != mean(values, np.random.default_rng(5))


def test_pooling_ignores_the_outer_quarters():
    assert pooled([[0.0, 0.4, 0.6, 1.0]], rng()).value == pytest.approx(0.5)
    assert pooled([[-100.0, 0.4, 0.6, 100.0]], rng()).value == pytest.approx(0.5)


def test_pooling_resamples_each_task_apart():
    """Two tasks without spread leave nothing to resample, however far apart they are."""
    apart = pooled([[0.0] * 5, [1.0] * 5], rng())
    assert apart.low == apart.value == apart.high == pytest.approx(0.5)
    together = pooled([[0.0] * 5 + [1.0] * 5], rng())
    assert together.high - together.low > 0.5


def test_pooling_counts_all_runs():
    assert pooled([[1, 2, 3], [4, 5]], rng()).n == 5


def test_geometric_mean_of_a_ratio_and_its_inverse_is_one():
    assert geometric_mean([4.0, 0.25], rng()).value == pytest.approx(1.0)


@pytest.mark.parametrize(("a", "b", "expected"), [([2, 2], [1, 1], 1.0), ([1, 1], [1, 1], 0.5), ([0, 3], [1, 1], 0.5)])
def test_improvement_counts_wins_and_half_of_ties(a, b, expected):
    assert probability_of_improvement(a, b, rng()).value == expected


def test_improvement_pairs_by_position():
    """Unpaired, one of these is larger in 6 of 9 pairs; paired, in all 3."""
    assert probability_of_improvement([1.1, 2.1, 3.1], [1, 2, 3], rng()).value == 1.0


def test_skill_is_zero_at_chance_one_at_perfection_and_negative_below_chance():
    assert skill([0.25, 1.0, 0.0], 0.25, 1.0) == pytest.approx([0.0, 1.0, -1 / 3])


@pytest.mark.parametrize(
    ("skills", "expected"),
    [([1.0, 0.9, 0.8], np.inf), ([0.4, 0.3, 0.2], 10.0), ([1.0, 0.0, 1.0], 15.0), ([1.0, 1.0, 0.0], 25.0)],
)
def test_half_life_is_where_skill_first_falls_to_one_half(skills, expected):
    assert half_life([10, 20, 30], skills) == pytest.approx(expected)
