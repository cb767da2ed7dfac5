"""A page for each claim: its sentence, the picture of its parts, its rule, what it could have told, and its runs."""

from collections.abc import Iterator, Mapping
from dataclasses import astuple

import pandas as pd

from reports.claims import CLAIMS, Claim, Comparison, Verdict
from reports.document import Block, Heading, Note, Paragraph, Table
from reports.page_one.blocks import Measurement, Strip, StripRow
from reports.page_one.verdict_strip import anchor, measurement
from reports.statistics.decision import ALPHA, WORDS
from reports.statistics.sample import MISSING, Estimate

RUNS_LISTED = 6
"""The most run ids that are listed below a claim; tables/replicates.csv has all of them."""

COLUMNS = ["measured", "estimate", "low", "high", "n", "claimed", "p", "by itself", "decided beyond", "seeds needed"]


def claim_blocks(verdicts: Mapping[str, Verdict], sizes: str = "") -> Iterator[Block]:
    """How many claims are tested and at what level, then each claim, then what all of them could have told.

    sizes: what is said where the networks have no equal sizes.
    """
    yield Heading("The claims")
    if not verdicts:
        yield Paragraph("These runs judge none of the claims. Their results are in the tables and figures below.")
        return
    yield Paragraph(_families(verdicts))
    for name, verdict in verdicts.items():
        yield from _claim_blocks(name, CLAIMS[name], verdict, sizes)
    yield from _capacity_blocks(verdicts)


def ledger(verdicts: Mapping[str, Verdict]) -> pd.DataFrame:
    """claim, sentence, verdict and rule of all verdicts."""
    rows = [[name, CLAIMS[name].sentence, verdict.word, _rule_date(CLAIMS[name])] for name, verdict in verdicts.items()]
    return pd.DataFrame(rows, columns=["claim", "sentence", "verdict", "rule"])


def claim_table(verdict: Verdict) -> pd.DataFrame:
    """`COLUMNS`: a claim's parts; below a part over several tasks, each task, and a further task like these."""
    return pd.DataFrame([row for part in verdict.parts for row in _part_rows(part)], columns=COLUMNS)


def capacity(verdicts: Mapping[str, Verdict]) -> pd.DataFrame:
    """claim, state of the world, and the chance of each word in it, in %."""
    rows = [
        [name, world, *(100 * chances[word] for word in WORDS)]
        for name, verdict in verdicts.items()
        for world, chances in verdict.chances.items()
    ]
    return pd.DataFrame(rows, columns=["claim", "if", *WORDS])


def parts_strip(verdict: Verdict) -> Strip:
    """A row for each part of a claim and, below a part over several tasks, one for each task."""
    return Strip([row for part in verdict.parts for row in _strip_rows(part)])


def _strip_rows(part: Comparison) -> Iterator[StripRow]:
    needed = f"About {part.seeds_needed:.0f} seeds would decide it." if 0 < part.seeds_needed < float("inf") else ""
    yield StripRow(part.verdict, part.verdict, part.label, needed, measurement=measurement(part))
    for task, estimate in part.by_task.items():
        own = Measurement(f"– on {task}", estimate, part.limit, part.side)
        yield StripRow(part.verdict_on(task), part.verdict_on(task), f"– on {task}", "", measurement=own)


def _families(verdicts: Mapping[str, Verdict]) -> str:
    """How many claims are tested, and how many false verdicts that makes."""
    tested = sum(verdict.label != "not run" for verdict in verdicts.values())
    if tested == 1:
        count, where = "1 claim is tested here, at the level of", "if it lay exactly at its limit"
    else:
        count, where = (
            f"{tested} claims are tested here, each at its own level,",
            "if all of them lay exactly at their limits",
        )
    return (
        "Each claim names its comparison and its rule in advance. The rule in words, and how often it errs, are under “How "
        f"the verdicts are reached”. {count} {100 * ALPHA:g} % on either side: {where}, at most {2 * ALPHA * tested:.2g} false "
        "verdicts were to be expected. A verdict holds for these tasks at these sizes and budgets, and not beyond."
    )


def _rule_date(claim: Claim) -> str:
    return f"version {claim.version}{f' of {claim.date}' if claim.date else ''}"


