"""The Claim class: a sentence, the comparison that tests it, and the rule that turns numbers into a verdict."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from reports.result_tables import ResultTables
from reports.statistics import Estimate, pooled

MARGIN = 0.02
"""A difference in skill smaller than this has no practical importance."""

FEWEST = 5
"""An interval over fewer runs than this decides nothing; where tasks are pooled, each task needs that many."""

VerdictLabel = Literal["supported", "contradicted", "inconclusive", "not run"]


@dataclass(frozen=True)
class Comparison:
    """One comparison of a claim: the name of the quantity, its estimate (None if it was not run), and its own verdict."""

    label: str
    estimate: Estimate | None
    verdict: VerdictLabel


@dataclass(frozen=True)
class Verdict:
    """The verdict on a claim: its label, the comparisons that decide it, and the ids of their MLflow runs."""

    label: VerdictLabel
    parts: tuple[Comparison, ...]
    runs: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Claim:
    """A claim with its rule, which is fixed before any number is seen; `parts` computes its comparisons.

    `tasks` and `variants` name the replicates that it is based on; with `costs` it is based on the cost measurement
    instead. `study` is the name of the study that tests it.
    """

    sentence: str
    comparison: str
    rule: str
    parts: Callable[[ResultTables, np.random.Generator], Sequence[Comparison]]
    tasks: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    costs: bool = False
    study: str = "claims"

    def judge(self, results: ResultTables, rng: np.random.Generator) -> Verdict:
        """The verdict: contradicted if any part is, supported if all parts are, not run if any is missing."""
        parts = tuple(self.parts(results, rng))
        label = combined([part.verdict for part in parts])
        return Verdict(label, parts, () if label == "not run" else self._runs(results), _reason(label, parts))

    def _runs(self, results: ResultTables) -> tuple[str, ...]:
        if self.costs:
            return tuple(dict.fromkeys(results.costs["run_id"]))
        rows = results.replicates
        is_used = rows["task"].isin(self.tasks or results.tasks) & rows["variant"].isin(self.variants)
        return tuple(rows[is_used]["run_id"])


def combined(labels: Sequence[VerdictLabel]) -> VerdictLabel:
    """One label for all parts of a claim.

    >>> combined(["supported", "contradicted", "not run"]), combined(["supported", "inconclusive"])
    ('contradicted', 'inconclusive')
    """
    for label in ("contradicted", "not run", "inconclusive"):
        if label in labels:
            return label
    return "supported" if labels else "not run"


def above(label: str, estimate: Estimate | None, limit: float) -> Comparison:
    """Supported if the whole interval is above the limit, contradicted if it is below."""
    return Comparison(label, estimate, _label(estimate, limit))


def below(label: str, estimate: Estimate | None, limit: float) -> Comparison:
    """Supported if the whole interval is below the limit, contradicted if it is above."""
    opposite: dict[VerdictLabel, VerdictLabel] = {"supported": "contradicted", "contradicted": "supported"}
    verdict = _label(estimate, limit)
    return Comparison(label, estimate, opposite.get(verdict, verdict))


def from_runs(
    values: Iterable[float], estimator: Callable[[np.ndarray, np.random.Generator], Estimate], rng: np.random.Generator
) -> Estimate | None:
    """The estimate over some runs, or None if there are no runs."""
    sample = np.array(list(values), dtype=float)
    return estimator(sample, rng) if len(sample) else None


def paired_by_task(results: ResultTables, a: str, b: str, transferred: bool = False) -> list[np.ndarray]:
    """The paired differences in skill of two variants on each task that both were run on."""
    strata = [results.paired_differences(a, b, task, transferred) for task in results.tasks]
    return [stratum for stratum in strata if len(stratum)]


def pooled_difference(
    results: ResultTables, a: str, b: str, rng: np.random.Generator, transferred: bool = False
) -> Estimate | None:
    """The paired difference in skill of two variants, pooled over all tasks that both were run on."""
    strata = paired_by_task(results, a, b, transferred)
    return pooled(strata, rng) if strata else None


def _label(estimate: Estimate | None, limit: float) -> VerdictLabel:
    if estimate is None:
        return "not run"
    if estimate.fewest < FEWEST:
        return "inconclusive"
    if estimate.low > limit:
        return "supported"
    return "contradicted" if estimate.high < limit else "inconclusive"


def _reason(verdict: VerdictLabel, parts: Sequence[Comparison]) -> str:
    if not parts:
        return "This study has no comparison that tests it."
    if verdict == "supported":
        return "supported: every comparison below holds"
    deciding = [part for part in parts if part.verdict == verdict]
    few = any(part.estimate is not None and part.estimate.fewest < FEWEST for part in deciding)
    why = f" (over fewer than {FEWEST} runs on a task)" if few else ""
    return f"{verdict}: " + "; ".join(part.label for part in deciding) + why
