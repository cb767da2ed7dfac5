"""What a claim is: a sentence, the comparison that tests it, and the rule that turns numbers into a verdict."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from reports.evidence import Evidence
from reports.statistics import Estimate, pooled

MARGIN = 0.02
"""A difference in skill smaller than this is of no practical interest."""

FEWEST = 5
"""An interval over fewer runs than this, of each task where tasks are pooled, decides nothing."""

Word = Literal["supported", "contradicted", "inconclusive", "not run"]


@dataclass(frozen=True)
class Part:
    """One comparison of a claim: what is measured, its estimate (None where it was not run), and what follows."""

    what: str
    estimate: Estimate | None
    word: Word


@dataclass(frozen=True)
class Verdict:
    """The outcome of a claim: the word, the parts that it follows from, and the MLflow runs behind them."""

    word: Word
    parts: tuple[Part, ...]
    runs: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Claim:
    """A claim with its rule, fixed before any number is seen; `parts` computes its comparisons.

    `tasks` and `variants` say whose replicates are behind it, `costs` that the cost measurement is. `study` is the
    study that puts it to the test.
    """

    sentence: str
    comparison: str
    rule: str
    parts: Callable[[Evidence, np.random.Generator], Sequence[Part]]
    tasks: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    costs: bool = False
    study: str = "claims"

    def judge(self, evidence: Evidence, rng: np.random.Generator) -> Verdict:
        """The verdict: contradicted if any part is, supported if all parts are, not run if any is missing."""
        parts = tuple(self.parts(evidence, rng))
        word = combined([part.word for part in parts])
        return Verdict(word, parts, () if word == "not run" else self._runs(evidence), _reason(word, parts))

    def _runs(self, evidence: Evidence) -> tuple[str, ...]:
        if self.costs:
            return tuple(dict.fromkeys(evidence.costs["run_id"]))
        rows = evidence.replicates
        chosen = rows["task"].isin(self.tasks or evidence.tasks) & rows["variant"].isin(self.variants)
        return tuple(rows[chosen]["run_id"])


def combined(words: Sequence[Word]) -> Word:
    """One word for all parts of a claim.

    >>> combined(["supported", "contradicted", "not run"]), combined(["supported", "inconclusive"])
    ('contradicted', 'inconclusive')
    """
    for word in ("contradicted", "not run", "inconclusive"):
        if word in words:
            return word
    return "supported" if words else "not run"


def above(what: str, estimate: Estimate | None, limit: float) -> Part:
    """Supported where the whole interval is above the limit, contradicted where it is below."""
    return Part(what, estimate, _word(estimate, limit))


def below(what: str, estimate: Estimate | None, limit: float) -> Part:
    """Supported where the whole interval is below the limit, contradicted where it is above."""
    opposite: dict[Word, Word] = {"supported": "contradicted", "contradicted": "supported"}
    word = _word(estimate, limit)
    return Part(what, estimate, opposite.get(word, word))


def from_runs(
    values: Iterable[float], estimator: Callable[[np.ndarray, np.random.Generator], Estimate], rng: np.random.Generator
) -> Estimate | None:
    """An estimate, or None where there are no runs."""
    known = np.array(list(values), dtype=float)
    return estimator(known, rng) if len(known) else None


def paired_by_task(evidence: Evidence, a: str, b: str, frozen: bool = False) -> list[np.ndarray]:
    """The paired differences in skill of two variants on each task that both were run on."""
    strata = [evidence.paired(a, b, task, frozen) for task in evidence.tasks]
    return [stratum for stratum in strata if len(stratum)]


def pooled_difference(
    evidence: Evidence, a: str, b: str, rng: np.random.Generator, frozen: bool = False
) -> Estimate | None:
    """The paired difference in skill of two variants, pooled over all tasks that both were run on."""
    strata = paired_by_task(evidence, a, b, frozen)
    return pooled(strata, rng) if strata else None


def _word(estimate: Estimate | None, limit: float) -> Word:
    if estimate is None:
        return "not run"
    if estimate.fewest < FEWEST:
        return "inconclusive"
    if estimate.low > limit:
        return "supported"
    return "contradicted" if estimate.high < limit else "inconclusive"


def _reason(word: Word, parts: Sequence[Part]) -> str:
    if not parts:
        return "This study has no comparison that tests it."
    if word == "supported":
        return "supported: every comparison below holds"
    deciding = [part for part in parts if part.word == word]
    few = any(part.estimate is not None and part.estimate.fewest < FEWEST for part in deciding)
    why = f" (over fewer than {FEWEST} runs on a task)" if few else ""
    return f"{word}: " + "; ".join(part.what for part in deciding) + why
