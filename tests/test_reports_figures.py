"""Every figure: its table, its drawing, and words that say no more than the table does."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from builders.fake_record import BOTH_WAYS, ONE_WAY, World, fake_study

from reports.comparison import differences, ranking
from reports.estimates import Estimates
from reports.figures import FIGURES
from reports.figures.learning_curves import rising
from reports.figures.score_matrix import caption as score_caption
from reports.result_tables import ResultTables
from reports.style import VARIANT_STYLES, as_svg, styled

SMALL = World(tasks=("adding", "france"), variants=("feedforward", "rnn", "lstm"), parents={"rnn": "lstm"})


def estimates(study):
    return Estimates(ResultTables(study))


def with_two_factors(study):
    """The study with a second factor, whose importance is a figure."""
    clip = {"low": 0.1, "high": 10.0, "log": True}
    trials = tuple(replace(run, factors={**run.factors, "clip": 1.0 + run.number}) for run in study.trials)
    return replace(study, plan={**study.plan, "nuisance": {**study.plan["nuisance"], "clip": clip}}, trials=trials)


def table_of(name, study=None):
    if name == "importance":
        study = with_two_factors(study or fake_study(SMALL))
    return FIGURES[name].table(estimates(study or fake_study(SMALL)))


@pytest.mark.parametrize("name", FIGURES)
def test_the_same_record_draws_the_same_svg(name):
    table = table_of(name)
    with styled():
        first, second = as_svg(FIGURES[name].draw(table)), as_svg(FIGURES[name].draw(table_of(name)))
    assert first == second
    assert first.startswith("<svg")


@pytest.mark.parametrize("name", FIGURES)
def test_drawing_leaves_its_table_alone(name):
    table = table_of(name)
    before = table.copy(deep=True)
    with styled():
        FIGURES[name].draw(table)
    assert table.equals(before)


@pytest.mark.parametrize("name", FIGURES)
def test_an_empty_record_gives_an_empty_table(name):
    nothing = replace(fake_study(), settings=(), trials=(), replicates=(), costs=())
    assert table_of(name, nothing).empty


@pytest.mark.parametrize("name", FIGURES)
def test_a_record_of_single_runs_can_be_drawn(name):
    trials = 6 if name == "importance" else 2  # of fewer there is no figure
    table = table_of(name, fake_study(replace(SMALL, replicates=1, trials=trials, diverged=())))
    with styled():
        assert as_svg(FIGURES[name].draw(table))


def test_no_two_variants_look_alike():
    assert len({(marker, line) for _, marker, line in VARIANT_STYLES.values()}) == len(VARIANT_STYLES)


def test_the_score_caption_names_the_best_variant_of_each_task():
    best = World(skill={("copying", "gru"): 1.0, ("france", "tcn"): 1.0}, noise=0.0)
    words = score_caption(table_of("score_matrix", fake_study(best)))
    assert "copying: gru (1.00)" in words
    assert "france: tcn (1.00)" in words


def test_refusing_variants_are_named_and_have_no_point_beyond_the_nominal_difficulty():
    table = table_of("difficulty")
    rows = table[table["variant"] == "feedforward"]
    assert (rows["difficulty"] <= rows["nominal"]).all()
    assert "feedforward" in FIGURES["difficulty"].caption(table)
    open_minded = table_of("difficulty", fake_study(replace(SMALL, refusing=())))
    assert "refuse" not in FIGURES["difficulty"].caption(open_minded)


def test_best_so_far_is_the_largest_yet_and_bridges_trials_that_diverged():
    table = table_of("search")
    assert table["objective"].isna().any()
    for _, rows in table.groupby(["task", "variant"]):
        assert list(rows["best_so_far"]) == list(np.fmax.accumulate(rows["objective"].to_numpy()))


def test_a_trial_that_diverged_on_one_of_its_seeds_has_no_objective():
    study = fake_study(World(tasks=("france",), variants=("lstm",)))
    table = table_of("search", study)
    assert list(table["trial"]) == list(range(6))
    assert list(table[table["objective"].isna()]["trial"]) == [4]


def test_the_ranking_leaves_out_variants_that_have_not_met_every_task():
    study = fake_study(World(tasks=("copying", "france"), variants=("lstm", "rnn")))
    assert set(ranking(estimates(study))["variant"]) == {"lstm", "rnn"}
    partial = tuple(r for r in study.replicates if r.setting != "france/rnn")
    assert set(ranking(estimates(replace(study, replicates=partial)))["variant"]) == {"lstm"}


def test_variants_are_ranked_on_the_tasks_that_they_share():
    both = World(tasks=("copying", "france"), variants=("lstm", "gru", "rnn", "tcn"), replicates=8, diverged=())
    # On copying alone all is solved: ranked by all that each was run on, the two that were not run on france would lead.
    skill = {("france", "lstm"): 0.2, ("france", "gru"): 0.1}
    easy = replace(both, unplanned=(("france", "rnn"), ("france", "tcn")), skill=skill, lost={("france", "gru"): 0.8})
    groups = {
        tasks: rows.set_index("variant") for tasks, rows in ranking(estimates(fake_study(easy))).groupby("run on")
    }
    assert {tasks: set(rows.index) for tasks, rows in groups.items()} == {
        "all tasks": {"lstm", "gru"},
        "copying": {"lstm", "gru", "rnn", "tcn"},
    }
    assert set(groups["all tasks"]["rank"]) == {"1", "2"}
    alone = ranking(estimates(fake_study(replace(easy, tasks=("copying",), unplanned=())))).set_index("variant")
    skills = groups["copying"]["mean_skill"]
    assert skills.to_dict() == pytest.approx(alone["mean_skill"].to_dict(), abs=0.02)


def test_who_would_be_ranked_alone_is_left_out_unless_nothing_else_is_to_be_had():
    three = World(tasks=("copying", "france"), variants=("lstm", "gru", "rnn"), replicates=8, diverged=())
    more = replace(three, unplanned=(("france", "gru"), ("france", "rnn")))  # the LSTM alone was run on both
    assert set(ranking(estimates(fake_study(more)))["run on"]) == {"copying"}
    apart = replace(three, unplanned=(("france", "gru"), ("copying", "lstm"), ("copying", "rnn")))
    frame = ranking(estimates(fake_study(apart))).set_index("variant")
    assert frame["run on"].to_dict() == {"lstm": "france", "rnn": "france", "gru": "copying"}


def test_the_ranking_tells_nothing_apart_by_too_few_runs():
    few = World(tasks=("france",), variants=("lstm", "rnn"), replicates=5, diverged=(), lost={("france", "rnn"): 0.6})
    assert list(ranking(estimates(fake_study(few)))["rank"]) == ["1 to 2", "1 to 2"]
    enough = replace(few, replicates=6)
    assert list(ranking(estimates(fake_study(enough)))["rank"]) == ["1", "2"]


def test_readers_of_the_future_are_ranked_apart():
    frame = ranking(estimates(fake_study(World(replicates=8))))
    assert dict(frame.groupby("reads")["variant"].apply(set)) == {
        "left to right": set(ONE_WAY),
        "sees the future": {*BOTH_WAYS, "feedforward", "cnn"},
    }
    assert set(frame[frame["reads"] == "left to right"]["decided on"]) == {
        "copying, adding, france"
    }  # the last has a ceiling


def test_sizes_are_ranked_apart():
    study = fake_study(World(tasks=("france",), variants=("lstm", "gru"), replicates=8))
    sized = replace(
        study, settings=tuple(_Sized(s, f"{3 if s.variant == 'gru' else 10},000 parameters") for s in study.settings)
    )
    assert list(ranking(estimates(sized))["rank"]) == ["1", "1"]


class _Sized:
    """A setting that also says how its size was chosen."""

    def __init__(self, setting, size_rule):
        self._setting, self.size_rule = setting, size_rule

    def __getattr__(self, name):
        return getattr(self._setting, name)


def test_differences_to_the_baseline_leave_the_baseline_out():
    table = differences(estimates(fake_study()))
    assert "lstm" not in set(table["variant"])
    assert (table["low"] <= table["difference"]).all()
    assert (table["difference"] <= table["high"]).all()


def test_a_curve_that_rose_in_the_last_quarter_is_named():
    curves = {"early": [0.5, 0.9, 0.9, 0.9], "late": [0.1, 0.1, 0.5, 0.9], "slow": [0.1, 0.88, 0.89, 0.909]}
    points = [(name, 100 * (step + 1), mean) for name, curve in curves.items() for step, mean in enumerate(curve)]
    rows = [["copying", name, sequences, mean, mean, mean, 9] for name, sequences, mean in points]
    table = pd.DataFrame(rows, columns=["task", "variant", "sequences", "mean", "low", "high", "n"])
    assert rising(table) == ["copying/late"]
    assert "1 of 3 curves" in FIGURES["learning_curves"].caption(table)


def test_the_caption_names_the_difficulty_of_each_task_of_the_record():
    words = FIGURES["difficulty"].caption(table_of("difficulty", fake_study(World(tasks=("adding", "france")))))
    assert "Difficulty is the length in adding, the gap in france." in words
    study = fake_study(World(tasks=("adding", "france")))
    alike = replace(study, settings=tuple(replace(s, difficulty="length") for s in study.settings))
    assert "Difficulty is the length in adding and france." in FIGURES["difficulty"].caption(
        table_of("difficulty", alike)
    )


def test_the_half_life_is_that_of_the_typical_run():
    # From 1 at the gap of 3 down to 0.2 at 24, in a line: one half is reached at 3 + 21 · 0.5 / 0.8.
    falling = World(
        tasks=("france",),
        variants=("rnn", "lstm"),
        skill={("france", "rnn"): 0.2},
        lost={("france", "rnn"): 0.8},
        noise=0.0,
    )
    lives = table_of("difficulty", fake_study(falling)).groupby("variant")["half_life"].first()
    assert lives["lstm"] == np.inf
    assert lives["rnn"] == pytest.approx(3 + 21 * 0.5 / 0.8)


@pytest.mark.parametrize("name", ["score_matrix", "learning_curves", "difficulty", "gradient_flow", "importance"])
def test_a_figure_of_many_tasks_fits_on_a_page(name):
    small = table_of(name)
    many = pd.concat([small.assign(task=f"{task}-{copy}") for task in ("a", "b") for copy in range(8)])
    with styled():
        assert FIGURES[name].draw(many).get_size_inches()[1] <= 9.5
