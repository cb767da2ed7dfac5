"""A real MLflow server and a real browser: from the printed links, five questions are answered in three clicks each."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from builders.small_study import carry_out, recorded
from builders.ui_tour import Tour, printed_links
from conftest import LSTM, SMALL
from test_servers import free_port

from ablations.models.variants import VARIANTS
from ablations.record.report_run import log_report
from ablations.record.store import connect
from ablations.study import Range, Scale, Study
from reports.mlflow_texts import describe_settings
from tasks import TASKS

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium is installed"),
    pytest.mark.filterwarnings("ignore"),
]

PROVENANCE = {"commit": "0123456789abcdef", "command": "ablate run toured --scale smoke", "started": "2026-01-02"}
HIGHEST = 1e9
"""A learning rate at which training diverges."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results folder with a study in which some trials diverge, described as a report describes it."""
    home = tmp_path_factory.mktemp("home")
    scale = Scale(tasks={"copying": TASKS["copying"](delay=3)}, budget=replace(SMALL, replicates=3))
    study = Study(
        name="toured", question="Which is better?", variants=(LSTM, VARIANTS["gru"]), baseline="lstm",
        scales={"smoke": scale}, nuisance={"lr": Range(1e-3, HIGHEST)}, seed=5,
    )  # fmt: skip
    carry_out(study, home, provenance=PROVENANCE)
    record = recorded(study, home)
    describe_settings(record)
    (home / "report").mkdir()
    (home / "report" / "report.html").write_text("<h1>Report</h1>")
    log_report(connect(record.uri), record.experiment_id, "what was found", home / "report")
    return home


@pytest.fixture(scope="module")
def links(home: Path) -> Iterator[dict[str, str]]:
    """What `ablate ui` prints, while its server runs."""
    environment = os.environ | {"ABLATIONS_HOME": str(home), "PYTHONPATH": str(Path(__file__).parent.parent)}
    command = [sys.executable, "-m", "ablations", "ui", "--port", str(free_port())]
    log = home / "ui.log"
    with (
        log.open("w") as out,
        subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environment) as server,
    ):
        end = time.monotonic() + 300
        while "too long for the model" not in log.read_text() and time.monotonic() < end and server.poll() is None:
            time.sleep(0.5)
        yield printed_links(log.read_text().splitlines(), "toured-smoke")
        server.terminate()
        assert server.wait(timeout=60) == 0


@pytest.fixture
def tour(links: dict[str, str]) -> Iterator[Tour]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        tour = Tour(browser.new_page(viewport={"width": 1900, "height": 1000}), links, "copying")
        yield tour
        assert tour.clicks <= 3
        browser.close()


def test_the_best_network_and_by_how_much_is_in_the_columns_of_a_saved_view(tour: Tour) -> None:
    columns, rows = tour.best()
    assert {"test_score", "test_score_low", "test_score_high", "behind_best"} <= {*columns}
    assert len(rows) == 2


def test_two_networks_are_compared_in_the_description_of_either(tour: Tour) -> None:
    text = tour.difference("lstm")
    assert "gru" in text
    assert "95 % interval" in text


def test_what_the_search_tried_is_one_chart_with_the_best_trial_first(tour: Tour) -> None:
    rows = tour.search()
    assert len(rows) > 1


def test_runs_that_diverged_say_why(tour: Tour) -> None:
    rows = tour.failures()
    assert rows
    assert all("diverged within" in row for row in rows)


def test_a_run_names_its_command_seed_commit_parameters_and_model(tour: Tour) -> None:
    text = tour.provenance("copying/lstm replicate 0")
    for part in ("study_seed", "ablate run toured", "0123456", "lr"):
        assert part in text
