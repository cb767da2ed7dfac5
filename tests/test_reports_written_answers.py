"""Written answers and attention: numbers computed a second time, maps that say what the record holds, and what is left out."""

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from builders.fake_record import ATTENDING, PAIRS, TEXTS, World, fake_study
from builders.rendered import Page, pdf_source
from scipy import stats

from ablations.record.schema import ATTENTION_PAIRS, RunRecord, StudyRecord
from reports.compose import compose, silent
from reports.document import Block, Document, Heading, Paragraph, Picture, Table
from reports.estimates import Estimates
from reports.figures.attention_maps import ATTENTION_MAPS, BIGGEST, END, HIGHEST, by_page
from reports.figures.exact_match import EXACT_MATCH
from reports.figures.glyphs import USUAL, glyph
from reports.html import to_html
from reports.result_tables import ResultTables
from reports.style import as_svg, styled
from reports.write import write
from reports.written_answers import attention_scores, written_blocks, written_tables

VARIANTS = ("lstm", "bilstm", *ATTENDING)
WORLD = World(
    tasks=("adding", "dates", "numbers"),
    variants=VARIANTS,
    parents={},
    replicates=8,
    noise=0.03,
    diverged=(("dates", "bilstm-attention", 3),),
    costs=False,
)
KINDS = {"exact_match": EXACT_MATCH, "attention_maps": ATTENTION_MAPS}
TESTS = 1024


@pytest.fixture(scope="module")
def study() -> StudyRecord:
    return fake_study(WORLD)


@pytest.fixture(scope="module")
def composed(study: StudyRecord) -> tuple[Document, dict[str, pd.DataFrame]]:
    return compose(study)


@pytest.fixture(scope="module")
def tables(composed: tuple[Document, dict[str, pd.DataFrame]]) -> dict[str, pd.DataFrame]:
    return composed[1]


def section(study: StudyRecord) -> list[Block]:
    return list(written_blocks(written_tables(estimates(study)), silent))


def estimates(study: StudyRecord) -> Estimates:
    return Estimates(ResultTables(study))


def runs_of(study: StudyRecord, task: str, variant: str) -> list[RunRecord]:
    return [run for run in study.replicates if run.setting == f"{task}/{variant}"]


def with_attention(study: StudyRecord, source: str, answer: str) -> StudyRecord:
    """The study in which every pair is this one, with weights that rise from left to right."""
    weights = [[column / len(source) for column in range(len(source))] for _ in range(len(answer) + 1)]
    pair = {"source": source, "answer": answer, "weights": weights}
    runs = tuple(replace(run, attention=pair if run.attention else {}) for run in study.replicates)
    return replace(study, replicates=runs)


def typical(values: list[float], tests: int) -> tuple[float, float, float]:
    """The median between the first and last of eight runs, no narrower than so many test sequences allow."""
    assert len(values) == 8
    middle, p = float(np.median(values)), (np.mean(values) * tests + 2) / (tests + 4)
    half = stats.t.ppf(0.975, 7) * np.sqrt(p * (1 - p) / tests / 8)
    return middle, max(0.0, min(*values, middle - half)), min(1.0, max(*values, middle + half))


