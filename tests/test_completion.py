"""A complete study is known by its record, and whatever is missing or changed in that is noticed."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from shutil import copy

import pytest
from builders.small_study import carry_out
from conftest import small_study

from ablations.models.variants import VARIANTS
from ablations.run.completion import is_complete
from ablations.sqlite import sqlite_url
from ablations.study import Costs, Study

pytestmark = pytest.mark.long

CHANGES = {
    "is deleted": "update runs set lifecycle_stage = 'deleted' where run_uuid = ?",
    "goes on": "update runs set status = 'RUNNING' where run_uuid = ?",
    "has another identity": "update tags set value = 'other' where key = 'identity' and run_uuid = ? and run_uuid not in "
    "(select run_uuid from tags where key = 'kind' and value = 'trial')",  # a trial is known by its number and seed
    "has no status": "delete from tags where key = 'status' and run_uuid = ?",
    "is of another plan": "update tags set value = 'other' where key = 'plan' and run_uuid = ?",
    "has another best trial": "update tags set value = 3 - value where key = 'best_trial' and run_uuid = ?",
    "is of another setting": "update tags set value = '{}' where key = 'setting' and run_uuid = ?",
    "has other parameters": "update params set value = '7' where key in ('seed', 'lr', 'run_number') and run_uuid = ?",
}
"""What may have happened to a run of the record, and how; each is one statement that changes nothing of other runs."""


@pytest.fixture(scope="module")
def whole() -> Study:
    """A study with an ablation that is trained again with its parent's hyperparameters, and with costs."""
    study = small_study()
    variants = tuple(VARIANTS[name] for name in ("lstm", "lstm-no-forget-gate"))
    costs = Costs(cells=("rnn",), reference="rnn", hidden=(2,), rounds=2, length=2, batch=2)
    scale = replace(study.scales["smoke"], costs=costs)
    return replace(study, name="whole", variants=variants, baseline="lstm", transferred=True, scales={"smoke": scale})


@pytest.fixture(scope="module")
def record(whole: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    carry_out(whole, folder)
    return folder / "mlflow.db"


def _runs(record: Path) -> Iterator[tuple[str, str]]:
    with closing(sqlite3.connect(record)) as database:
        yield from database.execute("select run_uuid, value from tags where key = 'kind'").fetchall()


def test_a_study_that_is_all_recorded_is_complete_and_no_other_is(whole: Study, record: Path, tmp_path: Path) -> None:
    assert is_complete(whole.at("smoke"), sqlite_url(record))
    assert not is_complete(whole.at("smoke"), sqlite_url(tmp_path / "none.db"))
    assert not is_complete(small_study().at("smoke"), sqlite_url(record))
    for other in (replace(whole, seed=1), replace(whole, question="Another?")):
        assert not is_complete(other.at("smoke"), sqlite_url(record))
    assert carry_out(whole, record.parent).runs == 0


@pytest.mark.parametrize("change", CHANGES)
def test_a_study_is_not_complete_where_one_of_its_runs(change: str, whole: Study, record: Path, tmp_path: Path) -> None:
    changed = 0
    for run_id, kind in _runs(record):
        file = Path(copy(record, tmp_path / "mlflow.db"))
        with closing(sqlite3.connect(file)) as database, database:
            rows = database.execute(CHANGES[change], [run_id]).rowcount
        if rows:
            changed += 1
            assert not is_complete(whole.at("smoke"), sqlite_url(file)), (kind, run_id)
    assert changed
