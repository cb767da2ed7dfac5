"""Two records of a study beside each other: paired differences of each setting, and what else differs between them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from ablations.record.schema import StudyRecord
from reports.document import Block, Document, Paragraph, Table
from reports.estimates import Estimates
from reports.html import to_html
from reports.pdf import to_pdf
from reports.printed_table import printed_columns
from reports.result_tables import ResultTables
from reports.statistics.intervals import mean
from reports.statistics.sample import sample
from reports.write import without_formulas

COLUMNS = ["task", "variant", "skill_A", "skill_B", "difference", "low", "high", "n", "equal", "identity"]
CREDENTIALS = re.compile(r"//[^/@]*@")
"""What an address of a store may have of a user and a password; neither is printed."""

LONGEST = 80
"""Signs of a value in the table of what differs."""

CAPTION = (
    "Skill of B minus skill of A, paired by seed. The mean over the seeds that both have, with its 95 % interval; `equal` "
    "counts the seeds whose scores are the same to the last digit; `identity` says whether seed, budget, parameters, "
    "equations and code of the setting are those of the other record."
)
UNPAIRED = "The two have not the same data: {}. Seeds of one number are then no pairs, and the intervals are too narrow or wide."


def differences(a: StudyRecord, b: StudyRecord) -> pd.DataFrame:
    """`COLUMNS`: a row for each setting that both records have replicates of, in the order of the first."""
    first, second = Estimates(ResultTables(a)), Estimates(ResultTables(b))
    others = {(s.task, s.variant): s for s in b.settings}
    rows: list[list[object]] = []
    for setting in a.settings:
        task, variant = setting.task, setting.variant
        samples = [each.replicates(task, variant) for each in (first, second)]
        if (task, variant) not in others or samples[0] is None or samples[1] is None:
            continue
        skills = [_by_seed(each, task, variant, "skill") for each in (first, second)]
        scores = [_by_seed(each, task, variant, "score") for each in (first, second)]
        pairs = (skills[1] - skills[0]).dropna()
        if pairs.empty:
            continue
        low, high = samples[0].bounds
        estimate = mean(sample(pairs, samples[0].floor + samples[1].floor, (low - high, high - low)))
        means = [float(each[pairs.index].mean()) for each in skills]
        equal = int((scores[0][pairs.index] == scores[1][pairs.index]).sum())
        same = "the same" if others[task, variant].identity == setting.identity else "other"
        rows.append([task, variant, *means, estimate.value, estimate.low, estimate.high, estimate.n, equal, same])
    return pd.DataFrame(rows, columns=COLUMNS)


def _by_seed(estimates: Estimates, task: str, variant: str, column: str) -> pd.Series:
    rows = estimates.results.replicates
    return rows[(rows["task"] == task) & (rows["variant"] == variant)].set_index("seed")[column]


def different_facts(a: StudyRecord, b: StudyRecord) -> pd.DataFrame:
    """What two records say otherwise of plan, code and machine: the fact's name, and its value in each."""
    facts = [
        {
            **_flat("plan", record.plan),
            **_flat("", {key: value for key, value in record.provenance.items() if key != "wall_seconds"}),
        }
        for record in (a, b)
    ]
    names = [name for name in {**facts[0], **facts[1]} if facts[0].get(name) != facts[1].get(name)]
    settings = [{f"{s.task}/{s.variant}" for s in record.settings} for record in (a, b)]
    rows = [[name, _text(facts[0].get(name)), _text(facts[1].get(name))] for name in names]
    rows += [
        [f"setting {name}", _has(name, settings[0]), _has(name, settings[1])]
        for name in sorted(settings[0] ^ settings[1])
    ]
    return pd.DataFrame(rows, columns=["what", "A", "B"])


def _flat(name: str, value: Any) -> dict[str, Any]:
    """Nested data as name.of.part -> value."""
    if not isinstance(value, Mapping):
        return {name: value}
    return {
        key: each for part, inner in value.items() for key, each in _flat(f"{name}.{part}".strip("."), inner).items()
    }


def _has(name: str, settings: set[str]) -> str:
    return "recorded" if name in settings else "–"


def _text(value: object) -> str:
    text = "–" if value is None else str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def write_comparison(a: StudyRecord, b: StudyRecord, places: Sequence[str], folder: Path) -> Iterator[str]:
    """Writes the comparison as HTML, PDF and CSV tables into a folder; yields it as lines, then the paths of the first two."""
    tables = {"differences": differences(a, b), "what_differs": different_facts(a, b)}
    intro = [
        f"{letter} is {record.name} at scale {record.scale} in {CREDENTIALS.sub('//', place)}."
        for letter, record, place in zip("AB", (a, b), places, strict=True)
    ]
    if unpaired := _unpaired(a, b):
        intro.append(UNPAIRED.format(", ".join(unpaired)))
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    for name, frame in tables.items():
        without_formulas(frame).to_csv(folder / "tables" / f"{name}.csv", index=False)
    blocks: list[Block] = [
        *map(Paragraph, intro),
        Table("differences", tables["differences"], CAPTION, in_appendix=False),
        Table(
            "what_differs",
            tables["what_differs"],
            "What the two records say otherwise of plan, code and machine.",
            in_appendix=False,
        ),
    ]
    document = Document("Two records", a.plan["question"], blocks)
    (folder / "report.html").write_text(to_html(document), encoding="utf-8")
    (folder / "report.pdf").write_bytes(to_pdf(document))
    yield from intro
    for frame in tables.values():
        yield ""
        yield from _lines(frame)
    yield ""
    yield from (str(folder / name) for name in ("report.html", "report.pdf"))


def _unpaired(a: StudyRecord, b: StudyRecord) -> list[str]:
    """Why seeds of one number may have other data in the two records."""
    tasks = [
        task for task in a.plan["tasks"] if task in b.plan["tasks"] and a.plan["tasks"][task] != b.plan["tasks"][task]
    ]
    seed = ["the study's seed"] if a.plan["seed"] != b.plan["seed"] else []
    return [*seed, *(f"the task {task}" for task in tasks)]


def _lines(frame: pd.DataFrame) -> Iterator[str]:
    """A table as lines of text."""
    if frame.empty:
        yield "there is no difference" if "what" in frame else "the two have no setting with replicates in common"
        return
    columns = printed_columns(frame)
    widths = [max(len(column.name), *map(len, column.cells)) for column in columns]
    for cells in ([column.name for column in columns], *zip(*(column.cells for column in columns), strict=True)):
        aligned = (
            cell.rjust(width) if column.is_numeric else cell.ljust(width)
            for cell, width, column in zip(cells, widths, columns, strict=True)
        )
        yield "  ".join(aligned).rstrip()
