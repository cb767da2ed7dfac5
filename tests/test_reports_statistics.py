"""The statistics against oracles that share no code with them: SciPy, statsmodels where it is there, brute force."""

from itertools import product
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from reports.skill import half_life, skill
from reports.statistics import sample as samples
from reports.statistics.capacity import Shape, chances, least_beyond, seeds_needed, smallest_decided
from reports.statistics.decision import decided_items, exact, holm, of_runs, of_tasks, sign_test, welch_tests, words
from reports.statistics.intervals import (
    geometric_mean,
    mean,
    mean_over_tasks,
    median,
    order_rank,
    prediction,
    probability_of_improvement,
    proportion,
)
from reports.statistics.ranks import is_better, rank_ranges, ranked
from reports.statistics.sample import sample

VALUES = [0.113, 0.409, 0.537, 0.871, 0.224, 0.352]
LISTS = st.lists(st.floats(-5, 5, allow_nan=False), min_size=6, max_size=14)


def rng():
    return np.random.default_rng(0)


def test_the_interval_of_a_mean_is_students():
    found = mean(sample(VALUES))
    interval = stats.ttest_1samp(VALUES, 0).confidence_interval(0.95)
    assert (found.value, found.low, found.high, found.n) == pytest.approx((np.mean(VALUES), *interval, 6))


def test_no_interval_is_without_width_where_scores_are_equal():
    floor = samples.test_set_variance(1.0, 1024)
    for found in (mean(sample([1.0] * 6, floor, (0, 1))), median(sample([1.0] * 6, floor, (0, 1)))):
        assert found.low < found.value == found.high == 1.0
        assert found.low == pytest.approx(1 - stats.t.ppf(0.975, 5) * np.sqrt(floor / 6))


def test_the_test_set_gives_the_variance_of_the_adjusted_share():
    assert samples.test_set_variance(0.5, 100) == pytest.approx(0.25 / 100)
    assert samples.test_set_variance(1.0, 100) == pytest.approx((102 / 104) * (2 / 104) / 100)


def test_intervals_stay_in_the_range_of_a_score():
    found = mean(sample([0.0, 1.0, 1.0, 1.0], 0.0, (0.0, 1.0)))
    assert (found.low, found.high) == (pytest.approx(0.0, abs=0.05), 1.0)


@pytest.mark.parametrize("n", range(6, 31))
def test_the_order_statistics_around_a_median_are_those_of_scipys_quantile_test(n):
    values = np.arange(1.0, n + 1)
    interval = stats.quantile_test(values, p=0.5).confidence_interval(0.95)
    found = median(sample(values))
    assert (found.low, found.high) == (interval.low, interval.high)


@pytest.mark.parametrize("n", range(5, 31))
def test_the_order_statistics_cover_the_median_as_often_as_the_binomial_says(n):
    rank = order_rank(n)
    covered = 1 - 2 * sum(comb(n, k) for k in range(rank)) / 2**n
    assert covered >= 0.95 or rank == 1
    if n > 5:
        assert covered - 2 * comb(n, rank) / 2**n < 0.95 <= covered  # the next narrower one covers too rarely


def test_few_runs_give_no_interval_and_say_so():
    for found in (mean(sample([0.7])), median(sample([0.7])), median(sample([0.7] * 4))):
        assert found.value == pytest.approx(0.7)
        assert np.isnan(found.low)
        assert np.isnan(found.high)
    assert str(mean(sample([0.7]))) == "0.700 (n = 1)"


@pytest.mark.parametrize(("hits", "n"), [(0, 6), (3, 6), (6, 6), (9, 10), (20, 60)])
def test_the_interval_of_a_count_leaves_one_fortieth_at_either_end(hits, n):
    found = proportion(hits, n)
    assert found.low == 0 if hits == 0 else stats.binom.sf(hits - 1, n, found.low) == pytest.approx(0.025)
    assert found.high == 1 if hits == n else stats.binom.cdf(hits, n, found.high) == pytest.approx(0.025)


def test_improvement_leaves_ties_out():
    found = probability_of_improvement(sample([1.0, 0.0, -1.0, 2.0, 0.0]))
    assert (found.value, found.n) == (pytest.approx(2 / 3), 3)
    nothing = probability_of_improvement(sample([0.0, 0.0]))
    assert np.isnan(nothing.value)


def test_geometric_mean_of_a_ratio_and_its_inverse_is_one():
    assert geometric_mean(sample([4.0, 0.25])).value == pytest.approx(1.0)
    logs = stats.ttest_1samp(np.log([1.2, 1.3, 1.5]), 0).confidence_interval(0.95)
    found = geometric_mean(sample([1.2, 1.3, 1.5]))
    assert (found.low, found.high) == pytest.approx((np.exp(logs.low), np.exp(logs.high)))


