"""A reader's way through the MLflow UI: five questions, each answered from a printed link in at most three clicks.

`python -m builders.ui_tour LOG EXPERIMENT PICTURES`, with `tests` on PYTHONPATH, takes the pictures of docs/mlflow.md, while
`ablate ui > LOG` runs.
"""

import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PATIENCE = 120_000  # milliseconds; a busy machine takes long
QUIET = "localStorage.setItem('mlflow.assistant.fab.autoOpenedOnFirstLoad_v1', 'true')"
"""Otherwise the UI opens a panel of its own over a third of a new browser's page."""


@dataclass
class Tour:
    """`links`: what `ablate ui` prints for a study, name of a view -> URL. `take` is given a page and the picture's name."""

    page: Any
    links: Mapping[str, str]
    task: str
    take: Callable[[Any, str], object] = lambda *_: None
    clicks: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(PATIENCE)
        self.page.add_init_script(QUIET)

    def best(self) -> tuple[list[str], list[str]]:
        """Which network is best, and by how much? The columns of the task's table, and its rows, the best first."""
        self._open(f"{self.task}: networks, best first")
        answer = self._columns(), self._rows()
        self.take(self.page, "mlflow-best")
        return answer

    def difference(self, variant: str) -> str:
        """By how much do two networks differ? The description of the run of one setting."""
        self._open(f"{self.task}: networks, best first")
        self._click(f"{self.task}/{variant}")
        self.page.get_by_text("Show more").first.wait_for()
        self.clicks += 1
        self.page.get_by_text("Show more").first.click()
        self.page.get_by_text("paired by seed").first.wait_for()
        self.take(self.page, "mlflow-difference")
        return str(self.page.inner_text("body"))

    def search(self) -> list[str]:
        """What did the search try, and what was best? The rows beside the chart, the best first."""
        self._open(f"{self.task}: what the search tried")
        self.page.get_by_text("What was tried").first.wait_for()
        self.page.locator("canvas.foreground").first.wait_for()
        links = self.page.get_by_role("link", name=f"{self.task}/")
        links.first.wait_for()
        rows = [str(text) for text in links.all_inner_texts()]
        self.take(self.page, "mlflow-search")
        return rows

    def failures(self) -> list[str]:
        """Which runs failed or diverged, and why? The rows, with reasons."""
        self._open("failed and diverged, and why")
        rows = self._rows()
        self.take(self.page, "mlflow-failed")
        return rows

    def provenance(self, run: str) -> str:
        """Command, seed, commit, parameters and model of a run? Its page."""
        self._open(f"{self.task}: every replicate")
        self._click(run)
        self.page.get_by_text("study_seed").first.wait_for()
        self.take(self.page, "mlflow-run")
        return str(self.page.inner_text("body"))

    def _open(self, name: str) -> None:
        """Follows a printed link: one click."""
        self.clicks = 1
        self.page.goto("about:blank")
        self.page.goto(self.links[name])
        self.page.get_by_text("matching run").first.wait_for()

    def _click(self, text: str) -> None:
        self.clicks += 1
        self.page.get_by_role("link", name=text, exact=True).first.click()

    def _columns(self) -> list[str]:
        self.page.get_by_role("columnheader", name="test_score", exact=True).first.wait_for()
        return [each.strip() for each in self.page.get_by_role("columnheader").all_inner_texts()]

    def _rows(self) -> list[str]:
        rows = self.page.locator(".ag-center-cols-container .ag-row")
        rows.first.wait_for()
        return [" ".join(text.split()) for text in rows.all_inner_texts()]


def printed_links(lines: list[str], study: str) -> dict[str, str]:
    """The links of a study among the lines that `ablate ui` prints."""
    own = lines[lines.index(study) + 1 :]
    own = own[: own.index("")] if "" in own else own
    return {name.strip(): url for name, _, url in (line.rpartition("  ") for line in own)}


def main(log: str, study: str, pictures: str) -> None:
    """Takes the pictures, given the file of what `ablate ui` printed, an experiment, and a folder."""
    from PIL import Image
    from playwright.sync_api import sync_playwright

    def take(page: Any, name: str) -> None:
        page.wait_for_timeout(3000)
        file = Path(pictures) / f"{name}.png"
        page.screenshot(path=file)
        Image.open(file).convert("RGB").quantize(64).save(file, optimize=True)

    links = printed_links(Path(log).read_text(encoding="utf-8").splitlines(), study)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        tour = Tour(browser.new_page(viewport={"width": 1500, "height": 900}), links, "copying", take)
        for answer in (tour.best, lambda: tour.difference("lstm"), tour.search):
            answer()
        tour.page.set_viewport_size({"width": 1500, "height": 1500})
        tour.provenance("copying/lstm replicate 0")
        tour.page.set_viewport_size({"width": 1500, "height": 900})
        tour.failures()  # the last: it waits for runs that failed, and ends with an error where there is none
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
