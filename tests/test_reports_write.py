"""The written report: both formats, the same numbers, nothing from elsewhere, whatever the record holds."""

import re
import subprocess
import sys
from dataclasses import replace

import pandas as pd
import pytest
from builders.fake_record import World, fake_study
from builders.rendered import Page, pdf_source

from reports import write as writing
from reports.compose import compose
from reports.document import Heading, Note, Paragraph, Table
from reports.estimates import Estimates
from reports.figures import FIGURES
from reports.html import to_html
from reports.result_tables import ResultTables
from reports.setting_summary import summaries
from reports.statistics.intervals import mean
from reports.write import write

SMALL = World(tasks=("adding", "disambiguation"), variants=("rnn", "lstm", "birnn"), diverged=())

TINY = World(tasks=("adding",), variants=("lstm",), diverged=(), costs=False)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "claims-demo"
    write(fake_study(), folder)
    return folder


DRAWN = FIGURES.keys() - {"importance"}
"""The figures of that record, in which one factor is searched."""


@pytest.fixture(scope="module")
def document():
    """The document of a whole small record."""
    return compose(fake_study(SMALL))[0]


def test_everything_is_written(report):
    assert {path.name for path in report.iterdir()} == {
        "report.html",
        "report.pdf",
        "page-one.md",
        "page-one.png",
        "tables",
        "figures",
    }
    assert {path.stem for path in (report / "figures").iterdir()} == DRAWN
    assert {*FIGURES, "replicates", "trials", "verdicts", "endings"} <= {p.stem for p in (report / "tables").iterdir()}


def test_a_csv_holds_the_unrounded_numbers(report):
    table = pd.read_csv(report / "tables" / "replicates.csv")
    assert table["score"].to_numpy() == pytest.approx(
        ResultTables(fake_study()).replicates["score"].to_numpy(), rel=1e-12
    )


def test_the_page_fetches_nothing(report):
    text = (report / "report.html").read_text("utf-8")
    assert all(link.startswith(("#", "data:image/png;base64,")) for link in Page(text).fetched)
    assert not re.search(
        r"url\((?!#)|@import|https?://(?!www\.w3\.org|creativecommons|purl|127\.0\.0\.1:5000/#/)", text
    )
    assert len(text) < 5_000_000


def test_every_link_in_the_page_leads_somewhere(report):
    page = Page((report / "report.html").read_text("utf-8"))
    inside = {link[1:] for link in [*page.links, *page.fetched] if link.startswith("#")}
    assert len(inside) > 20
    assert inside <= set(page.anchors)
    beside = {link for link in page.links if not link.startswith(("#", "http://127.0.0.1:5000/#/experiments/"))}
    assert {"report.pdf", "tables/pairs.csv", "tables/ranking.tex"} <= beside
    assert all((report / link).exists() for link in beside)


def test_anchors_are_unique_and_say_what_they_lead_to(report):
    anchors = Page((report / "report.html").read_text("utf-8")).anchors
    assert len(anchors) == len(set(anchors))
    assert {"claim-gru-worse", "the-claims", "table-ranking", "figure-difficulty", "explorer"} <= set(anchors)
    own = [anchor for anchor in anchors if "_" not in anchor]  # those with it are the drawings'
    assert not [anchor for anchor in own if anchor.startswith("part")]


def test_the_runs_of_a_claim_are_links_to_their_pages(report):
    study = fake_study()
    runs = (*study.replicates, *study.costs)
    pages = {f"http://127.0.0.1:5000/#/experiments/{study.experiment_id}/runs/{run.run_id}" for run in runs}
    links = {link for link in Page((report / "report.html").read_text("utf-8")).links if "/runs/" in link}
    assert len(links) > 10
    assert links <= pages
    assert all(link.encode() in (report / "report.pdf").read_bytes() for link in links)


def test_every_figure_says_in_words_what_it_shows(report):
    pictures = Page((report / "report.html").read_text("utf-8")).pictures
    measurements = [words for words in pictures if "; claimed " in words]
    figures = [words for words in pictures if words not in measurements]
    assert len(figures) == len(DRAWN)
    assert all(len(words) > 80 for words in figures)


