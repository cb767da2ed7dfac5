"""How many seeds solve each task, at the lengths of training and beyond."""

from collections.abc import Iterator, Sequence

import pandas as pd

from ablations.record.schema import RunRecord, SettingRecord, StudyRecord
from reports.result_tables import by_difficulty
from reports.statistics.intervals import proportion
from reports.table_columns import Columns, typed
from reports.theorems.cards import CARDS

SOLVED = 0.99
"""A seed has solved a difficulty if its score there is at least that: of 32 far sequences, all are right."""

MEASURED: Columns = {
    "card": str, "task": str, "variant": str, "theorem": str, "unit": str, "nominal": int, "difficulty": int,
    "solved": int, "n": int, "share": float, "low": float, "high": float, "refused": bool,
}  # fmt: skip


def measured(study: StudyRecord) -> pd.DataFrame:
    """`MEASURED`: for each card, setting and difficulty, in how many of n seeds it is solved, with the exact interval.

    `unit` is what the difficulty is, a length for example. Shown are the nominal one, the largest of the usual tests, and
    the far ones. A card is left out unless the study has a network that its theorem bounds. A seed that diverged has
    solved nothing; one that refused neither.
    """
    rows = [row for name in CARDS for row in _of_card(study, name)]
    return typed(rows, MEASURED)


def _of_card(study: StudyRecord, name: str) -> list[list[object]]:
    sides = [(setting, CARDS[name].side(setting)) for setting in study.settings]
    bounded = {setting.task for setting, side in sides if side == "cannot" and _replicates(study, setting)}
    return [
        [name, setting.task, setting.variant, side, setting.difficulty, setting.nominal, *counts]
        for setting, side in sides
        if side and setting.task in bounded
        for counts in _counts(study, setting)
    ]


def _counts(study: StudyRecord, setting: SettingRecord) -> Iterator[list[object]]:
    """difficulty, solved seeds, n, their share with its interval, and whether the network refuses that difficulty."""
    runs = _replicates(study, setting)
    scores = [_scores(run) for run in runs]
    refused = {difficulty for run in runs for difficulty in by_difficulty(run, "refused")}
    for difficulty in _difficulties(study, setting) if runs else ():
        solved = sum(each.get(difficulty, 0.0) >= SOLVED for each in scores)
        share = proportion(solved, len(runs))
        yield [difficulty, solved, len(runs), share.value, share.low, share.high, difficulty in refused]


def _difficulties(study: StudyRecord, setting: SettingRecord) -> Sequence[int]:
    """Those that are shown of a task, the same for all of its settings."""
    others = {other.identity for other in study.settings if other.task == setting.task}
    far = list(study.plan["budget"].get("far", ()))
    tested = {d for run in study.replicates if run.setting in others for d in by_difficulty(run, "test_score")}
    return sorted({setting.nominal, *far, *([max(tested)] if tested else [])})


def _scores(run: RunRecord) -> dict[int, float]:
    return by_difficulty(run, "test_score") | by_difficulty(run, "far_test_score")


def _replicates(study: StudyRecord, setting: SettingRecord) -> list[RunRecord]:
    return [run for run in study.replicates if run.setting == setting.identity]