def test_every_number_of_the_table_of_written_answers(study: StudyRecord, tables: dict[str, pd.DataFrame]) -> None:
    frame = tables["written_answers"]
    assert list(zip(frame["task"], frame["variant"], strict=True)) == [(t, v) for t in PAIRS for v in VARIANTS]
    for _, row in frame.iterrows():
        task, runs = row["task"], runs_of(study, row["task"], row["variant"])
        is_over = [run.status == "finished" for run in runs]
        scores = [
            run.metrics["final_score"] if over else TEXTS[task][3]["chance"]
            for run, over in zip(runs, is_over, strict=True)
        ]
        exact = [
            dict(run.history["test_exact_match"])[3] if over else 0.0 for run, over in zip(runs, is_over, strict=True)
        ]
        assert row["n"] == 8
        assert tuple(row[["score", "score_low", "score_high"]]) == pytest.approx(typical(scores, TESTS))
        assert tuple(row[["exact_match", "exact_low", "exact_high"]]) == pytest.approx(typical(exact, TESTS))
        if row["variant"] not in ATTENDING:
            assert row["aligned":].isna().all()
            continue
        chance = np.mean([run.metrics["attention_chance"] for run in runs if run.status == "finished"])
        aligned, anywhere, another = (
            [run.metrics.get(f"attention_{name}", chance) for run in runs] for name in ("aligned", "chance", "permuted")
        )
        assert tuple(row[["aligned", "aligned_low", "aligned_high"]]) == pytest.approx(
            typical(aligned, ATTENTION_PAIRS)
        )
        assert tuple(row[["chance", "permuted"]]) == pytest.approx((np.median(anywhere), np.median(another)))
        above = [a > max(b, c) for a, b, c in zip(aligned, anywhere, another, strict=True)]
        assert row["above_both"] == sum(above)


def test_a_run_that_diverged_looks_anywhere_and_has_no_answer_right(study: StudyRecord) -> None:
    results = ResultTables(study)
    attention = attention_scores(results)
    rows = attention[(attention["task"] == "dates") & (attention["variant"] == ATTENDING[0])]
    own = rows.set_index("seed").loc[3]
    assert own["aligned"] == own["permuted"] == own["chance"] == pytest.approx(rows[rows["seed"] != 3]["chance"].mean())
    tested = results.difficulty[(results.difficulty["variant"] == ATTENDING[0]) & (results.difficulty["seed"] == 3)]
    assert set(tested[tested["task"] == "dates"]["exact_match"]) == {0.0}
    assert tested[tested["task"] == "adding"]["exact_match"].isna().all()


def test_exact_match_stands_beside_the_skill_at_every_difficulty(
    study: StudyRecord, tables: dict[str, pd.DataFrame]
) -> None:
    frame = tables["difficulty"]
    assert frame[frame["task"] == "adding"]["exact_match"].isna().all()
    for _, row in frame[frame["task"] != "adding"].iterrows():
        runs = runs_of(study, row["task"], row["variant"])
        values = np.array([dict(run.history.get("test_exact_match", ())).get(row["difficulty"], 0.0) for run in runs])
        p = (values.mean() * TESTS + 2) / (TESTS + 4)
        half = stats.t.ppf(0.975, 7) * np.sqrt(max(values.var(ddof=1), p * (1 - p) / TESTS) / 8)
        expected = values.mean(), max(0, values.mean() - half), min(1, values.mean() + half)
        assert tuple(row[["exact_match", "exact_low", "exact_high"]]) == pytest.approx(expected)
    drawn = tables["exact_match"].set_index(["task", "variant", "difficulty"])["mean"]
    beside = frame[frame["task"] != "adding"].set_index(["task", "variant", "difficulty"])["exact_match"]
    assert drawn.to_dict() == beside.to_dict()


def test_a_map_holds_the_weights_of_the_first_replicate(study: StudyRecord, tables: dict[str, pd.DataFrame]) -> None:
    frame = tables["attention_maps"]
    assert set(frame["variant"]) == set(ATTENDING)
    for (task, variant), rows in frame.groupby(["task", "variant"]):
        source, answer = PAIRS[task]
        weights = rows.pivot(index="row", columns="column", values="weight").to_numpy()
        assert weights.tolist() == runs_of(study, task, variant)[0].attention["weights"]
        assert list(rows[rows["column"] == 0]["symbol"]) == [*answer, END]
        assert "".join(rows[rows["row"] == 2]["character"]) == source


def test_the_section_follows_the_evidence(composed: tuple[Document, dict[str, pd.DataFrame]]) -> None:
    parts = [block.text for block in composed[0].blocks if isinstance(block, Heading) and block.level == 1]
    assert parts[parts.index("Attention") - 1] == "Evidence"


