"""A plan is that of a record, or it is said in what they differ."""

from dataclasses import replace

import pytest

from ablations.models import CELLS
from ablations.record.schema import StudyRecord
from ablations.run.entries import setting_entry
from ablations.run.recorded_plan import differences
from ablations.study import Plan, Study


def record_of(plan: Plan) -> StudyRecord:
    settings = tuple(setting_entry(plan, setting) for setting in plan.settings)
    return StudyRecord(plan.name, plan.scale, "1", "uri", plan.data, {}, settings, (), ())


def test_a_plan_is_that_of_its_own_record(study: Study) -> None:
    assert differences(study.at("smoke"), record_of(study.at("smoke"))) == []


def test_parts_of_a_plan_that_differ_are_named(study: Study) -> None:
    record = record_of(study.at("smoke"))
    assert differences(study.with_changes("smoke", {"steps": 4}).at("smoke"), record) == ["budget"]
    assert differences(replace(study, seed=1, question="What?").at("smoke"), record) == ["question", "seed"]


def test_where_only_code_differs_its_settings_are_named(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    record = record_of(study.at("smoke"))

    class Edited(CELLS["lstm"]):  # type: ignore[misc]
        step = staticmethod(lambda f, a, s, v: {"c": a.i * a.g + f.sigmoid(a.f) * s.c, "h": a.o * f.tanh(s.c)})

    monkeypatch.setitem(CELLS, "lstm", Edited)
    assert differences(study.at("smoke"), record) == ["the code of adding/lstm", "the code of disambiguation/lstm"]
