"""The alarm: a score above what any left-to-right reader can reach stops the report, and noise does not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from builders.fake_record import CAUSAL_SKILL, World, fake_study
from scipy import stats

from ablations.record.schema import StudyRecord
from reports.alarm import CeilingPassedError, ceilings, check_ceilings
from reports.estimates import Estimates
from reports.result_tables import ResultTables
from reports.write import write

TASK = ("disambiguation",)
VARIANTS = ("lstm", "gru", "rnn", "tcn", "reservoir", "birnn")
AT_CEILING = World(tasks=TASK, variants=VARIANTS, diverged=(), parents={}, replicates=6, costs=False)


def scored(study: StudyRecord, right: dict[str, list[int]]) -> Estimates:
    """The study with other numbers of right answers, of 1,024, of some variants."""
    changed = []
    for run in study.replicates:
        counts = right.get(run.setting.partition("/")[2])
        score = run.metrics["test_score"] if counts is None else counts[run.number] / 1024
        changed.append(replace(run, metrics={**run.metrics, "test_score": score}))
    return Estimates(ResultTables(replace(study, replicates=tuple(changed))))


def test_the_p_value_is_that_of_all_answers_together() -> None:
    counts = [768, 770, 790, 760, 775, 780]
    frame = ceilings(scored(fake_study(AT_CEILING), {"gru": counts})).set_index("variant")
    assert "birnn" not in frame.index  # it sees the future
    expected = stats.binomtest(sum(counts), 6 * 1024, 0.75, alternative="greater").pvalue
    assert frame.loc["gru", "p"] == pytest.approx(expected)
    assert frame.loc["gru", "right"] == sum(counts)


def test_a_leak_stops_the_report_and_leaves_the_old_one(tmp_path: Path) -> None:
    folder = tmp_path / "report"
    write(fake_study(AT_CEILING), folder)
    before = (folder / "report.html").read_bytes()
    leak = replace(AT_CEILING, skill={("disambiguation", "gru"): CAUSAL_SKILL + 0.2})
    with pytest.raises(CeilingPassedError, match="gru on disambiguation"):
        write(fake_study(leak), folder)
    assert (folder / "report.html").read_bytes() == before
    assert list(tmp_path.iterdir()) == [folder]


def test_the_future_may_be_used_by_those_that_see_it() -> None:
    both = replace(AT_CEILING, skill={("disambiguation", "birnn"): 1.0})
    check_ceilings(Estimates(ResultTables(fake_study(both))))


@pytest.mark.slow
def test_readers_at_the_ceiling_raise_a_false_alarm_at_most_once_in_a_thousand_reports() -> None:
    """Over all of five variants; 3,000 reports, in which three alarms are to be expected and eleven are not."""
    from reports.alarm import LEVEL
    from reports.statistics.decision import holm

    right = np.random.default_rng(3).binomial(6 * 1024, 0.75, (3000, 5))
    p = stats.binom.sf(right - 1, 6 * 1024, 0.75)
    assert holm(p, LEVEL).any(axis=1).sum() <= 10