def test_the_section_has_words_numbers_and_a_picture_of_each_task(study: StudyRecord) -> None:
    blocks = section(study)
    assert isinstance(blocks[0], Heading)
    assert blocks[0].text == "Attention"
    (table,) = [block for block in blocks if isinstance(block, Table)]
    assert table.name == "written_answers"
    pictures = [block for block in blocks if isinstance(block, Picture)]
    assert [picture.name for picture in pictures] == ["exact_match", "attention_maps_1", "attention_maps_2"]
    for picture, pair in zip(pictures[1:], PAIRS.values(), strict=True):
        assert picture.alt.endswith(f" The pair is {' → '.join(pair)}.")


def test_the_words_are_the_tables_numbers(study: StudyRecord, tables: dict[str, pd.DataFrame]) -> None:
    words = [block.text for block in section(study) if isinstance(block, Paragraph)]
    frame = tables["written_answers"].set_index(["task", "variant"])
    assert len(words) == 2
    for task, text in zip(PAIRS, words, strict=True):
        row = frame.loc[task, "bilstm-attention"]
        for value in (row["exact_match"], row["aligned"], row["aligned_low"], row["chance"], row["permuted"]):
            assert f"{value:.3g}" in text
        assert f"in {7 if task == 'dates' else 8} of 8 runs" in text  # one of them diverged
        assert "do at least as well as those of bilstm-uniform in each run" in text


def test_a_study_without_attention_has_no_maps_and_one_without_written_answers_no_section() -> None:
    plain = replace(WORLD, variants=("lstm", "bilstm"), diverged=())
    blocks = section(fake_study(plain))
    assert isinstance(blocks[0], Heading)
    assert blocks[0].text == "Written answers"
    assert [block.name for block in blocks if isinstance(block, Picture)] == ["exact_match"]
    adding = fake_study(replace(plain, tasks=("adding",)))
    assert section(adding) == []
    assert written_tables(estimates(adding)) == {}


def test_whole_answers_at_one_difficulty_are_in_the_table_and_in_no_figure(study: StudyRecord) -> None:
    runs = tuple(
        replace(
            run, history={name: curve[:1] if name.startswith("test") else curve for name, curve in run.history.items()}
        )
        for run in study.replicates
    )
    pictures = [block.name for block in section(replace(study, replicates=runs)) if isinstance(block, Picture)]
    assert pictures == ["attention_maps_1", "attention_maps_2"]


def test_a_record_without_replicates_has_no_section(study: StudyRecord) -> None:
    assert section(replace(study, replicates=())) == []


@pytest.mark.parametrize("name", KINDS)
def test_the_same_record_draws_the_same_svg_and_leaves_its_table_alone(study: StudyRecord, name: str) -> None:
    table = KINDS[name].table(estimates(study))
    table = table[table["task"] == "dates"]
    before = table.copy(deep=True)
    with styled():
        first, second = as_svg(KINDS[name].draw(table)), as_svg(KINDS[name].draw(table))
    assert first == second
    assert table.equals(before)


def test_both_reports_and_the_files_have_the_section(study: StudyRecord, tmp_path: Path) -> None:
    small = fake_study(replace(WORLD, tasks=("dates",), replicates=2, diverged=()))
    html, pdf = write(small, tmp_path / "report")
    assert {"Attention", "Where attention looks: dates"} <= set(Page(html.read_text(encoding="utf-8")).text)
    assert pdf.read_bytes().startswith(b"%PDF")
    assert (tmp_path / "report" / "figures" / "attention_maps_1.svg").exists()
    written = pd.read_csv(tmp_path / "report" / "tables" / "written_answers.csv")
    assert list(written["variant"]) == list(VARIANTS)
    assert (tmp_path / "report" / "tables" / "attention_maps.csv").exists()


def pictured(study: StudyRecord) -> list[pd.DataFrame]:
    maps = ATTENTION_MAPS.table(estimates(study))
    return by_page(maps[maps["task"] == "numbers"])


