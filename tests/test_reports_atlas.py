"""The seed atlas: its file, and the coverage that is computed from it."""

import numpy as np
import pandas as pd
import pytest

from reports.atlas import FILE, SIZES, atlas, atlas_coverage, measured_coverage
from reports.rules import rule_blocks
from reports.statistics.intervals import order_interval

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


def test_the_atlas_has_200_seeds_of_six_cells_on_four_tasks_in_less_than_three_megabytes() -> None:
    assert FILE.stat().st_size < 3e6
    counts = atlas().groupby(["task", "variant"])["seed"].agg(["size", "nunique"])
    assert counts.shape == (4 * 6, 2)
    assert (counts == 200).all(axis=None)
    assert atlas()["score"].between(0, 1).all()


def test_the_coverage_of_the_typical_run_is_what_resamples_drawn_one_by_one_say() -> None:
    rng, covered = np.random.default_rng(1), []
    scores = atlas()[atlas()["task"] == "france"]
    for _, cell in scores.groupby("variant"):
        values = cell["score"].to_numpy()
        for _ in range(300):
            low, high = order_interval(rng.choice(values, 10))
            covered.append(low <= np.median(values) <= high)
    frame = measured_coverage().set_index(["interval", "task"])
    stated = frame.loc[("typical run, order statistics", "france"), "mean, n = 10"]
    assert stated == pytest.approx(100 * np.mean(covered), abs=2)


def test_the_report_has_the_coverage_of_the_atlas() -> None:
    tables = {block.name: block.frame for block in rule_blocks(dict.fromkeys(["interval_coverage", "false_verdicts",
              "copies_apart"], pd.DataFrame({"a": [1]}))) if hasattr(block, "frame")}  # fmt: skip
    assert tables["atlas_coverage"].equals(measured_coverage())
