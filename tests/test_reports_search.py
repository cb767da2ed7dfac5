"""What the report says of the search: windows, edges of what was tried, and who proposed the trials."""

from dataclasses import replace

import numpy as np
import pytest
from builders.fake_record import SEARCH_SEEDS, World, fake_study

from ablations.record.schema import RunRecord, StudyRecord
from reports.document import Paragraph, Table
from reports.estimates import Estimates
from reports.figures import FIGURES
from reports.page_one.facts import facts
from reports.result_tables import ResultTables
from reports.search_summary import edge, search_blocks, trials, window, windows

ONE = World(tasks=("france",), variants=("lstm",))
LOG = {"low": 1e-3, "high": 1e-1, "log": True}
RATES = (0.002, 0.01, 0.03, 0.05, 0.0012, 0.09)


def with_trials(study: StudyRecord, rates=RATES, **changes: object) -> StudyRecord:
    """The study with those learning rates, and other changes of its trials' factors."""

    def changed(run: RunRecord) -> RunRecord:
        return replace(run, factors={**run.factors, "lr": rates[run.number], **changes})

    return replace(study, trials=tuple(changed(run) for run in study.trials))


def words(study: StudyRecord) -> str:
    return " ".join(block.text for block in search_blocks(ResultTables(study)) if isinstance(block, Paragraph))


def test_a_trial_is_one_row_with_the_mean_of_its_seeds_and_their_worst_end():
    results = ResultTables(fake_study(World()))
    table = trials(results)
    assert len(results.trials) == SEARCH_SEEDS * len(table)
    of_one = table[(table["task"] == "france") & (table["variant"] == "lstm")]
    assert list(of_one["status"]) == ["finished", "finished", "pruned", "finished", "diverged", "finished"]
    assert list(of_one["objective"].isna()) == [False] * 4 + [True, False]
    assert of_one["skill"].to_numpy() == pytest.approx((of_one["objective"] - 0.1).to_numpy() / 0.9, nan_ok=True)


def test_the_window_is_what_brute_force_finds():
    """The largest interval of tried values around the best that holds no value with less than 90 % of its skill."""
    rng = np.random.default_rng(0)
    for _ in range(200):
        values, skills = rng.random(7), np.where(rng.random(7) < 0.2, np.nan, rng.uniform(0.6, 1, 7))
        skills[0] = 0.8
        best = int(np.nanargmax(skills))
        good = set(values[np.nan_to_num(skills) >= 0.9 * skills[best]])
        intervals = [
            (low, high)
            for low in values
            for high in values
            if low <= values[best] <= high and all(v in good for v in values if low <= v <= high)
        ]
        assert window(values, skills, best) == max(intervals, key=lambda interval: interval[1] - interval[0])


def test_there_is_no_window_where_nothing_was_learnt():
    assert np.isnan(window(np.array([0.1, 0.2]), np.array([-0.01, 0.0]), 1)).all()


@pytest.mark.parametrize(("best", "expected"), [(0.002, "lowest tried"), (0.01, ""), (0.02, "highest tried")])
def test_the_highest_and_the_lowest_value_that_was_tried_are_edges(best, expected):
    assert edge(best, [0.01, 0.002, 0.02], LOG) == expected


@pytest.mark.parametrize(
    ("best", "expected"),
    [(1.1e-3, "near the low end"), (0.095, "near the high end"), (1.3e-3, ""), (0.07, ""), (0.01, "")],
)
def test_a_value_near_an_end_of_its_logarithmic_range_is_an_edge_whatever_was_tried(best, expected):
    assert edge(best, [1e-3, best, 1e-1], LOG) == expected


def test_an_end_of_a_linear_range_is_measured_linearly():
    linear = {"low": 0.0, "high": 1.0, "log": False}
    assert edge(0.04, [0.0, 0.04, 1.0], linear) == "near the low end"
    assert edge(0.06, [0.0, 0.06, 1.0], linear) == ""