@pytest.mark.parametrize(("columns", "rows", "pages"), [(12, 8, 1), (30, 30, 1), (60, 20, 1), (60, 45, 2), (70, 64, 2)])
def test_maps_fit_on_a_page_in_readable_characters(study: StudyRecord, columns: int, rows: int, pages: int) -> None:
    tables = pictured(with_attention(study, "a" * columns, "b" * rows))
    assert len(tables) == pages
    for table in tables:
        with styled():
            figure = ATTENTION_MAPS.draw(table)
            figure.draw_without_rendering()
        assert figure.get_figheight() <= HIGHEST + 1e-9
        for axis in figure.axes:
            box = axis.get_position()
            assert 0 < box.x0 < box.x1 <= 1
            assert 0 < box.y0 < box.y1 <= 1
            for labels in (axis.get_xticklabels(), axis.get_yticklabels()):
                assert all(6 <= label.get_fontsize() <= BIGGEST for label in labels)
                ends = [label.get_window_extent() for label in labels]
                assert not any(one.overlaps(other) for one, other in pairwise(ends))
        others = [axis.get_tightbbox() for axis in figure.axes]
        assert not any(one.overlaps(other) for one, other in pairwise(others))


def test_a_dot_marks_the_largest_weight_of_a_row_but_not_where_all_are_alike(study: StudyRecord) -> None:
    maps = ATTENTION_MAPS.table(estimates(study))
    with styled():
        figure = ATTENTION_MAPS.draw(maps[maps["task"] == "numbers"])
    learnt, uniform = ([*map(tuple, axis.collections[-1].get_offsets())] for axis in figure.axes)
    weights = np.array(runs_of(study, "numbers", "bilstm-attention")[0].attention["weights"])
    assert learnt == [(column, row) for row, column in enumerate(weights.argmax(1))]
    assert uniform == []


def test_the_darkness_of_every_cell_is_its_weight(study: StudyRecord) -> None:
    maps = ATTENTION_MAPS.table(estimates(study))
    for variant, rows in maps[maps["task"] == "numbers"].groupby("variant"):
        with styled():
            (axis,) = ATTENTION_MAPS.draw(rows).axes
        squares = axis.collections[0]
        weights = runs_of(study, "numbers", str(variant))[0].attention["weights"]
        for row, values in enumerate(weights):
            for column, weight in enumerate(values):
                over = [
                    float(value)
                    for path, value in zip(squares.get_paths(), squares.get_array(), strict=True)
                    if path.contains_point((column, row))
                ]
                assert over == ([weight] if weight >= 0.005 else [])


@pytest.mark.parametrize(
    "character", ["a", "ß", "ж", "ő", "年", "曜", "한", "\u0e01", "\x07", "\n", "\ue000", "😀", "\u0301"]
)
def test_no_character_is_an_empty_box_or_a_warning(study: StudyRecord, character: str) -> None:
    shown = glyph(character)
    assert shown.text == character or re.fullmatch(r"([0-9A-F]{2}\n?)+", shown.text)
    one = with_attention(study, f"2{character}", character)
    with styled():
        for table in pictured(one):
            assert as_svg(ATTENTION_MAPS.draw(table))  # a missing glyph is a warning, and warnings are errors


def test_where_no_font_has_a_character_its_code_point_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reports.figures.glyphs.OTHERS", ("No Such Font",))
    glyph.cache_clear()
    assert glyph("年") == ("5E\n74", USUAL)
    assert glyph("𠀀") == ("02\n00\n00", USUAL)
    assert glyph(" ") == ("␣", USUAL)
    glyph.cache_clear()


def test_a_hostile_pair_is_text_in_both_reports(study: StudyRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = with_attention(fake_study(replace(WORLD, tasks=("dates",), diverged=())), '<b>"$x$--></script>#\\', "&#_")
    document = Document("title", "subtitle", section(hostile))
    html = to_html(document)
    assert '<b>"$x' not in html
    assert any('<b>"$x$--></script>#\\ → &#_' in words for words in Page(html).pictures)
    assert html.count("<script") == 2  # its data, and its script
    assert pdf_source(document, monkeypatch)
