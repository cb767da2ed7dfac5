"""What one replicate did inside, as figures and in words, and which runs a setting has: for `ablate show`."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd

from ablations.record.lookup import find_replicate, find_setting
from ablations.record.schema import SEARCHED, RunRecord, SettingRecord, StudyRecord
from reports.estimates import Estimates
from reports.figures.attention_maps import ATTENTION_MAPS, pair
from reports.figures.base import FigureKind, unique
from reports.figures.gates import GATES, GATES_AND_MEMORY, by_role, table_of
from reports.figures.gradient_flow import GRADIENT_FLOW, at_cue
from reports.figures.word_by_word import WORD_BY_WORD
from reports.result_tables import ResultTables
from reports.search_factors import chosen_run, described, size

KINDS: dict[str, FigureKind] = {
    "word_by_word": WORD_BY_WORD,
    "gates": GATES_AND_MEMORY,
    "attention_maps": ATTENTION_MAPS,
    "gradient_flow": GRADIENT_FLOW,
}
"""The figures that can be drawn of a single replicate."""


def show_setting(uri: str, name: str, scale: str) -> Iterator[str]:
    """The lines about a setting of a record: its size, how its network is loaded, and its replicates with their runs."""
    study, setting = find_setting(uri, name, scale)
    place = f"{study.name}/{setting.task}/{setting.variant}"
    yield f"{place} at scale {scale}: {_size(study, setting)}; run {setting.run_id}"
    yield f'The network of its best replicate, if it was kept: ablations.load("runs:/{setting.run_id}")'
    runs = sorted((run for run in study.replicates if run.setting == setting.identity), key=lambda run: run.number)
    yield from (f"  replicate {run.number}: {_ended(run)}" for run in runs)
    if runs:
        yield f"What a replicate does inside: ablate show {place}/{runs[0].number} --scale {scale}"


def _size(study: StudyRecord, setting: SettingRecord) -> str:
    """The size of a setting's network; where it is searched and not yet found, what it is searched in."""
    if setting.has_searched_size and chosen_run(study, setting) is None:
        name = setting.size_rule.removesuffix(SEARCHED)
        return f"its size is searched, {described(name, study.plan['nuisance'][name])}"
    hidden, parameters = size(study, setting)
    return f"hidden size {hidden}, {parameters:,} parameters{' (searched)' if setting.has_searched_size else ''}"


def show_replicate(uri: str, name: str, scale: str, home: Path) -> Iterator[str]:
    """The lines about a replicate of a record, and the paths of its figures, which are written below the results folder."""
    study, setting, run = find_replicate(uri, name, scale)
    tables = tables_of(study, setting, run)
    yield from describe(setting, run, tables)
    place = f"{study.name}-{study.scale}-{setting.task}-{setting.variant}-{run.number}"
    yield from map(str, draw(tables, home / "mechanisms" / place))


def tables_of(study: StudyRecord, setting: SettingRecord, run: RunRecord) -> dict[str, pd.DataFrame]:
    """The table of each of `KINDS` for one replicate; none where it has not recorded what that needs."""
    alone = replace(study, settings=(setting,), trials=(), replicates=(run,), costs=(), transferred=())
    estimates = Estimates(ResultTables(alone))
    tables = {name: kind.table(estimates) for name, kind in KINDS.items()}
    if "memory" in run.mechanisms:
        tables["gates"] = table_of([(setting, run)])  # also of a task whose steps have no roles
    return {name: table for name, table in tables.items() if not table.empty}


def draw(tables: dict[str, pd.DataFrame], folder: Path) -> list[Path]:
    """Writes the figures of some tables into a folder as SVG; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.svg" for name in tables]
    for path, (name, table) in zip(paths, tables.items(), strict=True):
        path.write_text(KINDS[name].svg(table), encoding="utf-8")
    return paths


def describe(setting: SettingRecord, run: RunRecord, tables: dict[str, pd.DataFrame]) -> Iterator[str]:
    """The lines about one replicate: how it ended, and what each of its tables says."""
    yield f"{setting.task}/{setting.variant} replicate {run.number}: {_ended(run)}"
    if not tables:
        yield "It has not recorded what it does inside: its network has no gates or attention, or an earlier version ran it."
    for name, table in tables.items():
        yield ""
        yield f"{KINDS[name].topic}: {KINDS[name].finding(table)}"
        yield from WORDS[name](table)


def _ended(run: RunRecord) -> str:
    score = f", test score {run.metrics['test_score']:.3f}" if "test_score" in run.metrics else ""
    return f"{run.status}{score}; run {run.run_id}"


def _reading(table: pd.DataFrame) -> Iterator[str]:
    """After each word the probabilities of the senses."""
    for _, rows in table.groupby("sentence"):
        senses = rows.pivot(index="place", columns="sense", values="mean")[unique(rows["sense"])]
        words = rows.drop_duplicates("place")["word"]
        yield f"  {rows['text'].iloc[0]} ({rows['right'].iloc[0]})"
        yield f"    {'after':14}" + "".join(f"{sense:>15}" for sense in senses)
        for word, values in zip(words, senses.to_numpy(), strict=True):
            yield f"    {word:14}" + "".join(f"{value:15.2f}" for value in values)


def _gates(table: pd.DataFrame) -> Iterator[str]:
    """The mean of each gate over the steps of each role."""
    names = {"store": "storing", "": "waiting", "answer": "answering"}
    means = by_role(table)
    columns = [role for role in names if role in means]
    yield f"    {'gate':14}" + "".join(f"{names[role]:>11}" for role in columns)
    for (_, gate), row in means.iterrows():
        yield f"    {GATES.get(gate, gate):14}" + "".join(f"{row[role]:11.2f}" for role in columns)


def _attention(table: pd.DataFrame) -> Iterator[str]:
    """Of each written symbol the character with the largest weight."""
    source, answer = pair(table)
    yield f"  {source} → {answer}"
    largest = table.loc[table.groupby("row")["weight"].idxmax()]
    for row in largest.itertuples():
        yield f"    {row.symbol:14} looks at {row.character!r}, character {row.column + 1}, with weight {row.weight:.2f}"


def _gradient(table: pd.DataFrame) -> Iterator[str]:
    """The share of the gradient that arrives from the cue, or from the first step."""
    for when, rows in table.groupby("when", sort=False):
        yield f"    {when:14}{at_cue(rows).iloc[0]:11.2g}"


WORDS = {"word_by_word": _reading, "gates": _gates, "attention_maps": _attention, "gradient_flow": _gradient}
"""The lines about each kind's table."""
