"""Writes a report: all of its files, or none."""

import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

from ablations.record.schema import StudyRecord
from reports.compose import Say, compose, silent
from reports.document import Picture
from reports.html import to_html
from reports.pdf import to_pdf
from reports.statistics.simulation import SimulatedTables, simulated_tables


def write(
    study: StudyRecord,
    folder: Path,
    say: Say = silent,
    simulated: Callable[[], SimulatedTables] = simulated_tables,
) -> tuple[Path, Path]:
    """Writes report.html, report.pdf, tables/*.csv and figures/*.svg; returns the paths of the two reports.

    The files are written to a temporary folder first, which then replaces the old one: no report is ever half-written.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        document, data = compose(study, say, simulated)
        for name in ("tables", "figures"):
            (fresh / name).mkdir()
        for name, frame in data.items():
            frame.to_csv(fresh / "tables" / f"{name}.csv", index=False)
        for block in document.blocks:
            if isinstance(block, Picture):
                (fresh / "figures" / f"{block.name}.svg").write_text(block.svg, encoding="utf-8")
        say("writing report.html", "")
        (fresh / "report.html").write_text(to_html(document), encoding="utf-8")
        say("writing report.pdf", "")
        (fresh / "report.pdf").write_bytes(to_pdf(document))
        fresh.chmod(0o755)
        _replace(folder, fresh)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    return folder / "report.html", folder / "report.pdf"


def _replace(folder: Path, fresh: Path) -> None:
    """Replaces the folder by the fresh one. The old one is deleted only after that."""
    with TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as aside:
        if folder.exists():
            folder.rename(Path(aside) / "old")
        fresh.rename(folder)
