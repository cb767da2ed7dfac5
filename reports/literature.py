"""Published findings beside the measurements of this study."""

from collections.abc import Iterator, Mapping

import pandas as pd

from reports.claims import Verdict
from reports.claims.findings import FINDINGS, RULES, Finding
from reports.document import Block, Heading, Paragraph, Table
from reports.result_tables import ResultTables


def literature_blocks(results: ResultTables, verdicts: Mapping[str, Verdict]) -> Iterator[Block]:
    """A table with one row per published finding that this study tests; nothing if it tests none."""
    rows = [
        [finding.variant, finding.against, finding.effect, finding.source, *_measured(finding, verdicts[name])]
        for name, finding in FINDINGS.items()
        if finding.study == results.study.name
    ]
    if not rows:
        return
    columns = ["variant", "against", "paper_says", "source", "difference", "low", "high", "direction", "verdict"]
    yield Heading("Findings of the papers")
    yield Paragraph(
        "The papers used other tasks. Agreement shows that a finding also holds on these tasks; disagreement shows that it "
        "depends on the task, the size or the budget."
    )
    yield Table(
        "literature",
        pd.DataFrame(rows, columns=columns),
        "Paired difference in skill, the mean over the tasks (the typical run if there is one task), both variants tuned. "
        "The direction agrees if the estimate is on the paper's side of 0; for “not worse” and “not better”, the estimate "
        "may be on the other side by up to the margin. The verdict is stricter: it follows the claim's rule.",
    )


def _measured(finding: Finding, verdict: Verdict) -> list[object]:
    estimate = verdict.parts[0].estimate
    if estimate is None:
        return [float("nan")] * 3 + ["not run" if verdict.label == "not run" else "not learnt", verdict.word]
    limit, side = RULES[finding.effect]
    limit = 0.0 if finding.effect in ("worse", "better") else limit
    agrees = estimate.value > limit if side == "above" else estimate.value < limit
    return [estimate.value, estimate.low, estimate.high, "agrees" if agrees else "disagrees", verdict.word]
