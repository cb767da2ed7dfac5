"""Every figure: its table, its drawing, and words that say no more than the table does."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from builders.fake_record import BOTH_WAYS, ONE_WAY, World, fake_study
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text

from reports.comparison import differences, ranking
from reports.estimates import Estimates
from reports.figures import FIGURES
from reports.figures.attention_maps import ATTENTION_MAPS
from reports.figures.base import plain_log
from reports.figures.gates import by_role
from reports.figures.labels import MOST_COLOURED, coloured, spread
from reports.figures.learning_curves import rising
from reports.figures.performance_profile import shared
from reports.figures.score_matrix import caption as score_caption
from reports.result_tables import ResultTables
from reports.style import VARIANT_STYLES, as_svg, styled

SMALL = World(
    tasks=("adding", "france", "disambiguation"), variants=("feedforward", "rnn", "lstm"), parents={"rnn": "lstm"}
)


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


CROWDED = World(tasks=("copying", "france", "disambiguation"), replicates=3, trials=6)
"""With more variants in a panel than can have a colour."""


@cache
def drawn(name):
    """A figure of a crowded study with its title, laid out, and the renderer that did it."""
    table = table_of(name, _crowded())
    with styled():
        figure = FIGURES[name].titled(table)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        return figure, canvas.get_renderer()


@cache
def _crowded():
    return fake_study(CROWDED)


@pytest.mark.parametrize("name", FIGURES)
def test_no_text_of_a_figure_is_cut_or_covers_another_label(name):
    figure, renderer = drawn(name)
    width, height = figure.canvas.get_width_height()
    for text in figure.findobj(Text):
        if text.get_visible() and text.get_text().strip() and not _is_hidden_tick(text, figure):
            box = text.get_window_extent(renderer)
            inside = box.x0 > -1 and box.y0 > -1 and box.x1 < width + 1 and box.y1 < height + 1
            assert inside, text.get_text()
    for axis in figure.axes:
        # `Text`'s own method: that of an annotation also counts the line to what it names.
        extents = [Text.get_window_extent(text, renderer) for text in axis.texts if text.get_text().strip()]
        boxes = [extent.shrunk(0.98, 0.8) for extent in extents]
        assert not any(a.overlaps(b) for place, a in enumerate(boxes) for b in boxes[:place])


def _is_hidden_tick(text, figure):
    """Whether it is the label of a tick outside of the limits, which matplotlib keeps and does not draw."""
    for axis in figure.axes:
        for side in (axis.xaxis, axis.yaxis):
            low, high = sorted(side.get_view_interval())
            for tick in [*side.get_major_ticks(), *side.get_minor_ticks()]:
                if text in (tick.label1, tick.label2):
                    return not low <= tick.get_loc() <= high
    return False


@pytest.mark.parametrize("name", ["difficulty", "learning_curves", "survival", "gradient_flow", "search", "cost_skill"])
def test_a_panel_has_six_colours_at_most(name):
    figure, _ = drawn(name)
    for axis in figure.axes:
        assert len({to_hex(text.get_color()) for text in axis.texts} - {"#767676", "#444444"}) <= MOST_COLOURED


def test_other_sizes_have_no_colour_beside_the_network_itself():
    assert coloured(["lstm", "lstm-3k", "rnn-3k"]) == ["lstm", "rnn-3k"]
    assert len(coloured([f"own-{k}" for k in range(20)])) == MOST_COLOURED


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=12),
    st.floats(0.01, 0.08),
)
def test_labels_are_moved_apart_in_order_and_no_more_than_needed(places, gap):
    moved = spread(places, gap)
    order = np.argsort(places, kind="stable")
    assert (np.diff(np.array(moved)[order]) >= gap - 1e-6).all()
    assert min(moved) >= -1e-6
    assert max(moved) <= 1 + 1e-6
    if len(places) == 1 or np.diff(np.sort(places)).min() >= gap:
        assert moved == pytest.approx(places, abs=1e-6)


def test_a_title_says_who_keeps_half_of_its_skill_longest_and_who_loses_it_first():
    grid = [10, 20, 40, 80]
    lives = {"gru": np.inf, "lstm": 60.0, "rnn": 15.0, "cnn": 0.0}
    rows = [["copying", name, d, 0.5, 0.4, 0.6, 9, "delay", 40, 0, life] for name, life in lives.items() for d in grid]
    columns = [
        "task",
        "variant",
        "difficulty",
        "mean",
        "low",
        "high",
        "n",
        "difficulty_is",
        "nominal",
        "refused",
        "half_life",
    ]
    table, finding = pd.DataFrame(rows, columns=columns), FIGURES["difficulty"].finding
    assert finding(table) == "On copying, gru keeps half of the skill to delay 80 and beyond, rnn to 15"
    two = table[table["variant"].isin(["lstm", "rnn"])]
    assert finding(two) == "On copying, lstm keeps half of the skill to delay 60, rnn to 15"
    assert finding(table[table["variant"] == "rnn"]) == "On copying, rnn keeps half of its skill to delay 15"
    assert finding(table[table["variant"] == "gru"]) == "No network loses half of its skill on the tests here"
    assert finding(table[table["variant"] == "cnn"]) == "No network has learnt what it could lose on the tests here"


def test_the_title_of_the_scores_names_those_level_with_the_best():
    skill = {("copying", "gru"): 1.0, ("copying", "lstm"): 1.0, ("copying", "rnn"): 0.2}
    world = World(tasks=("copying",), variants=("rnn", "lstm", "gru"), skill=skill, noise=0.0)
    assert FIGURES["score_matrix"].finding(table_of("score_matrix", fake_study(world))) == "Best: copying lstm and gru"


def test_the_scores_have_every_reference_that_the_record_has():
    study = fake_study(World(tasks=("france",)))
    more = {"chance": 0.1, "last country": 0.75, "mean": 0.3, "perfect": 1.0}
    table = table_of(
        "score_matrix", replace(study, settings=tuple(replace(s, references=more) for s in study.settings))
    )
    assert table[["chance", "last country", "reference mean"]].iloc[0].tolist() == [0.1, 0.75, 0.3]
    texts = {text.get_text() for text in FIGURES["score_matrix"].draw(table).axes[0].texts}
    assert texts == {"chance", "last country", "reference mean"}


def test_the_title_of_the_search_counts_what_is_at_an_edge():
    table = table_of("search", fake_study(World(tasks=("france",))))
    best = table[table["is_best"]]
    assert f"in {(best['edge'] != '').sum()} of {len(best)} settings" in FIGURES["search"].finding(table)


def test_readers_of_both_sides_know_the_sense_once_the_cue_is_read():
    study = fake_study(
        World(tasks=("disambiguation",), variants=("lstm", "bilstm"), skill={("disambiguation", "bilstm"): 1.0})
    )
    table = table_of("word_by_word", study)
    assert FIGURES["word_by_word"].finding(table) == (
        "To the right sense lstm gives 0.50 and bilstm gives 1.00, shown the whole sentence; "
        "before “bears” or “Roosevelt” nobody can know more than 0.50"
    )
    sums = table.groupby(["variant", "sentence", "place"])[["mean", "known"]].sum()
    assert np.allclose(sums, 1)


def test_the_title_of_the_gates_is_of_the_one_that_waits_most_unlike_it_stores():
    table = table_of("gates", fake_study(World(tasks=("copying",), variants=("rnn", "lstm", "gru"))))
    assert by_role(table).loc[("lstm", "i"), ["store", ""]].tolist() == pytest.approx([0.9, 0.1])
    assert "input gate of lstm is at 0.90 while it stores, 0.10 while it waits" in FIGURES["gates"].finding(table)
    assert "no gates" in {text.get_text() for axis in FIGURES["gates"].draw(table).axes for text in axis.texts}


def test_a_profile_takes_the_networks_and_tasks_that_share_most():
    runs = pd.DataFrame(
        [(task, name) for name, tasks in {"a": "xyz", "b": "xy", "c": "xy", "d": "z"}.items() for task in tasks],
        columns=["task", "variant"],
    )
    assert shared(runs) == (["a", "b", "c"], ["x", "y"])


def test_the_share_above_a_skill_is_counted_over_the_runs():
    world = World(tasks=("copying",), variants=("rnn", "lstm"), skill={("copying", "rnn"): 0.5}, noise=0.0, lost={})
    table = table_of("performance_profile", fake_study(world)).set_index(["variant", "skill"])["share"]
    assert table[("rnn", 0.48)] == 1
    assert table[("rnn", 0.52)] == 0
    assert table[("lstm", 0.9)] == 1


def test_attention_maps_are_in_the_order_of_the_study_whatever_that_of_the_runs():
    study = fake_study(World(tasks=("dates",), variants=("bilstm-attention", "bilstm-uniform")))
    turned = replace(study, replicates=study.replicates[::-1])
    for each in (study, turned):
        assert list(dict.fromkeys(ATTENTION_MAPS.table(estimates(each))["variant"])) == [
            "bilstm-attention",
            "bilstm-uniform",
        ]


def test_each_panel_of_the_costs_has_labels_of_its_own_scale():
    figure, _ = drawn("cost_growth")
    for axis in figure.axes:
        low, high = axis.get_ylim()
        shown = [t for t in axis.get_yticks() if low <= t <= high]
        labels = [axis.yaxis.get_major_formatter()(t, 0) for t in shown]
        assert [float(label) for label in labels] == pytest.approx(shown)
        assert len(shown) >= 2
        assert low > 0.2 * min(line.get_ydata().min() for line in axis.lines)


def test_a_logarithmic_axis_has_two_labels_at_least():
    figure = Figure()
    axis = figure.subplots()
    axis.set(xscale="log", xlim=(21, 45))
    plain_log(axis.xaxis)
    assert sum(axis.get_xlim()[0] <= tick <= axis.get_xlim()[1] for tick in axis.get_xticks()) >= 2