def test_a_single_value_is_an_edge():
    assert edge(0.01, [0.01], LOG) == "only value tried"


def test_the_row_of_a_setting_has_its_best_value_its_window_and_its_counts():
    (row,) = windows(ResultTables(with_trials(fake_study(ONE)))).to_dict("records")
    assert (row["task"], row["variant"], row["factor"], row["best"]) == ("france", "lstm", "lr", 0.01)
    assert (row["lowest_tried"], row["highest_tried"], row["edge"]) == (0.0012, 0.09, "")
    assert row["window_low"] <= 0.01 <= row["window_high"] < 0.03  # the trial with 0.03 was pruned
    assert (row["trials"], row["by_tpe"], row["pruned"]) == (6, 3, 1)


def test_best_values_at_an_edge_are_counted_and_named():
    study = fake_study(World(tasks=("france", "copying"), variants=("lstm",)))
    inside = with_trials(study)
    assert "in 0 of 2 settings." in words(inside)
    assert "may lie outside" not in words(inside)
    at_edge = with_trials(study, rates=(0.002, 0.08, 0.03, 0.05, 0.0012, 0.07))
    assert "in 2 of 2 settings: france/lstm (highest tried); copying/lstm (highest tried)." in words(at_edge)
    assert "may lie outside" in words(at_edge)


def test_nothing_is_said_of_ends_where_fewer_than_four_values_were_tried():
    for count, said in ((2, False), (3, False), (4, True)):
        study = fake_study(World(tasks=("france", "copying"), variants=("lstm", "gru"), trials=count))
        fair = dict(facts(Estimates(ResultTables(study))))["How fair?"]
        title = FIGURES["search"].finding(FIGURES["search"].table(Estimates(ResultTables(study))))
        assert ("at an end" in fair) == ("may lie outside" in words(study)) == ("near an end" in title) == said
        assert ("highest or lowest tried" in words(study)) == said
    assert fair.endswith("better ones there.")


def test_a_paragraph_names_at_most_eight_best_values_at_an_end():
    study = fake_study(World(tasks=("france", "copying"), variants=("lstm", "gru", "rnn", "tcn", "cnn")))
    at_edge = words(with_trials(study, rates=(0.002, 0.08, 0.03, 0.05, 0.0012, 0.07)))
    assert "in 10 of 10 settings" in at_edge
    assert at_edge.count("(highest tried)") == 8
    assert "; and 2 more." in at_edge


def test_the_report_says_how_many_trials_tpe_proposed():
    assert "Trials: 6; proposed by TPE from the results before them: 3; pruned: 1; diverged: 1." in words(
        fake_study(ONE)
    )


def test_a_record_that_does_not_say_who_proposed_its_trials_is_not_guessed_at():
    study = fake_study(ONE)
    silent = tuple(
        replace(run, factors={key: value for key, value in run.factors.items() if key != "proposed_by"})
        for run in study.trials
    )
    assert "Trials: 6; pruned: 1; diverged: 1." in words(replace(study, trials=silent))


def test_a_setting_without_a_best_trial_has_no_row():
    failed = fake_study(replace(ONE, failed={("france", "lstm"): "MemoryError"}))
    assert windows(ResultTables(failed)).empty
    (nothing,) = search_blocks(ResultTables(failed))
    assert isinstance(nothing, Table)
    assert nothing.frame.empty


def test_several_factors_have_a_row_each():
    study = fake_study(ONE)
    plan = {**study.plan, "nuisance": {"lr": LOG, "clip": {"low": 0.1, "high": 10.0, "log": True}}}
    table = windows(ResultTables(replace(study, plan=plan)))
    assert list(table["factor"]) == ["lr", "clip"]
    assert list(table["edge"])[1] == "only value tried"


def test_the_windows_are_a_table_of_the_report():
    (table,) = (block for block in search_blocks(ResultTables(fake_study(ONE))) if isinstance(block, Table))
    assert table.name == "search_windows"