def test_the_pdf_has_an_outline_and_says_what_it_is(report):
    pdf = (report / "report.pdf").read_bytes()
    assert pdf.startswith(b"%PDF")
    assert b"/Outlines" in pdf
    assert b"pdfuaid" in pdf
    started = fake_study().provenance["started"][:10].replace("-", "")
    assert re.search(rf"/CreationDate ?\(D:{started}".encode(), pdf)  # of the numbers, not of the writing
    assert re.search(rb"/Author ?\(recurrent-ablations\)", pdf)


@pytest.mark.long
def test_the_same_record_gives_the_same_bytes(tmp_path, report):
    write(fake_study(), tmp_path / "again")
    for name in ("report.html", "report.pdf"):
        assert (tmp_path / "again" / name).read_bytes() == (report / name).read_bytes()


def test_html_and_pdf_show_every_cell_of_every_table(document, monkeypatch):
    source = pdf_source(document, monkeypatch)
    shown = " ".join(Page(to_html(document)).text)
    tables = [block for block in document.blocks if isinstance(block, Table)]
    assert len(tables) > 10
    for cell in {cell for table in tables for row in table.rows for cell in row}:
        assert cell in shown
        assert " + linebreak() + ".join(f'"{line}"' for line in cell.split("\n")) in source


def test_the_claims_come_before_the_evidence(document):
    parts = [block.text for block in document.blocks if isinstance(block, Heading) and block.level == 1]
    assert parts[0] == "The claims"
    assert parts.index("Evidence") < parts.index("Method") < parts.index("Provenance")


@pytest.mark.parametrize(
    "missing",
    [
        ("settings", "trials", "replicates", "costs"),
        *(pytest.param((part,), marks=pytest.mark.long) for part in ("replicates", "trials", "costs")),
    ],
)
def test_what_is_missing_is_reported_and_stops_nothing(tmp_path, missing):
    study = replace(fake_study(SMALL), **dict.fromkeys(missing, ()))
    html, pdf = write(study, tmp_path / "report")
    assert html.exists()
    assert pdf.exists()
    if "replicates" in missing:
        assert "These results are partial" in html.read_text("utf-8")


def test_whole_results_carry_no_banner(document):
    assert not [block for block in document.blocks if isinstance(block, Note) and block.tone == "warning"]


def test_runs_that_are_missing_and_runs_that_diverged_are_counted():
    study = fake_study(replace(TINY, diverged=(("adding", "lstm", 0),)))
    document, _ = compose(replace(study, replicates=study.replicates[:-2]))
    words = " ".join(block.text for block in document.blocks if isinstance(block, Paragraph))
    assert "2 runs diverged and 2 planned runs are missing" in words  # a trial and a replicate


def test_a_setting_that_failed_is_shown_with_its_reason_and_counts_as_no_run():
    failed = {("adding", "rnn"): "MemoryError: <4 GiB> needed", ("disambiguation", "birnn"): "killed by signal 9"}
    study = fake_study(replace(SMALL, failed=failed))
    document, tables = compose(study)
    (shown,) = [block for block in document.blocks if isinstance(block, Table) and block.name == "failed_settings"]
    assert shown.rows == [[task, variant, reason] for (task, variant), reason in failed.items()]
    assert "MemoryError: <4 GiB> needed" in Page(to_html(document)).text
    endings = tables["endings"].set_index(["task", "variant"])
    assert endings.loc[("adding", "rnn")].to_dict() == {
        "finished": 4, "pruned": 0, "diverged": 0, "missing": 13,
    }  # fmt: skip
    words = " ".join(block.text for block in document.blocks if isinstance(block, Paragraph | Note))
    assert "with fewer than the planned 5 replicates: 2; failed: 2" in words
    assert "26 planned runs are missing" in words


def test_a_study_in_which_nothing_failed_has_no_table_of_failed_settings(document):
    assert "failed_settings" not in {block.name for block in document.blocks if isinstance(block, Table)}


def test_settings_not_begun_count_as_missing_runs():
    nothing = replace(fake_study(SMALL), settings=(), trials=(), replicates=(), costs=())
    document, _ = compose(nothing)
    words = " ".join(block.text for block in document.blocks if isinstance(block, Paragraph))
    assert "102 planned runs are missing" in words  # 2 tasks, 3 variants, 6 trials on 2 seeds and 5 replicates