def _claim_blocks(name: str, claim: Claim, verdict: Verdict, sizes: str) -> Iterator[Block]:
    yield Heading(claim.headline, level=2, anchor=anchor(name), on_new_page=True)
    yield Note(f"{claim.sentence}{f' ({verdict.word})' if verdict.word != verdict.label else ''}", verdict.label)
    yield Paragraph(verdict.reason)
    if verdict.parts:
        yield parts_strip(verdict)
    comparison = f"{claim.comparison.replace(' at equal parameters', '')} {sizes}" if sizes else claim.comparison
    yield Paragraph(f"Comparison: {comparison}")
    yield Paragraph(f"Rule ({name}, {_rule_date(claim)}): {claim.rule}{f' {claim.changed}' if claim.changed else ''}")
    if claim.remark:
        yield Paragraph(f"What it can show: {claim.remark}")
    if verdict.chances:
        yield Paragraph(_could_have_told(verdict))
    if not verdict.parts:
        return
    yield Table(
        f"claim_{name}",
        claim_table(verdict),
        f"The numbers of the claim {name}, with their 95 % intervals: typical runs, and means over tasks. p is one-sided, "
        "for the side of the limit on which the estimate lies. “Decided beyond” is the value from which these runs, with "
        "their spread, would have decided for the claim; “seeds needed” are those that would decide what is undecided.",
        in_appendix=True,
    )
    run_ids = ", ".join(run[:8] for run in verdict.runs[:RUNS_LISTED])
    more = len(verdict.runs) - RUNS_LISTED
    text = f"MLflow runs: {run_ids or 'none'}{f' and {more} more' if more > 0 else ''}."
    yield Paragraph(text, folded=f"Runs of the claim {name}")


def _part_rows(part: Comparison) -> Iterator[list[object]]:
    claimed = f"{part.side} {part.limit:.4g}"
    own = [*_four(part.estimate), claimed, _p(part), part.verdict, part.smallest_decided, part.seeds_needed]
    yield [part.label, *own]
    nothing = float("nan")
    for task, estimate in part.by_task.items():
        yield [f"– on {task}", *_four(estimate), claimed, _item_p(part, task), part.verdict_on(task), nothing, nothing]
    if part.further_task:
        yield ["– in a further task like these", *_four(part.further_task), "", nothing, "", nothing, nothing]
    for task in part.unlearnt:
        yield [f"– on {task}", *_four(None), claimed, nothing, "not learnt", nothing, nothing]


def _four(estimate: Estimate | None) -> tuple[object, ...]:
    return astuple(estimate or MISSING)


def _p(part: Comparison) -> float:
    """The smaller of a part's two one-sided p-values."""
    return min(float(part.evidence.support[0]), float(part.evidence.against[0])) if part.evidence else float("nan")


def _item_p(part: Comparison, task: str) -> float:
    if not part.evidence:
        return float("nan")
    place = list(part.samples).index(task)
    return float(min(part.evidence.item_support[0, place], part.evidence.item_against[0, place]))


def _could_have_told(verdict: Verdict) -> str:
    """The chance of each word in each state of the world, in a sentence."""
    worlds = "; ".join(
        f"if {world}, "
        + ", ".join(f"{word} {100 * chance:.0f} %" for word, chance in chances.items() if chance >= 0.005)
        for world, chances in verdict.chances.items()
    )
    certain = {max(chances, key=lambda word: chances[word]) for chances in verdict.chances.values()}
    always = all(max(chances.values()) > 0.99 for chances in verdict.chances.values()) and len(certain) == 1
    ending = f" With these runs it comes out {next(iter(certain))} in each case." if always else ""
    return f"With these numbers of runs and this spread: {worlds}.{ending}"


def _capacity_blocks(verdicts: Mapping[str, Verdict]) -> Iterator[Block]:
    frame = capacity(verdicts)
    if len(frame):
        yield Heading("What the claims could have told", level=2, on_new_page=True)
    yield Table(
        "capacity",
        frame,
        "The chance of each word, in %, at each claim's own numbers of runs and spread: 2,000 simulated studies with normal "
        "values. Nothing differs: every difference is 0, and every level is its limit. A claim whose words hardly change "
        "between the rows could not have come out otherwise.",
    )
