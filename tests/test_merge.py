"""Records of several machines are merged into one that reads as if all had been run in one place."""

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from builders import crashes
from builders.small_study import Databases, Silent, empty_store, numbers, recorded
from conftest import SMALL, small_study

from ablations.errors import UserError
from ablations.record.merge import merge
from ablations.record.model_log import model_files
from ablations.record.schema import PARENT
from ablations.record.store import MlflowClient, MlflowRun, connect
from ablations.run.checkpoints import Checkpoints
from ablations.run.context import RunContext
from ablations.run.control import Control
from ablations.run.executors import SerialExecutor
from ablations.run.kept_models import load_model
from ablations.run.scheduler import run_plan
from ablations.sqlite import sqlite_url
from ablations.study import Study
from reports.result_tables import ResultTables

TABLES = ("settings", "replicates", "curves", "difficulty", "gradient", "gradient_at_cue", "trials", "costs")
OF_ONE_PLACE = {"run_id", "seconds", "seconds_per_sequence"}
"""The columns that are other in every record: ids of MLflow, and times."""


def run(study: Study, folder: Path, *only: str) -> Path:
    stores = Databases(folder)
    record = stores.recorder(study)
    context = RunContext(record, stores.storage(), Checkpoints(folder / "checkpoints"), Silent())
    record.set_provenance({"commit": "0123", "started": f"2026-01-0{1 + len(only)}", "wall_seconds": 2.0})
    run_plan(study.at("smoke"), context, SerialExecutor(), 2, Control(only=only))
    return folder


def tables(study: Study, folder: Path) -> dict[str, str]:
    """The hash of each table as CSV."""
    results = ResultTables(recorded(study, folder))
    frames = {name: getattr(results, name) for name in TABLES}
    return {
        name: hashlib.sha256(
            frame.drop(columns=OF_ONE_PLACE & {*frame.columns}).to_csv(index=False).encode()
        ).hexdigest()
        for name, frame in frames.items()
    }


def brief_study(seed: int = 0) -> Study:
    return small_study(replace(SMALL, trials=2, trials_per_round=1, search_seeds=1, steps=2), seed)


