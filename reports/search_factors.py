"""The searched factors of a study, as its plan says them: numbers in a range, or one of several values."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from ablations.record.protocol import as_recorded
from ablations.record.schema import RunRecord, SettingRecord, StudyRecord
from reports.number_format import as_text

Space = Mapping[str, Any]
"""What a factor is drawn from: `low`, `high`, `log` and perhaps `step`, `whole`, of a range; `choices` else; perhaps `where`."""


def is_numeric(space: Space) -> bool:
    """True for a range: its values are numbers, between which there are others."""
    return "low" in space


def column(values: list[float | str | None], space: Space) -> pd.Series:
    """The recorded values of a factor, None where a run has none: numbers of a range, or the texts of a choice."""
    if is_numeric(space):
        return pd.Series([float("nan") if value is None else float(value) for value in values], dtype=float)
    return pd.Series([None if value is None else choice_text(value, space) for value in values], dtype=object)


def choice_text(value: float | str, space: Space) -> str:
    """The text of a choice's value, given as a number or a text: 1.0 is "1" where the choice has 1, and "1.0" where it has 1.0.

    >>> choice_text(1.0, {"choices": [0.5, 1]}), choice_text("16", {"choices": [16, 32]})
    ('1', '16')
    """
    texts = {as_recorded({"": choice})[""]: str(choice) for choice in space["choices"]}
    return texts.get(as_recorded({"": value})[""], str(value))


def as_drawn(value: float | str, space: Space) -> float | str:
    """A value of a table of trials as its factor's distribution has it.

    The columns lr, clip and weight_decay have numbers, also where their factor is one of several values.
    """
    if is_numeric(space):
        return int(value) if space.get("whole") else value
    return choice_text(value, space)


def with_factors(table: pd.DataFrame, runs: Sequence[RunRecord], spaces: Mapping[str, Space]) -> pd.DataFrame:
    """A table of trials, a row for each of those runs, with a column for each searched factor that it lacks."""
    for name, space in spaces.items():
        if name not in table:
            values = [run.factors.get(name) for run in runs]
            table.insert(table.columns.get_loc("is_best"), name, column(values, space))
    return table


def size(study: StudyRecord, setting: SettingRecord) -> tuple[int, int]:
    """The hidden size of a setting's network and its number of parameters; of the setting, before there are any runs.

    Where factors of the network are searched, the two are those of the best trial.
    """
    if not study.plan["nuisance"].keys() - {"lr", "clip", "weight_decay"}:
        return setting.hidden, setting.parameters
    run = chosen_run(study, setting)
    factors, metrics = (run.factors, run.metrics) if run else ({}, {})
    return int(factors.get("hidden", setting.hidden)), int(metrics.get("parameters", setting.parameters))


def chosen_run(study: StudyRecord, setting: SettingRecord) -> RunRecord | None:
    """A run of a setting's best trial; None where there is none yet."""
    best = (run for run in study.trials if run.number == setting.best_trial)
    return next((run for run in (*study.replicates, *best) if run.setting == setting.identity), None)


def sizes_are_searched(study: StudyRecord) -> bool:
    """Whether each trial has a size of its own."""
    return bool({"hidden", "parameters"} & study.plan["nuisance"].keys())


def size_note(study: StudyRecord) -> str:
    """What it means that sizes are searched, with those that were found; empty where they are not."""
    if not sizes_are_searched(study):
        return ""
    counts = [size(study, setting)[1] for setting in study.settings if chosen_run(study, setting)]
    found = f", with {min(counts):,} to {max(counts):,} parameters" if counts else ""
    return (
        f"The size of every model is searched: each has that of its best trial{found}. So nothing is compared at equal "
        "parameters or at equal hidden size here."
    )


def described(name: str, space: Space) -> str:
    """A factor and what it is drawn from, in words.

    >>> described("lr", {"low": 0.001, "high": 0.1, "log": True})
    'lr from 0.001 to 0.1 (logarithmic)'
    >>> described("dropout", {"low": 0.0, "high": 0.5, "log": False, "where": {"layers": [2, 3]}})
    'dropout from 0 to 0.5 (where layers is 2 or 3)'
    >>> described("optimiser", {"choices": ["adam", "sgd"]})
    'optimiser: adam or sgd'
    """
    notes = [f"where {other} is {_or(values)}" for other, values in space.get("where", {}).items()]
    if not is_numeric(space):
        text = f"{name}: {_or(space['choices'])}"
    else:
        text = f"{name} from {space['low']:g} to {space['high']:g}"
        kinds = [*(["logarithmic"] if space["log"] else []), *(["whole numbers"] if space.get("whole") else [])]
        notes = [*kinds, *([f"in steps of {space['step']:g}"] if "step" in space else []), *notes]
    return f"{text} ({', '.join(notes)})" if notes else text


def value_text(value: object) -> str:
    """A factor's value in few characters; – where a run has none."""
    return as_text(None if isinstance(value, float) and pd.isna(value) else value)


def _or(values: list[Any]) -> str:
    *others, last = map(str, values)
    return f"{', '.join(others)} or {last}" if others else last
