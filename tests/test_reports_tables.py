"""Tables as they are printed, and as CSV and LaTeX: decimals, order, anchors, and nothing that another program obeys."""

import re
from datetime import date

import numpy as np
import pandas as pd
import pytest
from builders.fake_record import World, fake_study
from builders.rendered import Page, pdf_source
from hypothesis import given
from hypothesis import strategies as st

from reports.compose import compose
from reports.document import MOST_LINES, Document, Heading, Paragraph, Table
from reports.estimates import Estimates
from reports.explorer import pairs
from reports.html import to_html
from reports.latex import to_latex
from reports.number_format import decimals, fixed
from reports.references import references, slug, stem
from reports.result_tables import ResultTables
from reports.setting_summary import summaries
from reports.write import without_formulas, write

SMALL = World(tasks=("adding", "france"), variants=("lstm", "gru", "rnn"), parents={}, diverged=(), costs=False)
FORMULAS = ["=1+1", "+cmd|x", "-2+3", "@SUM(A1)", "\t=1", "\r=1"]
finite = st.floats(-1e6, 1e6)


@given(st.lists(finite, min_size=1))
def test_numbers_of_a_column_have_the_same_decimals(values):
    (column,) = Table("t", pd.DataFrame({"x": values}), "").content
    assert len({len(cell.partition(".")[2]) for cell in column.cells if "<" not in cell}) <= 1


@given(st.lists(st.floats(0.01, 9.99), min_size=1))
def test_what_is_printed_is_the_number_to_its_last_decimal(values):
    places = decimals(values)
    for value in values:
        assert float(fixed(value, places)) == pytest.approx(value, abs=0.5001 * 10.0**-places)


def test_a_column_is_numeric_by_its_type_and_not_by_what_it_looks_like():
    frame = pd.DataFrame(
        {"value": ["2 cores", "7", "–1"], "n": [1, 2, 3], "maybe": [None, 2.5, np.nan], "yes": [True] * 3}
    )
    assert [column.is_numeric for column in Table("t", frame, "").content] == [False, True, True, False]


def test_ends_of_an_interval_have_the_decimals_of_its_middle():
    frame = pd.DataFrame({"mean": [1.0, 2.0], "low": [0.25, 1.0], "high": [30.5, 4.0], "n": [3, 4]})
    assert Table("t", frame, "").rows == [["1.00", "0.25", "30.50", "3"], ["2.00", "1.00", "4.00", "4"]]


@pytest.mark.parametrize(("rows", "is_appended"), [(MOST_LINES, False), (MOST_LINES + 1, True)])
def test_a_table_longer_than_a_screen_is_in_the_appendix_of_both_formats(rows, is_appended, monkeypatch):
    table = Table("long", pd.DataFrame({"x": [f"cell {row}" for row in range(rows)]}), "Many rows. More words.")
    document = Document("t", "s", [Heading("First"), table, Heading("Last")])
    html, source = to_html(document), pdf_source(document, monkeypatch)
    assert (html.index("cell 0") > html.index(">Last</h2>")) == is_appended
    assert (source.index('"cell 0"') > source.index('"Last"')) == is_appended
    assert ('class="appended"' in html) == is_appended
    assert html.count("cell 0") == source.count('"cell 0"') == 1


def test_rows_keep_the_order_that_they_are_given():
    frame = pd.DataFrame({"x": ["b", "a", "c"], "y": [1, 3, 2]})
    assert [row[0] for row in Table("t", frame, "").rows] == ["b", "a", "c"]
    assert re.findall(r"^(\w) &", to_latex(Table("t", frame, "")), re.MULTILINE) == ["x", "b", "a", "c"]


def test_the_front_comes_before_the_contents_in_both_formats(monkeypatch):
    document = Document("t", "s", [Paragraph("the answer"), Heading("Part"), Paragraph("the rest")])
    html, source = to_html(document), pdf_source(document, monkeypatch)
    for text, contents in ((html, "<nav"), (source, "outline(")):
        assert text.index("the answer") < text.index(contents) < text.index("the rest")


def test_anchors_are_made_of_names_and_never_of_places():
    blocks = [Heading("Gate, or not?"), Heading("x", anchor="gru-worse"), Table("t", pd.DataFrame({"x": [1]}), "c")]
    shuffled = [Paragraph("before"), *reversed(blocks)]
    anchors = [sorted(references(Document("t", "s", each)).anchors.values()) for each in (blocks, shuffled)]
    assert anchors[0] == anchors[1] == ["gate-or-not", "gru-worse", "table-t"]