def test_a_mean_over_two_tasks_is_half_of_welchs_sum():
    """The sum of two means has Welch's standard error and degrees of freedom, as their difference has."""
    first, second = [1.0, 2.0, 4.0, 7.0], [0.1, 0.2, 0.25, 0.2, 0.3, 0.5]
    welch = stats.ttest_ind(first, [-value for value in second], equal_var=False)
    interval = welch.confidence_interval(0.95)
    found = mean_over_tasks([sample(first), sample(second)])
    assert (found.low, found.high) == pytest.approx((interval.low / 2, interval.high / 2))
    for side, p in zip(
        ("greater", "less"), welch_tests([np.array(first * 2), np.array(second)], [0.0, 0.0], 1.0), strict=True
    ):
        other = stats.ttest_ind(first * 2, [2 - value for value in second], equal_var=False, alternative=side)
        assert float(p) == pytest.approx(other.pvalue)


def test_a_mean_over_tasks_gives_each_task_the_same_weight():
    assert mean_over_tasks([sample([0.0] * 20), sample([1.0, 1.0])]).value == pytest.approx(0.5)


def test_one_task_of_four_that_collapses_shows_in_the_mean_over_tasks():
    """The interquartile mean of all differences is 0 here."""
    strata = [sample([-1.0] * 6), *[sample([0.0] * 6)] * 3]
    assert mean_over_tasks(strata).value == pytest.approx(-0.25)


def test_a_further_task_is_predicted_more_widely_than_the_mean_is_known():
    strata = [sample(shift + np.array([-0.1, 0.0, 0.1, 0.05, -0.05, 0.02])) for shift in (0.0, 0.5, 1.0)]
    further, known = prediction(strata), mean_over_tasks(strata)
    assert further.low < known.low < known.high < further.high
    assert np.isnan(prediction(strata[:2]).low)


@given(LISTS, st.floats(-5, 5))
def test_the_sign_test_is_scipys_binomial_test_with_ties_against(values, limit):
    expected = stats.binomtest(sum(value > limit for value in values), len(values), alternative="greater").pvalue
    assert float(sign_test(np.array(values), limit)) == pytest.approx(expected)


@given(st.lists(st.floats(0, 0.1), min_size=1, max_size=7))
def test_holm_decides_what_its_definition_decides(p):
    """Brute force: hypothesis i is rejected if every set of hypotheses that holds it rejects by Bonferroni."""
    m, decided = len(p), holm(np.array(p))
    for index in range(m):
        sets = [chosen for chosen in product([False, True], repeat=m) if chosen[index]]
        by_closure = all(min(p[k] for k in range(m) if chosen[k]) <= 0.025 / sum(chosen) for chosen in sets)
        assert decided[index] == by_closure


def test_least_numbers_of_runs_for_one_to_six_parts():
    """Supported needs 6 runs; contradicted needs as many as Holm's rule asks of the one part that is against it."""
    for parts, least in zip(range(1, 7), (6, 7, 7, 8, 8, 8), strict=True):
        for n in (least - 1, least):
            against = of_runs(-np.ones((1, n)), 0.0, 1)
            others = [of_runs(np.ones((1, n)), 0.0, 1)] * (parts - 1)
            assert (words([against, *others], about_all=False)[0] == "contradicted") == (n == least)


def test_words_of_parts_that_agree_and_disagree():
    up, down, unclear = (of_runs(np.array([values]), 0.0, 1) for values in ([1.0] * 10, [-1.0] * 10, [-1.0, 1.0] * 5))
    assert words([up, up], True)[0] == "supported"
    assert words([up, unclear], True)[0] == "inconclusive"
    assert words([up, down], False)[0] == "contradicted"
    assert words([up, down], True)[0] == "mixed"
    assert words([up], False, missing=1)[0] == "inconclusive"
    assert words([exact(True)], False)[0] == "supported"
    held, against = decided_items([up, down, unclear])
    assert (held[0].tolist(), against[0].tolist()) == ([True, False, False], [False, True, False])


@given(st.lists(LISTS, min_size=2, max_size=4), st.floats(-1, 1))
def test_the_other_side_turns_every_verdict_round(strata, limit):
    arrays, floors = [np.array([values]) for values in strata], [1e-6] * len(strata)
    word = words([of_tasks(arrays, floors, limit, 1)], True)[0]
    turned = words([of_tasks(arrays, floors, limit, -1)], True)[0]
    opposite = {"supported": "contradicted", "contradicted": "supported"}
    tied = any(value == limit for values in strata for value in values)
    assert tied or turned == opposite.get(word, word)


