"""Two records are compared setting by setting, paired by seed, with all else in which they differ."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from builders.fake_record import World, fake_study
from scipy import stats

from ablations import cli
from ablations.record.schema import RunRecord, StudyRecord
from reports.record_comparison import COLUMNS, differences, different_facts, write_comparison

CELL = ("copying", "lstm")


@pytest.fixture(scope="module")
def record() -> StudyRecord:
    return fake_study(World())


def moved(record: StudyRecord, by: float) -> StudyRecord:
    """The record with all scores of one setting a little lower, by an amount that grows with the seed."""
    (identity,) = (s.identity for s in record.settings if (s.task, s.variant) == CELL)

    def change(run: RunRecord) -> RunRecord:
        if run.setting != identity or "test_score" not in run.metrics:
            return run
        score = run.metrics["test_score"] - by * (1 + run.number)
        return replace(run, metrics={**run.metrics, "test_score": score})

    return replace(record, replicates=tuple(map(change, record.replicates)))


def test_a_record_is_equal_to_itself_in_every_seed_of_every_setting(record: StudyRecord) -> None:
    table = differences(record, record)
    assert list(table.columns) == COLUMNS
    assert {(task, variant) for task, variant in zip(table.task, table.variant, strict=True)} == {
        (s.task, s.variant) for s in record.settings
    }
    assert (table.difference == 0).all()
    assert (table.equal == table.n).all()
    assert (table.low < 0).all()
    assert (table.high > 0).all()
    assert set(table.identity) == {"the same"}
    assert different_facts(record, record).empty


def test_the_differences_are_those_of_the_pairs_with_students_interval(record: StudyRecord) -> None:
    other = moved(record, 0.03)
    table = differences(record, other).set_index(["task", "variant"])
    row = table.loc[CELL]
    n = int(row.n)
    chance = next(s for s in record.settings if (s.task, s.variant) == CELL).references["chance"]
    pairs = -0.03 * (1 + np.arange(n)) / (1 - chance)
    half = stats.t.ppf(0.975, n - 1) * pairs.std(ddof=1) / np.sqrt(n)
    assert row.difference == pytest.approx(pairs.mean())
    assert (row.low, row.high) == pytest.approx((pairs.mean() - half, pairs.mean() + half))
    assert row.skill_B - row.skill_A == pytest.approx(pairs.mean())
    assert row.equal == 0
    assert (table.drop(index=[CELL]).difference == 0).all()


def test_seeds_that_only_one_has_are_left_out(record: StudyRecord) -> None:
    fewer = replace(record, replicates=tuple(run for run in record.replicates if run.number != 0))
    table = differences(record, fewer)
    assert (table.n == differences(record, record).n - 1).all()
    assert (table.difference == 0).all()


def test_what_differs_of_plan_code_and_machine_is_named(record: StudyRecord) -> None:
    plan = {**record.plan, "budget": {**record.plan["budget"], "steps": 7}}
    facts = {**record.provenance, "commit": "fedc", "versions": {**record.provenance["versions"], "torch": "3.0"}}
    settings = tuple(replace(s, identity=f"{s.identity}x") if s.variant == "gru" else s for s in record.settings[1:])
    other = replace(record, plan=plan, provenance={**facts, "wall_seconds": -1.0}, settings=settings)
    rows = {what: (a, b) for what, a, b in different_facts(record, other).itertuples(index=False)}
    first = record.settings[0]
    assert rows == {
        "plan.budget.steps": (str(record.plan["budget"]["steps"]), "7"),
        "commit": (record.provenance["commit"], "fedc"),
        "versions.torch": ("2.9.0", "3.0"),
        f"setting {first.task}/{first.variant}": ("recorded", "–"),
    }


def test_the_comparison_is_written_as_a_page_and_as_tables_and_said_in_lines(
    record: StudyRecord, tmp_path: Path
) -> None:
    hostile = replace(record, plan={**record.plan, "seed": 5}, provenance={**record.provenance, "command": "=<script>"})
    *lines, path, pdf = write_comparison(record, hostile, ("http://ada:secret@host", "there <b>"), tmp_path / "compare")
    page = Path(path).read_text(encoding="utf-8")
    assert Path(pdf).read_bytes().startswith(b"%PDF")
    assert "secret" not in page + "".join(lines)
    assert "=<script>" not in page
    assert "there &lt;b&gt;" in page
    assert "=&lt;script&gt;" in page
    assert any("not the same data: the study's seed" in line for line in lines)
    assert sum(line.startswith("copying") for line in lines) == sum(s.task == "copying" for s in record.settings)
    tables = {file.name: file.read_text() for file in (tmp_path / "compare" / "tables").glob("*.csv")}
    assert set(tables) == {"differences.csv", "what_differs.csv"}
    assert "'=<script>" in tables["what_differs.csv"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["none", "other"], "there is no such file"),
        (["none"], "Missing argument 'B'"),
        (["none", "other", "--study", "claims"], "nothing is recorded of study 'claims'"),
        (["sqlite:////proc/none/x.db", "other"], "cannot open the MLflow store"),
    ],
)
def test_records_that_cannot_be_compared_are_one_line(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["ablate", "compare", *arguments])
    with pytest.raises(SystemExit) as end:
        cli.main()
    said = capsys.readouterr()
    assert (end.value.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert words in said.err
    assert not list(tmp_path.iterdir())