@given(st.lists(st.sampled_from(["a", "a-2", "A", "Contents", "explorer", "…"]), max_size=12))
def test_no_two_anchors_are_the_same(names):
    anchors = list(references(Document("t", "s", [Heading(name) for name in names])).anchors.values())
    assert len({*anchors, "contents", "explorer", "appendix", "content"}) == len(anchors) + 4


@given(st.text())
def test_no_name_leads_out_of_its_folder(name):
    assert re.fullmatch(r"[a-z0-9-]+", slug(name))
    assert re.fullmatch(r"[\w.-]+", stem(name))
    assert stem(name).strip(".")


def test_only_addresses_of_the_web_become_links_out():
    document = Document("t", "s", [Paragraph("see 1d42b56f")], pages={"1d42b56f": "javascript:alert(1)"})
    assert "javascript" not in to_html(document)


def test_a_quoted_heading_is_a_link_in_both_formats(monkeypatch):
    document = Document("t", "s", [Heading("Method"), Paragraph("as “Method” says")])
    assert 'as “<a href="#method">Method</a>” says' in to_html(document)
    assert 'link(<method>, "Method")' in pdf_source(document, monkeypatch)


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_that_a_spreadsheet_would_compute_is_text_in_the_csv(text):
    frame = without_formulas(pd.DataFrame({"x": [text], text: ["fine"], "y": [-1.5]}))
    assert frame["x"].tolist() == [f"'{text}"]
    assert f"'{text}" in frame.columns
    assert frame["y"].tolist() == [-1.5]


def test_a_csv_of_hostile_names_has_no_formula(tmp_path):
    name = "=HYPERLINK(1)"
    write(
        fake_study(World(tasks=("france",), variants=("lstm", name), parents={}, diverged=(), costs=False)),
        tmp_path / "r",
    )
    for path in (tmp_path / "r" / "tables").glob("*.csv"):
        assert not re.search(r'(^|,)"?=', path.read_text("utf-8"), re.MULTILINE), path.name


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"])))
def test_no_text_is_a_command_of_latex(text):
    table = Table("t", pd.DataFrame({"x": [text]}), text)
    own = r"\\(usepackage|begin|end|toprule|midrule|bottomrule|shortstack|text\w+|infty|[\\{}$&#%_])"
    source = to_latex(table)
    assert not re.search(r"\\", re.sub(own, "", source))
    body = re.sub(r"\\[\\{}$&#%_]", "", source.partition(r"\midrule")[2])
    assert not re.search(r"[#%^~]", body)
    assert body.count("&") == 0


def test_a_tex_file_has_the_numbers_of_the_report(tmp_path):
    study = fake_study(SMALL)
    write(study, tmp_path / "report")
    tables = tmp_path / "report" / "tables"
    assert {path.stem for path in tables.glob("*.tex")} == {path.stem for path in tables.glob("*.csv")}
    row = compose(study)[1]["score_matrix"].iloc[0]
    assert f"{row['mean']:.3f} & {row['low']:.3f} & {row['high']:.3f}" in (tables / "score_matrix.tex").read_text(
        "utf-8"
    )


def test_mlflow_and_the_tables_print_the_same_interval():
    study = fake_study(SMALL)
    document, data = compose(study)
    table = Table("score_matrix", data["score_matrix"], "")
    rows = {(row[0], row[1]): row[2:5] for row in table.rows}
    for summary in summaries(Estimates(ResultTables(study))):
        mean, low, high = rows[summary.setting.task, summary.setting.variant]
        assert f"test score {mean} [{low}, {high}]" in summary.text
    assert document.day == date.fromisoformat(study.provenance["started"][:10])


def test_the_explorer_has_every_pair_as_the_table_of_differences_has_it():
    estimates = Estimates(ResultTables(fake_study(SMALL)))
    frame, own = pairs(estimates), compose(fake_study(SMALL))[1]["differences"]
    assert len(frame) == 6  # three pairs on each of two tasks
    for row in own.itertuples():
        (pair,) = frame[
            (frame["task"] == row.task)
            & frame["a"].isin({row.variant, "lstm"})
            & frame["b"].isin({row.variant, "lstm"})
        ].itertuples()
        sign = 1 if pair.a == row.variant else -1
        assert sign * pair.difference == pytest.approx(row.difference)
        assert sorted([sign * pair.low, sign * pair.high]) == pytest.approx([row.low, row.high])


def test_data_in_a_script_cannot_end_it():
    name = "</script><script>alert(1)</script>"
    document, _ = compose(
        fake_study(World(tasks=("france",), variants=("lstm", name), parents={}, diverged=(), costs=False))
    )
    html = to_html(document)
    assert html.count("<script") == 2
    assert name in Page(html).text
    assert "</script><" not in html.replace("</script>\n<script>", "")
