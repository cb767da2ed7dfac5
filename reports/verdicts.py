"""The first part of the report: the verdicts on the claims."""

from collections.abc import Iterator, Mapping
from dataclasses import astuple

import numpy as np
import pandas as pd

from reports.claims import CLAIMS, Claim, Verdict, claims_of
from reports.claims.claim import FEWEST
from reports.document import Block, Heading, Note, Paragraph, Table
from reports.result_tables import ResultTables
from reports.statistics import Estimate

RUNS_LISTED = 6
"""The most run ids that are listed below a claim; tables/replicates.csv has all of them."""


def judge_claims(results: ResultTables, rng: np.random.Generator) -> dict[str, Verdict]:
    """The verdict on every claim that the study tests, by the claim's id.

    For a study without claims of its own: the verdicts on the introduction's claims, as far as it has the numbers.
    """
    if claims := claims_of(results.study.name):
        return {name: claim.judge(results, rng) for name, claim in claims.items()}
    verdicts = {name: claim.judge(results, rng) for name, claim in claims_of(Claim.study).items()}
    return {name: verdict for name, verdict in verdicts.items() if verdict.label != "not run"}


def verdict_blocks(verdicts: Mapping[str, Verdict]) -> Iterator[Block]:
    """The table of verdicts, then each claim with its rule, its numbers and its runs."""
    yield Heading("Verdicts")
    yield Paragraph(
        "Each claim names its comparison and its rule in advance. Intervals are 95 %. An interval over "
        f"fewer than {FEWEST} runs decides nothing; where tasks are pooled, each task needs that many. A verdict holds for "
        "these tasks at these sizes and budgets, and not beyond."
        if verdicts
        else "This study tests none of the claims. Its results are in the tables and figures below."
    )
    ledger = [[name, CLAIMS[name].sentence, verdict.label] for name, verdict in verdicts.items()]
    yield Table(
        "verdicts", pd.DataFrame(ledger, columns=["claim", "sentence", "verdict"]), "All claims with their verdicts."
    )
    for name, verdict in verdicts.items():
        yield from _claim_blocks(name, CLAIMS[name], verdict)


def in_brief(question: str, ledger: pd.DataFrame) -> str:
    """The question and the table of verdicts as Markdown, the description of the MLflow experiment."""
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
    missing = Estimate(float("nan"), float("nan"), float("nan"), 0, 0)
    rows = [[part.label, *astuple(part.estimate or missing)[:4], part.verdict] for part in verdict.parts]
    columns = ["measured", "estimate", "low", "high", "n", "by itself"]
    frame = pd.DataFrame(rows, columns=columns)
    yield Table(f"claim_{name}", frame, f"The numbers of the claim {name}, with their 95 % intervals.")
    run_ids = ", ".join(run[:8] for run in verdict.runs[:RUNS_LISTED])
    more = len(verdict.runs) - RUNS_LISTED
    yield Paragraph(f"MLflow runs: {run_ids or 'none'}{f' and {more} more' if more > 0 else ''}.")
