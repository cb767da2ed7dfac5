"""Where sizes are searched: from where to where before the search, and afterwards the chosen one, the same everywhere."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from builders.fake_record import World, fake_study
from builders.small_study import carry_out, recorded

from ablations.models.sizes import count_parameters
from ablations.plan_text import describe_plan
from ablations.record.schema import StudyRecord
from ablations.record.store import connect
from ablations.sqlite import sqlite_url
from ablations.study import Choice, Range, Study
from reports.claim_pages import claim_blocks
from reports.document import Paragraph
from reports.estimates import Estimates
from reports.inside import show_setting
from reports.method import method_blocks
from reports.page_one.answer import answer
from reports.result_tables import ResultTables
from reports.search_factors import size_note
from reports.setting_summary import summaries
from reports.verdicts import judge_claims

LR = Range(1e-3, 1e-1)


def shown_sizes(study: Study) -> dict[str, list[str]]:
    """setting -> the words of its line of a dry run."""
    lines = [line.split() for line in describe_plan(study.at("smoke"), 1, {})]
    return {words[0]: words[1:] for words in lines if words and "/" in words[0]}


def test_before_the_search_a_plan_says_from_where_to_where(study: Study, changed: Callable[..., Study]) -> None:
    own = changed(study, nuisance={"lr": LR, "hidden": Range(6, 24)})
    setting = own.at("smoke").settings[0]
    low, high = (str(count_parameters(setting.variant, setting.task.spec, hidden)) for hidden in (6, 24))
    words = shown_sizes(own)[setting.name]
    assert words[:6] == ["6", "to", "24", low, "to", high]

    own = changed(study, nuisance={"lr": LR, "parameters": Choice([1500, 3000])})
    _, _, hidden, low, _, high = shown_sizes(own)[setting.name][:6]
    assert (int(low), int(high)) == (pytest.approx(1500, rel=0.1), pytest.approx(3000, rel=0.1))
    assert int(hidden) > 1

    wide = changed(study, nuisance={"lr": LR, "layers": Range(1, 2, log=False), "hidden": Range(6, 24)})
    narrow = changed(study, nuisance={"lr": LR, "hidden": Range(6, 24)})
    assert int(shown_sizes(wide)[setting.name][5]) > int(shown_sizes(narrow)[setting.name][5])
    plain = shown_sizes(study)[setting.name]
    assert plain[:2] == [str(setting.size), str(count_parameters(setting.variant, setting.task.spec, setting.size))]


@pytest.mark.slow
def test_after_the_search_the_chosen_size_is_the_same_number_everywhere(study: Study, tmp_path: Path) -> None:
    own = replace(study, nuisance={"lr": LR, "hidden": Range(3, 9)})
    carry_out(own, tmp_path)
    record, uri = recorded(own, tmp_path), sqlite_url(tmp_path / "mlflow.db")
    client = connect(uri)
    estimates = Estimates(ResultTables(record))
    texts = {each.setting.identity: each.text for each in summaries(estimates)}
    for row, setting in zip(estimates.results.settings.itertuples(), record.settings, strict=True):
        run = next(run for run in record.replicates if run.setting == setting.identity)
        sizes = int(run.factors["hidden"]), int(run.metrics["parameters"])
        assert (row.hidden, row.parameters) == sizes
        first = next(show_setting(uri, f"small/{setting.task}/{setting.variant}", "smoke"))
        assert f"hidden size {sizes[0]}, {sizes[1]:,} parameters (searched)" in first
        assert f"hidden size {sizes[0]}, {sizes[1]} parameters" in texts[setting.identity]
        assert client.get_run(setting.run_id).data.params["hidden"] == "searched"


def searched(study: StudyRecord) -> StudyRecord:
    settings = tuple(replace(setting, size_rule="hidden searched") for setting in study.settings)
    nuisance = {**study.plan["nuisance"], "hidden": {"low": 6, "high": 24, "log": True, "whole": True}}
    return replace(study, settings=settings, plan={**study.plan, "nuisance": nuisance})


def test_no_text_speaks_of_equal_parameters_where_sizes_are_searched() -> None:
    study = searched(fake_study(World()))
    estimates = Estimates(ResultTables(study))
    claims = [b.text for b in claim_blocks(judge_claims(estimates), size_note(study)) if isinstance(b, Paragraph)]
    compared = [text for text in claims if text.startswith("Comparison: Paired difference in skill")]
    assert compared
    for text in compared:
        assert "The size of every model is searched" in text
        assert "in skill at equal parameters" not in text
    method = " ".join(str(getattr(block, "text", "")) for block in method_blocks(estimates.results))
    assert "nothing is compared at equal parameters" in method
    assert "at equal parameters" not in " ".join(answer(estimates))


def test_a_setting_without_trials_says_what_its_size_is_searched_in(monkeypatch: pytest.MonkeyPatch) -> None:
    study = replace(searched(fake_study(World())), trials=(), replicates=())
    monkeypatch.setattr("ablations.record.lookup.read", lambda *_, **__: study)
    first = next(show_setting("uri", "claims/copying/lstm", "demo"))
    assert "its size is searched, hidden from 6 to 24 (logarithmic, whole numbers); run" in first
