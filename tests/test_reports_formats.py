"""One study, trained and recorded for real: each of its numbers is the same in CSV, HTML, TeX, PDF and MLflow."""

import csv
import json
import math
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

import mlflow
import numpy as np
import pytest
from conftest import LSTM, RNN, SMALL
from rich.console import Console

from ablations.record.reader import read
from ablations.record.store import connect
from ablations.run.session import Origin, Place, run_session
from ablations.sqlite import sqlite_url
from ablations.study import Range, Scale, Study
from reports.mlflow_texts import describe_settings, describe_study
from reports.write import write
from tasks import TASKS

pytestmark = pytest.mark.slow
NUMBER = re.compile(r"[-−]?[0-9][0-9,.]*(?:e[-+]?\d+)?")
NOTHING = ("–", "--", "")


class Published(NamedTuple):
    """The folder of the report, and the runs of MLflow's store as its own client reads them: replicates and settings."""

    folder: Path
    replicates: list[mlflow.entities.Run]
    settings: list[mlflow.entities.Run]
    artifacts: Path


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    home = tmp_path_factory.mktemp("home")
    tasks = {"adding": TASKS["adding"](length=4), "copying": TASKS["copying"](delay=2, items=2)}
    scale = Scale(tasks=tasks, budget=replace(SMALL, replicates=4))
    study = Study(
        name="formats", question="Same numbers?", variants=(RNN, LSTM), baseline="lstm", scales={"smoke": scale},
        nuisance={"lr": Range(1e-3, 1e-1)},
    )  # fmt: skip
    place = Place(home, sqlite_url(home / "mlflow.db"), sqlite_url(home / "optuna.db"))
    run_session(study.at("smoke"), place, 1, "serial", Console(quiet=True), Origin("ablate run formats", None, {}))
    record, folder = read(place.tracking_uri, "formats", "smoke"), home / "report"
    write(record, folder)
    describe_settings(record)
    describe_study(record, folder)
    client = connect(sqlite_url(home / "mlflow.db"))
    (experiment,) = (each for each in client.search_experiments() if each.name != "Default")
    runs = client.search_runs([experiment.experiment_id], max_results=1000)
    by_kind = {kind: [run for run in runs if run.data.tags.get("kind") == kind] for kind in ("replicate", "setting")}
    return Published(folder, by_kind["replicate"], by_kind["setting"], home / "artifacts")


def tables(published: Published) -> dict[str, list[list[str]]]:
    """name -> the cells of each CSV, its head first."""
    return {
        path.stem: list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
        for path in sorted((published.folder / "tables").glob("*.csv"))
    }


class HtmlTables(HTMLParser):
    """anchor -> the cells of each table of a page, its head first."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: dict[str, list[list[str]]] = {}
        self._rows: list[list[str]] | None = None
        self._in_cell = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag == "table" and (label := names.get("aria-labelledby")):
            self._rows = self.found[label.removeprefix("table-").removesuffix("-caption")] = []
        elif self._rows is not None and tag == "tr":
            self._rows.append([])
        elif self._rows is not None and tag in ("td", "th"):
            self._rows[-1].append("")
            self._in_cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._in_cell = False
        elif tag == "table":
            self._rows = None

    def handle_data(self, data: str) -> None:
        if self._rows and self._in_cell:
            self._rows[-1][-1] += data


def tex_rows(source: str) -> list[list[str]]:
    """The cells of a TeX table, its head first."""
    body = source[source.index(r"\toprule") : source.index(r"\bottomrule")]
    lines = [line.removesuffix(r"\\").strip() for line in body.splitlines() if line.rstrip().endswith(r"\\")]
    return [[cell.strip() for cell in line.split(" & ")] for line in lines]


def is_printed(printed: str, exact: str) -> bool:
    """Whether a printed cell is a CSV's cell: the number rounded to the printed decimals, or the same text."""
    plain = printed.replace("−", "-").replace(",", "").replace("$", "").replace(r"\infty", "inf").replace("∞", "inf")
    try:
        value, shown = float(exact or "nan"), float("nan" if printed in NOTHING else plain)
    except ValueError:
        return True  # a text: what is escaped in it is tested elsewhere
    if math.isnan(value) or math.isinf(value):
        return (math.isnan(value) and math.isnan(shown)) or value == shown
    head, _, exponent = plain.partition("e")
    decimals = len(head.partition(".")[2])
    return abs(value - shown) <= 0.5000001 * 10.0 ** (int(exponent or 0) - decimals)


def wrong_cells(shown: list[list[str]], exact: list[list[str]]) -> list[tuple[str, str, str]]:
    """(column, printed, exact) of the cells that are not the same number, for tables of the same rows."""
    assert len(shown) == len(exact)
    pairs = [zip(exact[0], a, b, strict=True) for a, b in zip(shown[1:], exact[1:], strict=True)]
    return [(name, a, b) for row in pairs for name, a, b in row if not is_printed(a, b)]


