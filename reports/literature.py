"""What the papers found beside what was measured here."""

from collections.abc import Iterator, Mapping

import pandas as pd

from reports.claims import Verdict
from reports.claims.findings import FINDINGS, RULES, Finding
from reports.document import Block, Heading, Paragraph, Table
from reports.result_tables import ResultTables


def literature_blocks(results: ResultTables, verdicts: Mapping[str, Verdict]) -> Iterator[Block]:
    """One row for each published finding that this study puts to the test; nothing where there are none."""
    rows = [
        [finding.variant, finding.against, finding.effect, finding.source, *_measured(finding, verdicts[name])]
        for name, finding in FINDINGS.items()
        if finding.study == results.study.name
    ]
    if not rows:
        return
    columns = ["variant", "against", "paper_says", "source", "difference", "low", "high", "direction", "verdict"]
    yield Heading("What the papers found")
    yield Paragraph(
        "The papers worked on other tasks: agreement shows that a finding carries over to these, disagreement that it "
        "depends on the task, the size or the budget."
    )
    yield Table(
        "literature",
        pd.DataFrame(rows, columns=columns),
        "Pooled paired difference in skill, each tuned. The direction agrees where the estimate is on the paper's side of 0, "
        "or, for not worse and not better, no further than the margin on the other; the verdict asks for the whole interval "
        "beyond the limit of the claim's rule.",
    )


def _measured(finding: Finding, verdict: Verdict) -> list[object]:
    estimate = verdict.parts[0].estimate
    if estimate is None:
        return [float("nan")] * 3 + ["not run", verdict.label]
    limit, side = RULES[finding.effect]
    limit = 0.0 if finding.effect in ("worse", "better") else limit
    agrees = estimate.value > limit if side == "above" else estimate.value < limit
    return [estimate.value, estimate.low, estimate.high, "agrees" if agrees else "disagrees", verdict.label]