def test_a_task_that_goes_the_other_way_withdraws_what_the_mean_decides():
    runs = np.linspace(-0.01, 0.01, 6)
    agree = [np.array([1.0 + runs])] * 3
    collapse = np.array([-0.5 + runs])
    assert words([of_tasks(agree, [0.0] * 3, 0.0, 1)], True)[0] == "supported"
    assert words([of_tasks([*agree, collapse], [0.0] * 4, 0.0, 1)], True)[0] == "inconclusive"
    longer = [np.repeat(values, 2, axis=-1) for values in (*agree, collapse)]
    assert words([of_tasks(longer, [0.0] * 4, 0.0, 1)], True)[0] == "mixed"


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("tasks", [1, 3])
def test_the_smallest_decided_value_is_where_the_word_turns(side, tasks):
    """Moving all runs to a little beyond it decides the part, and to a little before it does not."""
    strata = [rng().normal(size=10) + k for k in range(tasks)]
    found = smallest_decided(Shape(tuple(map(sample, strata)), 0.3, side))
    middle = float(np.mean([values.mean() for values in strata])) if tasks > 1 else float(np.median(strata[0]))
    for step, word in ((1e-6, True), (-1e-6, False)):
        shift = found - middle + side * step
        if tasks == 1:
            support = of_runs(np.array([strata[0] + shift]), 0.3, side).support
        else:
            support = welch_tests([side * (values + shift) for values in strata], [0.0] * tasks, side * 0.3)[0][None]
        assert (support[0] <= 0.025) == word


def test_too_few_runs_could_have_told_nothing():
    assert least_beyond(5) is None
    assert smallest_decided(Shape((sample([1.0] * 5),), 0.0, 1)) == np.inf
    said = chances([Shape((sample([1.0] * 5, 0.01),), 0.0, 1, 0.0)], False, rng())
    assert all(each["inconclusive"] == 1.0 for each in said.values())


def test_the_chances_are_those_of_the_binomial():
    """Ten runs, one standard deviation above the limit; nine of ten must be above it."""
    values = np.array([1.0, 3.0] * 5) / np.sqrt(10 / 9)
    shape = Shape((sample(values),), float(values.mean()) - 1.0, 1, 0.0)
    said = chances([shape], False, rng())
    expected = stats.binom.sf(8, 10, stats.norm.cdf(1.0))
    assert said["it were what was found"]["supported"] == pytest.approx(expected, abs=0.04)
    assert said["every difference were its limit"]["supported"] == pytest.approx(11 / 1024, abs=0.01)


def test_the_seeds_needed_have_the_power_that_they_claim():
    values = np.concatenate([np.ones(7), -np.ones(3)])
    n = int(seeds_needed(Shape((sample(values),), 0.0, 1)))
    share = 8 / 12
    power = [stats.binom.sf(least_beyond(each) - 1, each, share) for each in (n - 1, n)]
    assert power[0] < 0.8 <= power[1]


def test_the_seeds_needed_for_a_mean_over_tasks_have_that_power_in_simulation():
    strata = [0.05 + 0.2 * rng().standard_normal(10) for _ in range(3)]
    strata = [values - values.mean() + 0.1 for values in strata]
    n = int(seeds_needed(Shape(tuple(map(sample, strata)), 0.02, 1)))
    draws = rng()
    simulated = [0.1 + values.std(ddof=1) * draws.standard_normal((3000, n)) for values in strata]
    p, _ = welch_tests(simulated, [0.0] * 3, 0.02)
    assert np.mean(p <= 0.025) == pytest.approx(0.8, abs=0.06)


def test_nothing_that_is_at_its_limit_is_ever_decided():
    assert seeds_needed(Shape((sample([-1.0, 1.0] * 5),), 0.0, 1)) == np.inf


def test_variants_that_are_not_told_apart_share_a_rank():
    p = {(0, 1): (0.4, 0.6), (0, 2): (1e-9, 1.0), (1, 2): (0.2, 0.8)}
    better = is_better({pair: (np.array(a), np.array(b)) for pair, (a, b) in p.items()}, 3)
    first, last = rank_ranges(better)
    assert list(zip(first.tolist(), last.tolist(), strict=True)) == [(1, 2), (1, 3), (2, 3)]


def test_ranks_follow_decided_differences():
    runs = [level + 0.01 * rng().standard_normal(10) for level in (0.2, 0.9, 0.5)]
    differences = {(a, b): [sample(runs[a] - runs[b])] for a, b in ((0, 1), (0, 2), (1, 2))}
    first, last = rank_ranges(ranked(differences, 3))
    assert first.tolist() == last.tolist() == [3, 1, 2]


def test_skill_is_zero_at_chance_one_at_perfection_and_negative_below_chance():
    assert skill([0.25, 1.0, 0.0], 0.25, 1.0) == pytest.approx([0.0, 1.0, -1 / 3])


@pytest.mark.parametrize(
    ("skills", "expected"),
    [
        ([1.0, 0.9, 0.8], np.inf),
        ([0.4, 0.3, 0.1], 25.0),
        ([1.0, 0.0, 1.0], 15.0),
        ([1.0, 1.0, 0.0], 25.0),
        ([1.0, 0.9, 0.5], 30.0),
        ([0.05, 0.0, 0.0], 0.0),
    ],
)
def test_half_life_is_where_skill_first_falls_to_half_of_that_at_the_shortest(skills, expected):
    assert half_life([10, 20, 30], skills) == pytest.approx(expected)
