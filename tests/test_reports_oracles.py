"""The statistics against statsmodels, which shares no code with them."""

import numpy as np
import pytest

from reports.statistics.decision import holm, sign_test
from reports.statistics.intervals import between_tasks, mean, mean_over_tasks, proportion
from reports.statistics.sample import sample

pytest.importorskip("statsmodels", reason="an oracle of the tests, in the extra dev")

RNG = np.random.default_rng(5)
VALUES = RNG.normal(0.3, 0.2, 9)


def test_students_interval() -> None:
    from statsmodels.stats.weightstats import DescrStatsW

    found = mean(sample(VALUES))
    assert (found.low, found.high) == pytest.approx(DescrStatsW(VALUES).tconfint_mean())


@pytest.mark.parametrize(("hits", "n"), [(0, 6), (4, 6), (6, 6), (17, 30)])
def test_clopper_pearson(hits: int, n: int) -> None:
    from statsmodels.stats.proportion import proportion_confint

    found = proportion(hits, n)
    assert (found.low, found.high) == pytest.approx(proportion_confint(hits, n, method="beta"), nan_ok=False)


def test_welch_satterthwaite() -> None:
    """Of two tasks: half of the interval of a difference with unequal variances."""
    from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

    other = RNG.normal(0.1, 0.9, 6)
    low, high = CompareMeans(DescrStatsW(VALUES), DescrStatsW(-other)).tconfint_diff(usevar="unequal")
    found = mean_over_tasks([sample(VALUES), sample(other)])
    assert (found.low, found.high) == pytest.approx((low / 2, high / 2))


def test_holm(monkeypatch: pytest.MonkeyPatch) -> None:
    from statsmodels.stats.multitest import multipletests

    monkeypatch.setattr("gc.collect", lambda: 0)  # statsmodels calls it each time, and it takes a fifth of a second
    for _ in range(50):
        p = RNG.uniform(0, 0.05, 6)
        assert holm(p).tolist() == multipletests(p, alpha=0.025, method="holm")[0].tolist()


def test_sign_test() -> None:
    from statsmodels.stats.descriptivestats import sign_test as oracle

    both = oracle(VALUES, 0.1)[1]
    assert 2 * min(sign_test(VALUES, 0.1), sign_test(-VALUES, -0.1)) == pytest.approx(both)


def test_variance_between_tasks() -> None:
    from statsmodels.stats.meta_analysis import combine_effects

    means, variances = np.array([0.1, 0.5, 0.9, 0.4]), np.array([0.01, 0.02, 0.005, 0.03])
    assert between_tasks(means, variances) == pytest.approx(combine_effects(means, variances, method_re="dl").tau2)
