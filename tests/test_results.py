"""Results as data: what `ablations.open` gives is what the report has, and the notebook about it runs."""

import re
from dataclasses import replace
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
import torch
from builders.fake_record import World, fake_study
from builders.small_study import carry_out
from nbclient import NotebookClient

import ablations
from ablations.errors import UserError
from ablations.record.reader import read
from ablations.sqlite import sqlite_url
from ablations.study import Study
from reports.compose import compose
from reports.figures import FIGURES
from reports.result_tables import ResultTables
from reports.results import StudyResults
from reports.study_tables import RECORD_TABLES, REPORT_TABLES, TABLES
from tasks import TASKS

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture
def recorded(study: Study, home: Path) -> Path:
    """A results folder with a small study."""
    home.mkdir()
    carry_out(study, home)
    return home


@pytest.mark.slow
def test_a_folder_gives_the_tables_of_the_report_and_the_curves_and_networks_of_its_runs(recorded: Path) -> None:
    results = ablations.open(recorded)
    assert results.studies.to_numpy().tolist() == [["small", "smoke", "Does it run?"]]
    study = results.study("small", "smoke")
    expected = ResultTables(read(sqlite_url(recorded / "mlflow.db"), "small", "smoke"))
    for name in RECORD_TABLES:
        pd.testing.assert_frame_equal(getattr(study.tables, name), getattr(expected, name))
    assert len(study.tables.replicates) == 8

    curves = study.curves("adding", "lstm", seed=1)
    validation = curves[curves["curve"] == "validation_score"].set_index("step")["value"]
    own = study.tables.curves.query("task == 'adding' and variant == 'lstm' and seed == 1")
    assert validation.to_dict() == own.set_index("sequences")["score"].to_dict()

    batch = TASKS["adding"](length=4).sample(np.random.default_rng(0), 8)
    setting = next(s for s in study.record.settings if (s.task, s.variant) == ("adding", "lstm"))
    with torch.no_grad():
        outputs = study.load("adding", "lstm")(batch.inputs, batch.mask)
        same = ablations.load(f"runs:/{setting.run_id}")(batch.inputs, batch.mask)
    torch.testing.assert_close(outputs, same, rtol=0, atol=0)

    uri = sqlite_url(recorded / "mlflow.db")
    assert {ablations.open(place).uri for place in (None, recorded, str(recorded), uri)} == {uri}
    with pytest.raises(UserError, match=r"study 'small' at scale 'demo'; recorded are small-smoke"):
        results.study("small")


def test_a_folder_without_results_is_one_line(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(UserError, match=r"mlflow.db: there is no such file; `ablate run` comes first$"):
            ablations.open(place)


@pytest.mark.slow
def test_tables_that_the_report_computes_are_those_of_its_files() -> None:
    record = fake_study(World(tasks=("copying", "france"), variants=("rnn", "lstm")))
    tables = StudyResults(record, lambda *where: where).tables
    _, data = compose(record)
    assert {*REPORT_TABLES} - {*data} == {"best_values"}  # which a report of one searched factor has no need of
    for name in {*REPORT_TABLES} & {*data}:
        pd.testing.assert_frame_equal(getattr(tables, name), data[name], obj=name)
    assert {"trial", "lr"} <= {*tables.best_values}
    assert {*FIGURES} <= {*dir(tables)} == {*TABLES}
    assert all(name in repr(tables) for name in ("importance", "trials"))
    for name in RECORD_TABLES:
        assert isinstance(getattr(tables, name), pd.DataFrame)
    with pytest.raises(AttributeError, match="there is no table 'imports'; there are settings, replicates"):
        _ = tables.imports
    assert not hasattr(tables, "other")


def test_what_is_not_in_a_study_is_named_with_what_is() -> None:
    study = StudyResults(fake_study(World(tasks=("copying",), variants=("lstm",))), lambda *where: where)
    with pytest.raises(UserError, match="no setting copying/gru; its settings are copying/lstm"):
        study.load("copying", "gru")
    with pytest.raises(
        UserError, match="claims/copying/lstm at scale demo has no replicate 9; its replicates are 0, 1, 2"
    ):
        study.curves("copying", "lstm", 9)


def test_a_network_is_that_of_the_setting_or_of_the_replicate_that_is_named() -> None:
    record = replace(fake_study(World(tasks=("copying",), variants=("lstm",))), uri="http://there")
    study = StudyResults(record, lambda *where: where)
    assert study.load("copying", "lstm") == (f"runs:/{record.settings[0].run_id}", "http://there")
    run = next(run for run in record.replicates if run.number == 2)
    assert study.load("copying", "lstm", seed=2) == (f"runs:/{run.run_id}", "http://there")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what starts its kernel
@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.ipynb")), ids=lambda path: path.stem)
@pytest.mark.long
def test_a_notebook_runs_from_its_first_cell_to_its_last(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ABLATIONS_HOME", raising=False)
    notebook = nbformat.read(path, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "it is kept without what it once printed"
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(EXAMPLES)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    kinds = {kind for output in outputs for kind in output.get("data", {})}
    assert {"text/html", "image/png"} <= kinds
    assert re.search(r"score 0\.\d+; chance 0\.\d+", "".join(output.get("text", "") for output in outputs))