def test_a_printed_number_that_is_off_by_its_last_decimal_is_seen() -> None:
    assert is_printed("0.425", "0.4249804")
    assert is_printed("−1.2e-05", "-1.24e-05")
    assert not is_printed("0.426", "0.4249804")
    assert not is_printed("–", "0.4249804")


def test_the_tables_hold_what_each_run_of_mlflow_recorded(published: Published) -> None:
    head, *rows = tables(published)["replicates"]
    by_run = {row[head.index("run_id")]: dict(zip(head, row, strict=True)) for row in rows}
    assert by_run.keys() == {run.info.run_id for run in published.replicates}
    for run in published.replicates:
        row = by_run[run.info.run_id]
        assert float(row["score"]) == run.data.metrics["test_score"]
        assert float(row["loss"]) == run.data.metrics["test_loss"]
        assert (row["task"], row["variant"], int(row["seed"])) == (
            run.data.tags["task"],
            run.data.tags["variant"],
            int(run.data.params["seed"]),
        )


def test_a_mean_is_that_of_mlflows_runs_in_the_tables_and_in_mlflow(published: Published) -> None:
    head, *rows = tables(published)["score_matrix"]
    for row in (dict(zip(head, each, strict=True)) for each in rows):
        place = row["task"], row["variant"]
        own = [r.data.metrics["test_score"] for r in published.replicates if _place(r) == place]
        (setting,) = (run for run in published.settings if _place(run) == place)
        assert len(own) == int(row["n"]) == 4
        assert float(row["mean"]) == pytest.approx(np.mean(own), abs=1e-12)
        for name, metric in (("mean", "test_score"), ("low", "test_score_low"), ("high", "test_score_high")):
            assert setting.data.metrics[metric] == pytest.approx(float(row[name]), abs=1e-12)


def _place(run: mlflow.entities.Run) -> tuple[str, str]:
    return run.data.tags["task"], run.data.tags["variant"]


def test_every_number_of_html_and_tex_is_that_of_the_csv(published: Published) -> None:
    exact = tables(published)
    shown = HtmlTables((published.folder / "report.html").read_text(encoding="utf-8")).found
    anchors = {name.replace("_", "-"): name for name in exact}
    assert {"replicates", "score-matrix", "settings"} & shown.keys()
    assert shown.keys() <= anchors.keys()
    turned = shown.pop("capability")  # one row a network and one column a task
    for anchor, rows in shown.items():
        name = anchors[anchor]
        assert not wrong_cells(rows, exact[name]), f"{name} in the page"
        source = (published.folder / "tables" / f"{name}.tex").read_text(encoding="utf-8")
        assert not wrong_cells(tex_rows(source), exact[name]), f"{name}.tex"
    head, *rows = exact["capability"]
    for row in (dict(zip(head, each, strict=True)) for each in rows):
        (own,) = (each for each in turned if each[0] == row["variant"])
        assert own[turned[0].index(row["task"])].startswith(f"{row['solved']}/{row['n']} solved")


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext is not installed")
def test_every_number_of_the_pages_tables_is_in_the_pdf(published: Published) -> None:
    command = ["pdftotext", "-raw", str(published.folder / "report.pdf"), "-"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    printed = set(NUMBER.findall(text))
    shown = HtmlTables((published.folder / "report.html").read_text(encoding="utf-8")).found
    for anchor, rows in shown.items():
        cells = {cell for row in rows[1:] for cell in row if NUMBER.fullmatch(cell)}
        assert cells <= printed, anchor


def test_page_one_has_the_same_numbers_in_every_format(published: Published) -> None:
    """What the Markdown says, which MLflow shows too, is in the page, number by number."""
    text = (published.folder / "page-one.md").read_text(encoding="utf-8")
    page = (published.folder / "report.html").read_text(encoding="utf-8")
    front = re.sub(r"<[^>]*>", " ", page[page.index("<main") : page.index("<nav")])
    said = set(NUMBER.findall(re.sub(r"\([^)]*://[^)]*\)", "", text)))
    assert len(said) > 10
    assert not {number.strip(".,") for number in said} - {number.strip(".,") for number in NUMBER.findall(front)}


def test_mlflow_keeps_the_reports_files_as_they_are(published: Published) -> None:
    for name in ("report.html", "report.pdf", "tables/score_matrix.csv", "tables/score_matrix.tex"):
        (copy,) = published.artifacts.rglob(name)
        assert copy.read_bytes() == (published.folder / name).read_bytes(), name


def test_the_pages_own_table_has_the_unrounded_scores(published: Published) -> None:
    """What the page's explorer computes with is what the CSV has."""
    page = (published.folder / "report.html").read_text(encoding="utf-8")
    start = page.index('id="_data">') + len('id="_data">')
    data: dict[str, Any] = json.loads(page[start : page.index("</script>", start)])
    head, *rows = tables(published)["replicates"]
    assert [float(row[head.index("skill")]) for row in rows] == data["replicates"]["skill"]