@pytest.fixture
def study() -> Study:
    return brief_study()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results folders of the whole study, `whole`, and of one task each, `a` and `b`."""
    folder = tmp_path_factory.mktemp("trained")
    for name, only in {"whole": (), "a": ("adding/*",), "b": ("disambiguation/*",)}.items():
        run(brief_study(), folder / name, *only)
    return folder


@pytest.fixture
def whole(trained: Path) -> Path:
    return trained / "whole"


@pytest.fixture
def halves(trained: Path, tmp_path: Path) -> tuple[Path, Path]:
    """Two results folders, each with the settings of one task."""
    shutil.copytree(trained / "a", tmp_path / "a")
    shutil.copytree(trained / "b", tmp_path / "b")
    return tmp_path / "a", tmp_path / "b"


def client_of(folder: Path) -> MlflowClient:
    return connect(sqlite_url(folder / "mlflow.db"))


def runs_of(folder: Path) -> list[MlflowRun]:
    client = client_of(folder)
    (experiment,) = client.search_experiments(filter_string="name = 'small-smoke'")
    return list(client.search_runs([experiment.experiment_id], max_results=1000))


def test_two_halves_of_a_study_give_the_tables_of_the_whole(
    study: Study, halves: tuple[Path, Path], whole: Path, tmp_path: Path
) -> None:
    home = tmp_path / "merged"
    assert [str(each) for each in merge(halves, home, "ablate merge")] == [
        "small-smoke: runs copied: 16, there already: 0"
    ]
    assert tables(study, home) == tables(study, whole)
    assert numbers(study, home) == numbers(study, whole)
    assert len(runs_of(home)) == len(runs_of(whole)) == 20
    provenance = recorded(study, home).provenance
    assert (provenance["wall_seconds"], provenance["started"]) == (4.0, "2026-01-02")


def test_a_half_is_merged_into_the_folder_of_the_other_and_nothing_is_doubled(
    study: Study, halves: tuple[Path, Path], whole: Path
) -> None:
    home, other = halves
    for copied, known in ((8, 0), (0, 8)):
        (merged,) = merge([other], home, "ablate merge")
        assert (merged.copied, merged.known) == (copied, known)
        assert len(runs_of(home)) == 20
    assert tables(study, home) == tables(study, whole)


@pytest.mark.long
def test_a_merged_record_needs_no_more_training(study: Study, halves: tuple[Path, Path], tmp_path: Path) -> None:
    home = tmp_path / "merged"
    merge(halves, home, "ablate merge")
    stores, watch = Databases(home), Silent()
    record = stores.recorder(study)
    run_plan(
        study.at("smoke"),
        RunContext(record, stores.storage(), Checkpoints(home / "checkpoints"), watch),
        SerialExecutor(),
        2,
    )
    assert watch.segments == 0


@pytest.mark.long
def test_a_half_that_was_begun_goes_on_after_the_merge(
    study: Study, halves: tuple[Path, Path], whole: Path, tmp_path: Path
) -> None:
    home = tmp_path / "merged"
    merge(halves[:1], home, "ablate merge")
    run(study, home)
    assert numbers(study, home) == numbers(study, whole)


@pytest.mark.long
def test_kept_models_and_files_come_along(study: Study, halves: tuple[Path, Path], tmp_path: Path) -> None:
    home = tmp_path / "merged"
    parent = next(run for run in runs_of(halves[0]) if PARENT not in run.data.tags)
    client_of(halves[0]).log_text(parent.info.run_id, "why", "failure.txt")
    merge(halves, home, "ablate merge")
    for folder in halves:
        shutil.rmtree(folder)
    assert [path.read_text() for path in home.glob("artifacts/**/failure.txt")] == ["why"]
    settings = [run for run in runs_of(home) if PARENT not in run.data.tags]
    assert len(settings) == 4
    for setting in settings:
        uri = f"runs:/{setting.info.run_id}"
        with model_files(uri, sqlite_url(home / "mlflow.db")) as files:
            assert sum(parameter.numel() for parameter in load_model(files).parameters()) > 500


def test_other_numbers_of_one_run_are_refused_and_nothing_is_written(
    study: Study, halves: tuple[Path, Path], tmp_path: Path
) -> None:
    home, other = halves
    changed = shutil.copytree(home, tmp_path / "changed")
    run_id = next(run.info.run_id for run in runs_of(changed) if run.data.tags.get("kind") == "replicate")
    client_of(changed).log_metric(run_id, "test_score", 0.123)
    before = (home / "mlflow.db").read_bytes()
    with pytest.raises(UserError, match=r"adding/\w+ replicate \d of small-smoke has other numbers in") as told:
        merge([other, changed], home, "ablate merge")
    assert "\n" not in str(told.value)
    assert (home / "mlflow.db").read_bytes() == before


def test_records_of_other_plans_are_refused(halves: tuple[Path, Path], tmp_path: Path) -> None:
    other = run(brief_study(seed=5), tmp_path / "other", "adding/rnn")
    with pytest.raises(UserError, match=r"is of one plan in .* and of another in .*: seed differs"):
        merge([other], halves[0], "ablate merge")


def test_runs_of_other_plans_beside_that_of_a_record_are_left_out_and_counted(
    study: Study, halves: tuple[Path, Path], tmp_path: Path
) -> None:
    a, b = halves
    run(brief_study(seed=1), b, "disambiguation/rnn")
    run(study, b, "disambiguation/*")  # the plan that was run last is that of the other half again
    (merged,) = merge([b], a, "ablate merge")
    assert (merged.copied, merged.known, merged.others) == (8, 0, 4)
    assert str(merged).endswith("runs copied: 8, there already: 0, left out, of other plans: 4")
    assert len([each for each in runs_of(a) if PARENT in each.data.tags]) == 16


def test_folders_without_a_record_are_refused_and_nothing_is_created(tmp_path: Path) -> None:
    empty_store(tmp_path / "empty")
    for folders, words in (
        ([tmp_path / "none"], "none is no folder; name results folders"),
        ([tmp_path], "has no record; name results folders"),
        ([tmp_path / "empty"], "nothing is recorded in"),
        ([tmp_path / "home"], "is the results folder that is merged into"),
    ):
        with pytest.raises(UserError, match=words):
            merge(folders, tmp_path / "home", "ablate merge")
    assert {path.name for path in tmp_path.iterdir()} == {"empty"}


@pytest.mark.long
def test_a_merge_that_was_killed_at_any_point_is_completed_by_the_next(tmp_path: Path) -> None:
    """What a process leaves that ends before any commit, rename or deletion is merged into once more."""
    source, copies = tmp_path / "source", tmp_path / "copies"
    crashes.carry_out(source)
    expected = crashes.tables_hash(crashes.store(source))
    killed: list[tuple[str, Path]] = []

    def keep(name: str) -> None:
        if (tmp_path / "home" / "mlflow.db").exists():  # before, MLflow makes its schema in a file of another name
            killed.append((name, shutil.copytree(tmp_path / "home", copies / str(len(killed)))))

    with crashes.points(keep):
        merge([source], tmp_path / "home", "ablate merge")
    assert len(killed) > 30
    params = [run.data.params for run in runs_of(source)]
    for name, home in [*killed, ("the end", tmp_path / "home")]:
        merge([source], home, "ablate merge")
        runs = [run for run in runs_of(home) if run.data.tags.get("status") != "interrupted"]
        assert crashes.tables_hash(crashes.store(home)) == expected, name
        assert not crashes.doubles(crashes.store(home)), name
        assert sorted(map(str, (run.data.params for run in runs))) == sorted(map(str, params)), name
        assert {run.info.status for run in runs} == {"FINISHED"}, name