def test_a_failed_write_leaves_the_old_report_whole(tmp_path, monkeypatch):
    folder = tmp_path / "report"
    write(fake_study(TINY), folder)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    def fail(_document):
        raise RuntimeError("no PDF today")

    monkeypatch.setattr(writing, "to_pdf", fail)
    with pytest.raises(RuntimeError, match="no PDF today"):
        write(fake_study(TINY), folder)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert list(tmp_path.iterdir()) == [folder]


def test_a_new_report_takes_the_place_of_the_old_one(tmp_path):
    folder = tmp_path / "deep" / "report"
    write(fake_study(TINY), folder)
    (folder / "stale.txt").write_text("left over")
    write(fake_study(TINY), folder)
    assert not (folder / "stale.txt").exists()
    assert list(folder.parent.iterdir()) == [folder]


def test_a_setting_is_summarised_from_its_own_replicates():
    study = fake_study(SMALL)
    results = ResultTables(study)
    summary = next(each for each in summaries(Estimates(results)) if each.setting == study.settings[1])
    own = results.replicates[(results.replicates["task"] == "adding") & (results.replicates["variant"] == "lstm")]
    assert summary.metrics["test_score"] == pytest.approx(own["score"].mean())
    assert summary.metrics["test_score_low"] <= summary.metrics["test_score"] <= summary.metrics["test_score_high"]
    assert "lstm on adding" in summary.text
    assert "n = 5" in summary.text
    assert summary.svg.startswith("<svg")


def test_differences_in_mlflow_are_those_of_the_report() -> None:
    estimates = Estimates(ResultTables(fake_study(SMALL)))
    told = {(each.setting.task, each.setting.variant): each for each in summaries(estimates)}
    for task in estimates.results.tasks:
        scores = {variant: s.metrics["test_score"] for (own, variant), s in told.items() if own == task}
        best = max(scores, key=scores.__getitem__)
        assert "behind_best" not in told[task, best].metrics
        for variant in scores.keys() - {best}:
            sample = estimates.difference(best, variant, task)
            assert sample is not None
            expected = mean(sample)
            ends = [told[task, variant].metrics[f"behind_best{end}"] for end in ("", "_low", "_high")]
            assert ends == pytest.approx([expected.value, expected.low, expected.high])
            row = f"| {variant} | {expected.value:+.3f} | {expected.low:+.3f} to {expected.high:+.3f} | {expected.n} |"
            assert row in told[task, best].text


def test_a_setting_without_replicates_has_no_summary():
    study = replace(fake_study(SMALL), replicates=())
    assert not list(summaries(Estimates(ResultTables(study))))


def test_the_figure_of_a_setting_has_a_line_through_the_scores_of_each_replicate():
    study = fake_study(SMALL)
    results = ResultTables(study)
    for summary in summaries(Estimates(results)):
        lines = re.findall(r'<path d="M([^"]*)h0"/>', summary.svg)
        drawn = [[float(point.split()[1]) for point in line.split("L")] for line in lines]
        expected = []
        for table in (results.curves, results.difficulty):
            own = table[(table["task"] == summary.setting.task) & (table["variant"] == summary.setting.variant)]
            for _, run in own.groupby("seed"):
                shares = (run["score"].dropna() + 0.04) / 1.08  # of the panel, whose scale is from -0.04 to 1.04
                expected.append([187.2 * (0.1 + 0.72 * (1 - share)) for share in shares])
        assert len(drawn) == len(expected) > 0
        for line, values in zip(drawn, expected, strict=True):
            assert line == pytest.approx(values, abs=0.01)


def test_the_figure_of_a_setting_does_not_depend_on_those_before_it():
    study = fake_study(SMALL)
    together = [summary.svg for summary in summaries(Estimates(ResultTables(study)))]
    for setting, svg in zip(study.settings, together, strict=True):
        own = tuple(run for run in study.replicates if run.setting == setting.identity)
        (alone,) = summaries(Estimates(ResultTables(replace(study, replicates=own))))
        assert alone.svg == svg


def test_reports_never_load_torch():
    code = "import sys, reports.write, reports.setting_summary, reports.claims; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
