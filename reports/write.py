"""Writes a report: all of its files, or none."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

import pandas as pd

from ablations.record.schema import StudyRecord
from reports.compose import Say, compose, silent
from reports.document import Document, Picture, Table
from reports.html import to_html
from reports.latex import to_latex
from reports.page_one.blocks import PageOne
from reports.page_one.markdown import FILE, PICTURE, page_markdown
from reports.pdf import front_png, to_pdf
from reports.references import stem
from reports.statistics.simulation import SimulatedTables, simulated_tables

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a text begins with that a spreadsheet takes for a formula."""


def write(
    study: StudyRecord,
    folder: Path,
    say: Say = silent,
    simulated: Callable[[], SimulatedTables] = simulated_tables,
) -> tuple[Path, Path]:
    """Writes report.html, report.pdf, page one as Markdown and PNG, tables and figures; returns the paths of the two reports.

    A table is written as CSV and as LaTeX, a figure as SVG.

    The files are written to a temporary folder first, which then replaces the old one: no report is ever half-written.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        document, data = compose(study, say, simulated)
        for name in ("tables", "figures"):
            (fresh / name).mkdir()
        _write_tables(document, data, fresh / "tables")
        for block in document.blocks:
            if isinstance(block, Picture):
                (fresh / "figures" / f"{stem(block.name)}.svg").write_text(block.svg, encoding="utf-8")
        say("writing report.html", "")
        (fresh / "report.html").write_text(to_html(document), encoding="utf-8")
        say("writing report.pdf", "")
        for page in (block for block in document.blocks if isinstance(block, PageOne)):
            (fresh / FILE).write_text(page_markdown(document.title, page), encoding="utf-8")
            (fresh / PICTURE).write_bytes(front_png(document))
        (fresh / "report.pdf").write_bytes(to_pdf(document))
        fresh.chmod(0o755)
        _replace(folder, fresh)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    return folder / "report.html", folder / "report.pdf"


def _write_tables(document: Document, data: Mapping[str, pd.DataFrame], folder: Path) -> None:
    """Each table as CSV, unrounded, and as LaTeX with the report's decimals and caption."""
    captions = {block.name: block.caption for block in reversed(document.blocks) if isinstance(block, Table)}
    for name, frame in data.items():
        without_formulas(frame).to_csv(folder / f"{stem(name)}.csv", index=False)
        source = to_latex(Table(name, frame, captions.get(name, "")))
        (folder / f"{stem(name)}.tex").write_text(source, encoding="utf-8")


def without_formulas(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with an apostrophe before each text that a spreadsheet would take for a formula. Numbers stay as they are."""
    columns = [frame.iloc[:, place].map(_inert) for place in range(frame.shape[1])]
    return pd.concat(columns, axis=1, keys=map(_inert, frame.columns)) if columns else frame


def _inert(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def _replace(folder: Path, fresh: Path) -> None:
    """Replaces the folder by the fresh one. The old one is deleted only after that."""
    with TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as aside:
        if folder.exists():
            folder.rename(Path(aside) / "old")
        fresh.rename(folder)
