"""The first part of the report: what follows from the numbers."""

from collections.abc import Iterator, Mapping
from dataclasses import astuple

import numpy as np
import pandas as pd

from reports.claims import CLAIMS, Claim, Verdict, claims_of
from reports.claims.claim import FEWEST
from reports.document import Block, Heading, Note, Paragraph, Table
from reports.result_tables import ResultTables
from reports.statistics import Estimate

RUNS_NAMED = 6
"""How many run ids are named below a claim; the CSV file of all replicates has them all."""


def judged(results: ResultTables, rng: np.random.Generator) -> dict[str, Verdict]:
    """The verdict of every claim that the study puts to the test, by id.

    Of a study that nobody has claims for, those of the introduction that it happens to have the numbers for.
    """
    if own := claims_of(results.study.name):
        return {name: claim.judge(results, rng) for name, claim in own.items()}
    found = {name: claim.judge(results, rng) for name, claim in claims_of(Claim.study).items()}
    return {name: verdict for name, verdict in found.items() if verdict.label != "not run"}


def verdict_blocks(verdicts: Mapping[str, Verdict]) -> Iterator[Block]:
    """The ledger at a glance, then each claim with its rule, its numbers, and the runs behind them."""
    yield Heading("Verdicts")
    yield Paragraph(
        f"Each claim names its comparison and its rule in advance. Intervals are 95 %; one over fewer than {FEWEST} runs, of "
        "each task where tasks are pooled, decides nothing. "
        "A verdict speaks of these tasks at these sizes and budgets, and of nothing beyond them."
        if verdicts
        else "No claim on file is put to the test by this study; what it found is in the evidence below."
    )
    ledger = [[name, CLAIMS[name].sentence, verdict.label] for name, verdict in verdicts.items()]
    yield Table("verdicts", pd.DataFrame(ledger, columns=["claim", "sentence", "verdict"]), "The ledger of claims.")
    for name, verdict in verdicts.items():
        yield from _claim_blocks(name, CLAIMS[name], verdict)


def in_brief(question: str, ledger: pd.DataFrame) -> str:
    """The question and the report's own table of verdicts as Markdown, for where the runs are kept."""
    rows = ["| " + " | ".join(row) + " |" for row in ledger.itertuples(index=False)]
    table = ["", "| claim | sentence | verdict |", "|---|---|---|", *rows] if rows else []
    return "\n".join([f"**{question}**", *table])


def _claim_blocks(name: str, claim: Claim, verdict: Verdict) -> Iterator[Block]:
    yield Heading(name, level=2)
    yield Note(claim.sentence, verdict.label)
    yield Paragraph(f"Comparison: {claim.comparison}")
    yield Paragraph(f"Rule: {claim.rule}")
    yield Paragraph(f"Outcome: {verdict.reason}")
    if not verdict.parts:
        return
    nothing = Estimate(float("nan"), float("nan"), float("nan"), 0, 0)
    rows = [[part.label, *astuple(part.estimate or nothing)[:4], part.verdict] for part in verdict.parts]
    columns = ["measured", "estimate", "low", "high", "n", "by itself"]
    frame = pd.DataFrame(rows, columns=columns)
    yield Table(f"claim_{name}", frame, f"The numbers behind {name}, with their 95 % intervals.")
    named = ", ".join(run[:8] for run in verdict.runs[:RUNS_NAMED])
    more = len(verdict.runs) - RUNS_NAMED
    yield Paragraph(f"MLflow runs: {named or 'none'}{f' and {more} more' if more > 0 else ''}.")
