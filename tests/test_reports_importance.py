"""What the report says of which factors matter: a planted one is found, chance is shown, and few trials are a warning."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from builders.fake_record import World, fake_study

from ablations.record.protocol import as_recorded
from ablations.record.schema import RunRecord, StudyRecord
from reports.document import Table
from reports.estimates import Estimates
from reports.figures import FIGURES
from reports.importance import BEST, ENOUGH, ranked, shares, warning
from reports.method import method_blocks
from reports.result_tables import ResultTables
from reports.search_factors import column, described
from reports.search_summary import best_values, search_blocks, trials, windows

SPACES: dict[str, Any] = {
    "lr": {"low": 1e-3, "high": 1e-1, "log": True},
    "layers": {"low": 1, "high": 3, "log": False, "whole": True},
    "dropout": {"low": 0.0, "high": 0.5, "log": False, "where": {"layers": [2, 3]}},
    "optimiser": {"choices": ["adam", "sgd", "rmsprop"]},
    "batch": {"choices": [16, 32]},
    "initialisation": {"choices": [None, "orthogonal"]},
}


def drawn(rng: np.random.Generator, trials: int) -> pd.DataFrame:
    """Trials at random, as a search draws them."""
    frame = pd.DataFrame(
        {
            "lr": 10 ** rng.uniform(-3, -1, trials),
            "layers": rng.integers(1, 4, trials).astype(float),
            "dropout": rng.uniform(0, 0.5, trials),
            "optimiser": rng.choice(["adam", "sgd", "rmsprop"], trials),
            "batch": rng.choice(["16", "32"], trials),
            "initialisation": rng.choice(["None", "orthogonal"], trials),
        }
    )
    frame.loc[frame["layers"] == 1, "dropout"] = np.nan
    return frame


def importances(frame: pd.DataFrame, objectives: np.ndarray) -> pd.DataFrame:
    found, chance = shares(frame, objectives, SPACES, np.random.default_rng(0))
    return pd.DataFrame({"found": found, "chance": chance}, index=list(frame))


@pytest.mark.parametrize(
    ("decides", "score"),
    [
        ("lr", lambda frame: -np.abs(np.log10(frame["lr"]) + 1.7)),
        ("layers", lambda frame: frame["layers"] == 2),
        ("optimiser", lambda frame: frame["optimiser"] == "sgd"),
        ("initialisation", lambda frame: frame["initialisation"] == "None"),
        ("dropout", lambda frame: (-frame["dropout"]).fillna(-1.0)),
    ],
)
def test_the_factor_that_decides_is_among_the_two_most_important_and_beyond_chance(decides: str, score: Any) -> None:
    rng = np.random.default_rng(1)
    frame = drawn(rng, 120)
    table = importances(frame, (score(frame) + 0.01 * rng.standard_normal(120)).to_numpy(float))
    assert decides in table["found"].nlargest(2).index
    assert table.loc[decides, "found"] > table.loc[decides, "chance"]
    assert table["found"].sum() == pytest.approx(1)


def test_what_has_no_influence_seldom_goes_beyond_chance() -> None:
    beyond = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        table = importances(drawn(rng, 24), rng.standard_normal(24))
        beyond += list(table["found"] > table["chance"])
    assert sum(beyond) <= 8  # of 48, where one in twenty is expected


def test_where_all_trials_are_equally_good_nothing_matters() -> None:
    table = importances(drawn(np.random.default_rng(0), 20), np.ones(20))
    assert not table["found"].any()


def test_a_trial_that_diverged_is_the_worst() -> None:
    assert list(ranked(pd.Series([0.3, np.nan, 0.1]))) == pytest.approx([0.3, -0.9, 0.1])


def searched(trials: int = 12, variants: tuple[str, ...] = ("lstm", "gru")) -> StudyRecord:
    """A record whose trials have those factors, and the optimiser decides."""
    study = fake_study(World(tasks=("france",), variants=variants, trials=trials))
    draws = {variant: drawn(np.random.default_rng(k), trials) for k, variant in enumerate(variants)}
    names = {setting.identity: setting.variant for setting in study.settings}

    def changed(run: RunRecord) -> RunRecord:
        own = draws[names[run.setting]].iloc[run.number].dropna().to_dict()
        score = 0.9 if own["optimiser"] == "sgd" else 0.3
        metrics = {**run.metrics, **({"objective": score + run.number / 1000} if "objective" in run.metrics else {})}
        return replace(run, factors={**run.factors, **as_recorded(own)}, metrics=metrics)

    return replace(study, plan={**study.plan, "nuisance": SPACES}, trials=tuple(map(changed, study.trials)))


def test_the_figure_and_its_caption_say_what_was_found_and_how_sure_that_is() -> None:
    figure, estimates = FIGURES["importance"], Estimates(ResultTables(searched(12)))
    table = figure.table(estimates)
    assert set(zip(table["variant"], table["factor"], strict=True)) == {(v, f) for v in ("lstm", "gru") for f in SPACES}
    assert (table[table["factor"] == "lr"]["trials"] == 12).all()
    assert (table[table["factor"] == "dropout"]["trials"] < 12).all()
    assert f"With 12 trials this is a hint and no finding: at least {ENOUGH}" in figure.caption(table)
    figure.draw(table)
    assert not warning(table.assign(trials=ENOUGH))
    pd.testing.assert_frame_equal(table, figure.table(Estimates(ResultTables(searched(12)))))


@pytest.mark.parametrize("study", [fake_study(World(tasks=("france",))), searched(BEST)])
def test_one_factor_or_very_few_trials_have_no_importance(study: StudyRecord) -> None:
    assert FIGURES["importance"].table(Estimates(ResultTables(study))).empty


def test_windows_are_of_numbers_and_best_values_of_all() -> None:
    results = ResultTables(searched(12))
    assert set(windows(results)["factor"]) <= {"lr", "layers", "dropout"}
    best, own = best_values(results), trials(results)
    assert list(best.columns) == ["task", "variant", "trial", "skill", *SPACES]
    for _, row in best.iterrows():
        trial = own[(own["variant"] == row["variant"]) & (own["trial"] == row["trial"])].iloc[0]
        assert row["optimiser"] == trial["optimiser"]
        assert row["batch"] in ("16", "32")
        assert (row["dropout"] == "–") == (row["layers"] == "1")
    assert [block.name for block in search_blocks(results) if isinstance(block, Table)] == [
        "search_windows",
        "best_values",
    ]


def test_a_condition_that_does_not_hold_costs_no_row_of_others() -> None:
    results = ResultTables(searched(12))
    counts = trials(results).groupby("variant").size()
    assert (counts == 12).all()
    table = windows(results)
    drawn_best = best_values(results).set_index("variant")["dropout"] != "–"
    assert set(table[table["factor"] == "dropout"]["variant"]) == set(drawn_best[drawn_best].index)


def test_values_are_those_that_the_choice_says() -> None:
    assert list(column([16.0, None, 32.0], SPACES["batch"])) == ["16", None, "32"]
    assert list(column(["None", "orthogonal"], SPACES["initialisation"])) == ["None", "orthogonal"]
    assert list(column(["True", "False"], {"choices": [True, False]})) == ["True", "False"]


def test_the_method_says_what_was_searched_and_how() -> None:
    study = searched(12)
    fixed = {"sampler": "GPSampler(n_startup_trials=4)", "pruner": "median", "schedule": "cosine", "clip": 1.0}
    plan = {**study.plan, "fixed": fixed, "nuisance": {**SPACES, "curriculum": {"choices": ["nominal", "uniform"]}}}
    text = " ".join(str(getattr(block, "text", "")) for block in method_blocks(ResultTables(replace(study, plan=plan))))
    for name, space in SPACES.items():
        assert described(name, space) in text
    assert "proposed by Optuna's GPSampler" in text
    assert "pruned by Optuna, with median" in text
    assert "falls linearly" not in text
    assert "logarithmic mixture" not in text
    assert "as many as its batch is searched to have" in text
