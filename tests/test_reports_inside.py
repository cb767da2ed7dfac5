"""`ablate show` of a replicate: found by its id or its place, drawn, and told in words."""

from dataclasses import replace
from pathlib import Path

import pytest
from builders.fake_record import World, fake_study

from ablations.record.lookup import is_replicate, is_setting, replicate_at
from ablations.record.schema import RecordError
from reports.inside import KINDS, describe, draw, show_setting, tables_of

WORLD = World(tasks=("copying", "disambiguation", "dates"), variants=("lstm", "bilstm-attention"), diverged=())
STUDY = fake_study(WORLD)


def test_names_of_replicates_are_told_from_those_of_other_things() -> None:
    assert is_replicate("claims/copying/lstm/3")
    assert is_replicate(STUDY.replicates[0].run_id)
    for name in ("lstm", "bilstm-attention", "claims", "copying/lstm", "folder/of/mine/1/study.py"):
        assert not is_replicate(name)


def test_a_replicate_is_found_at_its_place_and_what_is_not_there_is_one_line() -> None:
    _, setting, run = replicate_at(STUDY, "claims/copying/lstm/3")
    assert (setting.task, setting.variant, run.number) == ("copying", "lstm", 3)
    with pytest.raises(RecordError, match="no setting copying/gru; its settings are copying/lstm"):
        replicate_at(STUDY, "claims/copying/gru/3")
    with pytest.raises(
        RecordError, match="claims/copying/lstm at scale demo has no replicate 9; its replicates are 0, 1"
    ):
        replicate_at(STUDY, "claims/copying/lstm/9")


def test_a_setting_is_shown_with_the_runs_that_can_be_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ablations.record.lookup.read", lambda *_, **__: STUDY)
    assert is_setting("claims/copying/lstm")
    lines = list(show_setting("uri", "claims/copying/lstm", "demo"))
    setting = next(s for s in STUDY.settings if (s.task, s.variant) == ("copying", "lstm"))
    runs = [run.run_id for run in STUDY.replicates if run.setting == setting.identity]
    assert f"run {setting.run_id}" in lines[0]
    assert lines[1].endswith(f'ablations.load("runs:/{setting.run_id}")')
    assert [line.rpartition(" ")[2] for line in lines if line.startswith("  replicate")] == runs
    for name in ("lstm", "claims", "folder/of/study.py", "claims/copying/lstm/3"):
        assert not is_setting(name)


@pytest.mark.parametrize(
    ("place", "kinds"),
    [
        ("claims/copying/lstm/1", {"gates"}),
        ("claims/disambiguation/lstm/2", {"word_by_word", "gates"}),
        ("claims/dates/bilstm-attention/1", {"attention_maps"}),
    ],
)
def test_what_any_replicate_has_recorded_is_drawn(place: str, kinds: set[str], tmp_path: Path) -> None:
    record, setting, run = replicate_at(STUDY, place)
    tables = tables_of(record, setting, run)
    assert set(tables) == kinds <= set(KINDS)
    paths = draw(tables, tmp_path / "one")
    assert [path.name for path in paths] == [f"{name}.svg" for name in tables]
    assert all(path.read_text(encoding="utf-8").startswith("<svg") for path in paths)
    words = "\n".join(describe(setting, run, tables))
    assert f"{setting.task}/{setting.variant} replicate {run.number}: finished" in words
    for name in kinds:
        assert KINDS[name].finding(tables[name]) in words


def test_the_words_are_the_numbers_of_the_record() -> None:
    record, setting, run = replicate_at(STUDY, "claims/disambiguation/lstm/2")
    memory, reading = run.mechanisms["memory"], run.mechanisms["reading"]
    lines = list(describe(setting, run, tables_of(record, setting, run)))
    stored = [
        value for value, role in zip(memory["quantities"]["i"]["mean"], memory["roles"], strict=True) if role == "store"
    ]
    (gate,) = [line for line in lines if line.split()[:1] == ["input"]]
    assert float(gate.split()[1]) == pytest.approx(sum(stored) / len(stored), abs=0.005)
    (row, _) = [line for line in lines if line.split()[:1] == ["one"]]
    assert float(row.split()[1]) == pytest.approx(reading["probabilities"][0][1][0], abs=0.005)


def test_a_replicate_of_an_earlier_version_says_that_it_has_recorded_nothing() -> None:
    record, setting, run = replicate_at(STUDY, "claims/copying/lstm/1")
    bare = replace(run, mechanisms={})
    tables = tables_of(record, setting, bare)
    assert tables == {}
    assert "has not recorded what it does inside" in "\n".join(describe(setting, bare, tables))
