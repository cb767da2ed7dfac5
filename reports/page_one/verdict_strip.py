"""The strip of verdicts: one row a claim, with the comparison that decides it."""

from collections import Counter
from collections.abc import Mapping

import numpy as np
import pandas as pd

from reports.claims import CLAIMS, Comparison, Verdict
from reports.claims.reasons import parts_against
from reports.page_one.blocks import SIGNS, Measurement, Strip, StripRow
from reports.references import slug

COLUMNS = ["claim", "sentence", "verdict", "because", "deciding", "estimate", "low", "high", "n", "claimed", "limit"]


def verdict_strip(verdicts: Mapping[str, Verdict]) -> Strip:
    """A row for each verdict."""
    return Strip(
        [
            StripRow(
                verdict.label, verdict.word, CLAIMS[name].headline, verdict.reason, anchor(name), _measurement(verdict)
            )
            for name, verdict in verdicts.items()
        ]
    )


def strip_table(verdicts: Mapping[str, Verdict]) -> pd.DataFrame:
    """`COLUMNS`: the numbers of the strip; those of the deciding comparison are missing where nothing was run."""
    rows = []
    for name, verdict in verdicts.items():
        row: list[object] = [name, CLAIMS[name].headline, verdict.word, verdict.reason]
        if measurement := _measurement(verdict):
            e = measurement.estimate
            row += [measurement.label, e.value, e.low, e.high, e.n, measurement.side, measurement.limit]
        else:
            row += ["", *[float("nan")] * 3, 0, "", float("nan")]
        rows.append(row)
    return pd.DataFrame(rows, columns=COLUMNS)


def tally(verdicts: Mapping[str, Verdict]) -> str:
    """How many verdicts there are of each word.

    >>> tally({})
    'No claim is judged by these runs'
    """
    counts = Counter(verdict.label for verdict in verdicts.values())
    words = [f"{counts[label]} {label}" for label in SIGNS if counts[label]]  # type: ignore[index]
    return " · ".join(words) or "No claim is judged by these runs"


def anchor(claim: str) -> str:
    """Where a claim's own page is in the report."""
    return slug(f"claim-{claim}")


def deciding(verdict: Verdict) -> Comparison | None:
    """The comparison that a verdict hangs on; None where nothing was run.

    Of a supported claim the part with the weakest evidence; of a contradicted one the strongest against it; of a mixed or an
    inconclusive one the weakest. What follows from the code decides only where there is nothing else.
    """
    there = [part for part in verdict.parts if part.evidence]
    if verdict.label == "contradicted":
        there = parts_against(verdict.parts)
    choice = [part for part in there if not part.fixed] or there
    if verdict.label == "contradicted":
        return min(choice, key=lambda part: float(part.evidence.against[0]), default=None)  # type: ignore[union-attr]
    return max(choice, key=_weakness, default=None)


def _weakness(part: Comparison) -> tuple[float, float]:
    """The p-value for the claim; among equal ones, how close the estimate is to the limit for its spread."""
    evidence, estimate = part.evidence, part.estimate
    if evidence is None or estimate is None:
        return 0.0, 0.0
    ends = np.array([estimate.value, part.limit, estimate.low, estimate.high])
    value, limit, low, high = np.log(ends) if part.is_ratio else ends
    return float(evidence.support[0]), -abs(value - limit) / (high - low) if high > low else -float("inf")


def _measurement(verdict: Verdict) -> Measurement | None:
    part = deciding(verdict)
    return measurement(part) if part else None


def measurement(part: Comparison) -> Measurement | None:
    """A part of a claim on its axis; None where it has no runs."""
    estimate = part.estimate
    return Measurement(part.label, estimate, part.limit, part.side) if estimate else None
