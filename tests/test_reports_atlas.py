"""The seed atlas: its file, and the coverage that is computed from it."""

import numpy as np
import pandas as pd
import pytest

from reports.atlas import SIZES, atlas_coverage

TASKS, CELLS, SEEDS = ("copying", "adding"), ("lstm", "gru", "rnn"), 4000


def atlas_of(draw) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    rows = [
        [task, cell, seed, score] for task in TASKS for cell in CELLS for seed, score in enumerate(draw(rng, SEEDS))
    ]
    return pd.DataFrame(rows, columns=["task", "variant", "seed", "score"])


def test_intervals_of_normal_scores_cover_what_they_say() -> None:
    frame = atlas_coverage(atlas_of(lambda rng, n: 0.5 + 0.05 * rng.standard_normal(n)), np.random.default_rng(0))
    exact = {6: 96.9, 10: 97.9, 30: 95.7}  # of the order statistics: 1 − 2 P(binomial(n, 1/2) < k)
    for n in SIZES:
        by_interval = frame.groupby("interval")[f"mean, n = {n}"].mean()
        assert by_interval["typical run, order statistics"] == pytest.approx(exact[n], abs=0.7)
        assert by_interval["mean, t"] == pytest.approx(95, abs=1)
        assert by_interval.filter(like="Welch").to_list() == pytest.approx([95, 95], abs=1.5)


def test_rare_failures_are_missed_by_few_runs_and_the_atlas_says_so() -> None:
    """One run in twenty fails; three samples of four of six runs hold none of them."""
    frame = atlas_coverage(atlas_of(lambda rng, n: np.where(rng.random(n) < 0.05, 0.1, 0.99)), np.random.default_rng(0))
    of_mean = frame[frame["interval"] == "mean, t"]
    assert (of_mean["least, n = 6"] < 40).all()
    assert (frame[frame["interval"].str.startswith("typical")]["least, n = 6"] > 99).all()
