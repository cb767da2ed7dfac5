"""Which network for what: the table of capabilities, survival curves and log-rank tests, against other implementations."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from builders.fake_record import TASKS, World, fake_study
from builders.rendered import pdf_source
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.duration.survfunc import SurvfuncRight, survdiff
from statsmodels.stats.multitest import multipletests

from reports.capability import by_task, capability, capability_blocks, cell
from reports.compose import compose
from reports.document import Document, Table
from reports.estimates import Estimates
from reports.figures import FIGURES
from reports.html import to_html
from reports.pdf import to_pdf
from reports.result_tables import ResultTables
from reports.speed import log_ranks, speed_ranks
from reports.statistics.survival import log_rank, median_time, survival

INF, BUDGET = float("inf"), 32_000
SMALL = World(
    tasks=("adding", "france"), variants=("rnn", "lstm", "gru"), parents={}, replicates=8, diverged=(), noise=0.0
)
FAST, SLOW = [3200.0 * k for k in (1, 1, 1, 2, 2, 2, 3, 3)], [3200.0 * k for k in (7, 8, 8, 9, 9, 10, 11, 12)]

times = st.lists(st.sampled_from([10.0, 20.0, 30.0, 40.0, INF]), min_size=2, max_size=12).map(np.array)


def study_with(reached, world=SMALL):
    """The record in which the seeds of a (task, variant) reached the criterion after so many sequences; the others never."""
    study = fake_study(world)
    replicates = []
    for run in study.replicates:
        task, variant = run.setting.split("/")
        sequences = reached.get((task, variant), {}).get(run.number)
        metrics = {**run.metrics, **({} if sequences is None else {"sequences_to_criterion": sequences})}
        replicates.append(replace(run, metrics=metrics))
    return replace(study, replicates=tuple(replicates))


def by_seed(times):
    return {seed: time for seed, time in enumerate(times) if time <= BUDGET}


def estimates(study):
    return Estimates(ResultTables(study))


def rows_of(study):
    return {(row.task, row.variant): row for row in capability(estimates(study)).itertuples()}


@given(times)
def test_a_survival_curve_is_that_of_statsmodels(values):
    curve = survival(values, 40.0).set_index("sequences")["share"]
    assert curve[0.0] == 1.0
    other = SurvfuncRight(np.minimum(values, 40.0), (values <= 40.0).astype(int))
    assert curve[other.surv_times].to_numpy() == pytest.approx(other.surv_prob)
    assert curve.iloc[-1] == pytest.approx(np.isinf(values).mean())
    assert curve.is_monotonic_decreasing


@given(times)
def test_the_median_is_that_of_statsmodels_and_lies_in_its_interval(values):
    median = median_time(values, 40.0)
    other = SurvfuncRight(np.minimum(values, 40.0), (values <= 40.0).astype(int)).quantile(
        0.5 - 1e-9
    )  # at most half, not less
    assert median.value == (INF if np.isnan(other) else other)
    assert np.isnan(median.low) or median.low <= median.value <= median.high


@given(times, times)
def test_the_log_rank_test_is_that_of_statsmodels(a, b):
    found = log_rank(a, b, 40.0)
    together = np.concatenate([a, b])
    group = np.repeat([0, 1], [len(a), len(b)])
    if len(set(together)) == 1:  # statsmodels divides by the variance, 0
        assert found == (0.0, 1.0)
    else:
        square, p = survdiff(np.minimum(together, 40.0), (together <= 40.0).astype(int), group)
        assert found.statistic**2 == pytest.approx(square, abs=1e-9)
        assert found.p == pytest.approx(p, abs=1e-9)
    assert log_rank(b, a, 40.0).statistic == pytest.approx(-found.statistic)


def test_the_statistic_is_positive_where_the_first_is_faster():
    assert log_rank(np.array(FAST), np.array(SLOW), BUDGET).statistic > 2


def test_pairs_are_adjusted_by_holm_within_each_task():
    study = study_with(
        {("adding", "rnn"): by_seed(FAST), ("adding", "lstm"): by_seed(SLOW), ("france", "gru"): by_seed(FAST[:4])}
    )
    pairs = log_ranks(estimates(study))
    assert list(zip(pairs["a"], pairs["b"], strict=True)) == 2 * [("rnn", "lstm"), ("rnn", "gru"), ("lstm", "gru")]
    for _, own in pairs.groupby("task"):
        reject, adjusted, *_ = multipletests(own["p"], 0.05, method="holm")
        assert own["p_holm"].to_numpy() == pytest.approx(adjusted)
        assert (own["faster"] != "").tolist() == reject.tolist()
    assert pairs["faster"].tolist()[:2] == ["rnn", "rnn"]


def test_ranks_of_speed_follow_the_decided_pairs():
    study = study_with({("adding", "gru"): by_seed(FAST), ("adding", "rnn"): by_seed(SLOW)})
    found = estimates(study)
    ranks = speed_ranks(found, log_ranks(found)).set_index(["task", "variant"])["rank"]
    assert ranks["adding"].to_dict() == {"gru": "1", "rnn": "2", "lstm": "3"}
    assert set(ranks["france"]) == {"1 to 3"}


def test_too_few_seeds_decide_nothing_about_speed():
    few = study_with({("adding", "gru"): by_seed([1.0] * 5)}, replace(SMALL, replicates=5))
    assert log_ranks(estimates(few)).empty


@pytest.mark.slow
def test_copies_of_one_network_are_seldom_told_apart_by_speed():
    rng = np.random.default_rng(3)
    steps = np.array([*(4800.0 * np.arange(1, 9)), INF])
    false = 0
    for _ in range(300):
        copies = rng.choice(steps, (6, 10), p=[0.08] * 8 + [0.36])
        p = [log_rank(copies[i], copies[j], 38_400.0).p for i in range(6) for j in range(i)]
        false += min(p) <= 0.05 / len(p)
    assert stats.binomtest(false, 300, 0.05, alternative="greater").pvalue > 0.01


def test_solved_seeds_have_the_exact_interval():
    row = rows_of(study_with({}, replace(SMALL, skill={("adding", "gru"): 0.5})))[("adding", "lstm")]
    assert (row.solved, row.n, row.share) == (8, 8, 1.0)
    assert row.low == pytest.approx(0.025 ** (1 / 8))  # none of eight failed
    none = rows_of(study_with({}, replace(SMALL, skill={("adding", "gru"): 0.5})))[("adding", "gru")]
    assert none.solved == 0
    assert none.high == pytest.approx(1 - 0.025 ** (1 / 8))


def test_a_run_that_diverged_has_not_solved_its_task_and_is_censored_at_the_budget():
    diverged = replace(SMALL, diverged=(("adding", "lstm", 2),))
    row = rows_of(
        study_with({("adding", "lstm"): by_seed([3200.0, 3200, INF, 3200, 6400, 6400, 6400, 6400])}, diverged)
    )
    assert (row[("adding", "lstm")].solved, row[("adding", "lstm")].n) == (7, 8)
    assert row[("adding", "lstm")].sequences_high == INF


def test_the_median_of_the_sequences_counts_the_censored_seeds():
    reached = {("adding", "lstm"): by_seed([*FAST[:5], INF, INF, INF]), ("adding", "gru"): by_seed(FAST[:3])}
    rows = rows_of(study_with(reached))
    assert rows[("adding", "lstm")].sequences == FAST[3]  # not the mean over the solved ones
    assert rows[("adding", "gru")].sequences == INF
    assert "> 32k seq." in cell(rows[("adding", "gru")])


def test_a_cell_says_what_lies_beyond_the_grid_and_what_was_not_learnt():
    skill = {("adding", "rnn"): 0.2, ("adding", "gru"): 0.0}
    frame = rows_of(study_with({}, replace(SMALL, skill=skill, lost={("adding", "rnn"): 0.8, ("adding", "gru"): 0.0})))
    hardest = max(TASKS["adding"][2])
    assert cell(frame[("adding", "lstm")]).splitlines() == [
        "8/8 solved",
        f"half > {hardest}",
        "> 32k seq.",
        "200k FLOP",
    ]
    assert cell(frame[("adding", "rnn")]).splitlines()[1] == f"half at {6 + 18 * 0.5 / 0.8:.3g}"
    assert cell(frame[("adding", "gru")]).splitlines()[1] == "not learnt"


def test_no_half_life_lies_between_a_run_that_learnt_and_one_that_did_not():
    study = study_with({}, replace(SMALL, replicates=2, skill={("adding", "rnn"): 0.5}, lost={("adding", "rnn"): 0.5}))
    failed = next(run for run in study.replicates if run.setting == "adding/rnn" and run.number == 1)
    guessing = replace(
        failed, history={**failed.history, "test_score_by_difficulty": tuple((d, 0.08) for d in TASKS["adding"][2])}
    )
    mixed = replace(study, replicates=tuple(guessing if run is failed else run for run in study.replicates))
    assert rows_of(mixed)[("adding", "rnn")].half_life == 0.0


def test_only_replicates_count():
    study = study_with({})
    before = capability(estimates(study))
    assert before.equals(capability(estimates(replace(study, trials=(), transferred=()))))


def test_every_network_and_task_has_its_cell_however_many_there_are():
    study = study_with({}, replace(SMALL, tasks=tuple(TASKS), unplanned=(("copying", "gru"),)))
    names = [f"task-{number}" for number in range(17)]
    frame = capability(estimates(study))
    wide = pd.concat([frame[frame["task"] == "adding"].assign(task=name) for name in names])
    parts = list(by_task(wide, cell))
    assert [list(part.columns)[1:] for part in parts] == [names[:6], names[6:12], names[12:]]
    (alone,) = by_task(frame, cell)
    assert alone.set_index("network").loc["gru", "copying"] == "–"
    assert (alone.set_index("network").drop(columns="copying") != "–").all(axis=None)


def test_a_study_without_replicates_has_no_such_part():
    study = fake_study(SMALL)
    assert not list(capability_blocks(estimates(replace(study, replicates=()))))


def test_what_is_printed_of_a_table_has_its_lines_in_both_formats(monkeypatch):
    table = Table(
        "t", pd.DataFrame({"x": [0.125]}), "c", pd.DataFrame({"network": ["lstm"], "adding": ["8/8 solved\nhalf > 48"]})
    )
    document = Document("t", "s", [table])
    assert table.rows == [["lstm", "8/8 solved\nhalf > 48"]]
    assert "8/8 solved\nhalf &gt; 48" in to_html(document)
    assert '"8/8 solved" + linebreak() + "half > 48"' in pdf_source(document, monkeypatch)
    assert to_pdf(document).startswith(b"%PDF")


def test_the_report_has_the_table_and_writes_its_numbers():
    document, data = compose(study_with({("adding", "gru"): by_seed(FAST)}))
    assert {"capability", "log_rank", "survival"} <= data.keys()
    assert len(data["capability"]) == 6
    assert "8/8 solved" in to_html(document)


def test_the_caption_of_the_survival_curves_names_tasks_that_nobody_reached():
    table = FIGURES["survival"].table(estimates(study_with({("adding", "gru"): by_seed(FAST)})))
    assert "On france no seed of any network did." in FIGURES["survival"].caption(table)
    assert table[(table["variant"] == "gru") & (table["task"] == "adding")]["share"].iloc[-1] == 0.0
