"""The record as tables: every run has its rows, and nothing else has."""

from dataclasses import replace

import numpy as np
import pytest
from builders.fake_record import SEARCH_SEEDS, TASKS, VARIANTS, World, fake_study

from reports.result_tables import COST, CURVE, DIFFICULTY, GRADIENT, REPLICATE, SETTING, TRIAL, ResultTables

DIVERGED = World(diverged=(("france", "lstm", 1), ("france", "feedforward", 0)), variants=("lstm", "feedforward"))


def rows_of(table, task, variant, seed):
    return table[(table["task"] == task) & (table["variant"] == variant) & (table["seed"] == seed)]


def test_every_replicate_and_trial_has_its_row():
    results = ResultTables(fake_study())
    assert len(results.replicates) == len(TASKS) * len(VARIANTS) * 5
    assert len(results.trials) == len(TASKS) * len(VARIANTS) * 6 * SEARCH_SEEDS
    assert set(results.trials["status"]) == {"finished", "pruned", "diverged"}


def test_skill_is_computed_from_the_settings_own_references():
    table = ResultTables(fake_study()).replicates
    chance = table["task"].map({task: entry[3]["chance"] for task, entry in TASKS.items()})
    assert table["skill"].to_numpy() == pytest.approx(((table["score"] - chance) / (1 - chance)).to_numpy())


def test_a_diverged_replicate_scores_chance_at_every_difficulty():
    rows = rows_of(ResultTables(fake_study(DIVERGED)).difficulty, "france", "lstm", 1)
    assert tuple(rows["difficulty"]) == TASKS["france"][2]
    assert set(rows["skill"]) == {0.0}
    assert not rows["refused"].any()


def test_a_diverged_replicate_refuses_what_its_model_refuses():
    rows = rows_of(ResultTables(fake_study(DIVERGED)).difficulty, "france", "feedforward", 0)
    assert list(rows[rows["refused"]]["difficulty"]) == [36, 48]
    assert rows[rows["refused"]]["score"].isna().all()


def test_a_diverged_replicate_falls_to_chance_in_its_curve():
    rows = rows_of(ResultTables(fake_study(DIVERGED)).curves, "france", "lstm", 1)
    assert list(rows["sequences"]) == [3200 * k for k in range(1, 11)]
    assert (rows["skill"].iloc[:3] > 0).all()
    assert set(rows["skill"].iloc[3:]) == {0.0}


def test_a_curve_that_ends_early_keeps_its_score_to_the_end_of_the_budget():
    study = fake_study(World(tasks=("france",), variants=("lstm",)))
    first = study.replicates[0]
    short = replace(first, history={**first.history, "validation_score": first.history["validation_score"][:3]})
    rows = rows_of(ResultTables(replace(study, replicates=(short,))).curves, "france", "lstm", 0)
    assert set(rows["score"].iloc[2:]) == {first.history["validation_score"][2][1]}


def test_refusals_are_rows_without_a_score():
    table = ResultTables(fake_study()).difficulty
    refused = table[table["refused"]]
    assert set(refused["variant"]) == {"feedforward"}
    assert refused["score"].isna().all()
    assert (refused["difficulty"] > refused["nominal"]).all()


def test_pairs_are_made_by_seed_and_not_by_order():
    study = fake_study(World(tasks=("france",), variants=("lstm", "gru")))
    shuffled = replace(study, replicates=tuple(reversed(study.replicates)))
    assert ResultTables(study).paired_differences("lstm", "gru", "france") == pytest.approx(
        ResultTables(shuffled).paired_differences("lstm", "gru", "france")
    )
    one_missing = replace(study, replicates=study.replicates[1:])
    assert ResultTables(one_missing).paired_differences("lstm", "gru", "france") == pytest.approx(
        ResultTables(study).paired_differences("lstm", "gru", "france")[1:]
    )
    assert len(ResultTables(study).paired_differences("lstm", "nobody", "france")) == 0


def test_gradients_are_relative_to_the_largest():
    table = ResultTables(fake_study()).gradient
    assert table.groupby(["task", "variant", "seed", "when"])["relative"].max().to_numpy() == pytest.approx(1.0)


@pytest.mark.parametrize("is_empty", [False, True])
def test_tables_have_the_same_typed_columns_whether_or_not_there_is_anything_in_them(is_empty):
    study = fake_study()
    if is_empty:
        study = replace(study, settings=(), trials=(), replicates=(), costs=())
    results = ResultTables(study)
    tables = {
        "settings": SETTING, "replicates": REPLICATE, "curves": CURVE, "difficulty": DIFFICULTY, "gradient": GRADIENT,
        "trials": TRIAL, "costs": COST,
    }  # fmt: skip
    for name, columns in tables.items():
        table = getattr(results, name)
        assert table.empty == is_empty
        assert list(table.columns) == list(columns)
        assert all(table[column].dtype == np.dtype(kind) for column, kind in columns.items() if kind is not str)
