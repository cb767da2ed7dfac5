"""Why a verdict is what it is, in a sentence."""

from collections.abc import Sequence

import numpy as np

from reports.claims.comparison import Comparison, VerdictLabel
from reports.statistics.decision import decided_items, holm


def why_nothing(parts: Sequence[Comparison]) -> str:
    if not parts:
        return "This study has no comparison that tests it."
    return _unlearnt(parts) or missing(parts)


def missing(parts: Sequence[Comparison]) -> str:
    return "not run: " + "; ".join(part.label for part in parts if part.verdict == "not run")


def _unlearnt(parts: Sequence[Comparison]) -> str:
    """Which tasks decide nothing."""
    tasks = dict.fromkeys(task for part in parts for task in part.unlearnt)
    return (
        f"no variant of this kind has solved {', '.join(tasks)} at its easiest, so that it decides nothing"
        if tasks
        else ""
    )


def reason(label: VerdictLabel, parts: Sequence[Comparison]) -> str:
    """Which comparisons decide, which do not, and what it would take."""
    sentences = {
        "supported": "supported by " + "; ".join(part.label for part in parts),
        "contradicted": "contradicted by " + "; ".join(part.label for part in parts_against(parts)),
        "mixed": _sides(parts),
        "inconclusive": _undecided(parts),
    }
    return "; ".join(each for each in (sentences[label], _unlearnt(parts)) if each)


def parts_against(parts: Sequence[Comparison]) -> list[Comparison]:
    """The parts that are decided against the claim, by Holm's rule over all of its parts."""
    p = [part.evidence.against[0] if part.evidence else 1.0 for part in parts]
    return [part for part, is_decided in zip(parts, holm(np.array(p)), strict=True) if is_decided]


def _sides(parts: Sequence[Comparison]) -> str:
    """What holds and what does not."""
    found = [(part, part.evidence) for part in parts]
    there = [evidence for _, evidence in found if evidence]
    items_for, items_against = (each[0] for each in decided_items(there, missing=len(parts) - len(there)))
    names = [name for part, evidence in found if evidence for name in part.items]
    holds, fails = ([n for n, d in zip(names, each, strict=False) if d] for each in (items_for, items_against))
    return f"it holds for {'; '.join(holds)}; it does not for {'; '.join(fails)}"


def _undecided(parts: Sequence[Comparison]) -> str:
    """What is not decided, and how many seeds would decide it."""
    open_parts = [part for part in parts if part.verdict == "inconclusive" and part.samples]
    said = "; ".join(f"{part.label} ({_seeds(part)})" for part in open_parts)
    against = [part.label for part in parts if part.verdict in ("contradicted", "mixed")]
    more = f"; {'; '.join(against)} goes the other way by itself, but not at the level of all parts" if against else ""
    return f"not decided: {said or 'no part by itself'}{more}"


def _seeds(part: Comparison) -> str:
    needed, n = part.seeds_needed, min(each.n for each in part.samples.values())
    if part.dissenting:
        return f"{', '.join(part.dissenting)} goes the other way than the mean over tasks"
    if np.isinf(needed):
        return f"{n} runs do not decide it, and more than 1,000 would be needed"
    return f"{n} runs do not decide it; about {needed:.0f} would, with a power of 80 %"
