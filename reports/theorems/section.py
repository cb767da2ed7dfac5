"""The section of the report: a card for each provable statement, and what was measured beside it."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from ablations.record.schema import StudyRecord
from reports.document import Block, Heading, Paragraph, Table
from reports.number_format import fixed
from reports.statistics.intervals import proportion
from reports.theorems.card import Card
from reports.theorems.cards import CARDS
from reports.theorems.measured import SOLVED

IN_WORDS = {"cannot": "must fail somewhere", "can": "need not fail"}
"""What a theorem says of a network, about all lengths together."""


def theorem_blocks(study: StudyRecord, frame: pd.DataFrame) -> Iterator[Block]:
    """The cards of the table of `measured`; nothing where it is empty."""
    if frame.empty:
        return
    yield Heading("Theorem beside measurement")
    yield Paragraph(_method(study))
    for name, rows in frame.groupby("card", sort=False):
        yield from _card_blocks(str(name), CARDS[str(name)], rows)


def as_counts(rows: pd.DataFrame) -> pd.DataFrame:
    """One task's rows with a column for each difficulty: "k of n [low, high]", the interval that of the share k / n.

    Networks that must fail somewhere come first.
    """
    rows = rows.sort_values("theorem", ascending=False, kind="stable")
    cells = rows.assign(
        network=rows["variant"],
        theorem=rows["theorem"].map(IN_WORDS),
        column=[_column(d, nominal) for d, nominal in zip(rows["difficulty"], rows["nominal"], strict=True)],
        cell=[_cell(row) for row in rows.to_dict("records")],
    )
    wide = cells.pivot(index=["network", "theorem"], columns="column", values="cell")
    order = pd.MultiIndex.from_frame(cells[["network", "theorem"]].drop_duplicates())
    return wide.reindex(index=order, columns=cells["column"].drop_duplicates()).fillna("–").reset_index()


def _card_blocks(name: str, card: Card, rows: pd.DataFrame) -> Iterator[Block]:
    yield Heading(card.title, level=2)
    yield Paragraph(f"Provable: {card.statement} Source: {card.source}")
    yield Paragraph(f"What follows: {card.consequence}")
    yield Paragraph(f"What does not: {card.limits}")
    for task, own in rows.groupby("task", sort=False):
        yield Paragraph(f"Measured: {_outcome(task, own)}")
        yield Table(
            f"theorem_{name}_{task}",
            as_counts(own),
            f"Seeds that solve {task}, by {own['unit'].iloc[0]}: k of n, with the exact 95 % interval of the share. "
            "“Trained” marks the greatest in training.",
        )


def _outcome(task: object, rows: pd.DataFrame) -> str:
    """What was found at the first difficulty beyond training and at the greatest, in a sentence each."""
    beyond = rows[rows["difficulty"] > rows["nominal"]] if (rows["difficulty"] > rows["nominal"]).any() else rows
    ends = dict.fromkeys((beyond["difficulty"].min(), beyond["difficulty"].max()))
    sentences = [
        f"On {task} at {rows['unit'].iloc[0]} {difficulty:,}, {_in_words(rows[rows['difficulty'] == difficulty])}."
        for difficulty in ends
    ]
    able = rows[(rows["theorem"] == "can") & (rows["difficulty"] == rows["nominal"])]
    nothing = "Of those that need not fail, none has learnt it as it was trained: this says nothing."
    return " ".join([*sentences, *([] if able["solved"].any() else [nothing])])


def _in_words(rows: pd.DataFrame) -> str:
    """The seeds that solve one difficulty, those that must fail somewhere first."""
    return "; ".join(
        f"{IN_WORDS[str(side)]}: " + ", ".join(f"{row['variant']} {_cell(row)}" for row in own.to_dict("records"))
        for side, own in sorted(rows.groupby("theorem"), reverse=True)
    )


def _column(difficulty: int, nominal: int) -> str:
    return f"{difficulty:,} (trained)" if difficulty == nominal else f"{difficulty:,}"


def _cell(row: dict[str, Any]) -> str:
    if row["refused"]:
        return "refused"
    return f"{row['solved']} of {row['n']} [{fixed(row['low'], 2)}, {fixed(row['high'], 2)}]"


def _method(study: StudyRecord) -> str:
    n = study.plan["budget"]["replicates"]
    return (
        "A theorem is no claim, and no measurement contradicts it. What is measured is where the networks that it bounds do "
        "fail, and whether those that it does not bound learn the task: “need not fail” says that weights exist which never do, "
        "and whether training finds them is another question. A seed has solved a difficulty if its test score there is at least "
        f"{SOLVED}; one that diverged has solved nothing. Where none of {n} seeds has, the share of seeds that would is below "
        f"{proportion(0, n).high:.2g} (Clopper and Pearson, 95 %)."
    )
