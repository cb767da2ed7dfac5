"""Why a verdict is what it is, in one sentence that is true whatever the numbers are."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from reports.claims.comparison import Comparison, VerdictLabel
from reports.prose import capitalised, counted, in_a_row, in_prose, of_all
from reports.statistics.decision import decided_items, holm

MOST_NAMED = 5
"""The most things of one quantity that are named one by one."""


def why_nothing(parts: Sequence[Comparison]) -> str:
    """Why no part decides: what was not run, and what was not learnt."""
    if not parts:
        return "This study has no comparison that tests it."
    absent = missing(parts) if any(part.verdict == "not run" for part in parts) else ""
    unlearnt = _unlearnt(parts)
    return " ".join(filter(None, [absent, unlearnt and f"{unlearnt}."]))


def missing(parts: Sequence[Comparison]) -> str:
    return f"Not run: {'; '.join(part.label for part in parts if part.verdict == 'not run')}."


def _unlearnt(parts: Sequence[Comparison]) -> str:
    """What is left out, for who would have to know a task has not learnt it."""
    bare = [part for part in parts if part.unlearnt and not part.samples]
    tasks = list(dict.fromkeys(task for part in parts if part.samples for task in part.unlearnt))
    told = [f"left out, since its easiest form was not learnt: {part.label}" for part in bare]
    are, its = ("is", "its") if len(tasks) == 1 else ("are", "their")
    told += [f"{in_a_row(tasks)} {are} left out: no network of this kind learnt {its} easiest form"] if tasks else []
    return ". ".join(map(capitalised, told))


def reason(label: VerdictLabel, parts: Sequence[Comparison]) -> str:
    """What holds, what does not, and what it would take."""
    sentences = {
        "supported": lambda: _told(parts),
        "contradicted": lambda: _told(parts_against(parts)),
        "mixed": lambda: _sides(parts),
        "inconclusive": lambda: _undecided(parts),
    }
    return ". ".join(map(capitalised, filter(None, (sentences[label](), _unlearnt(parts))))) + "."


def _told(parts: Sequence[Comparison]) -> str:
    """What was measured, quantity by quantity."""
    quantities = list(dict.fromkeys(part.quantity for part in parts))
    return "; ".join(_one_quantity([part for part in parts if part.quantity == each]) for each in quantities)


def _one_quantity(parts: Sequence[Comparison]) -> str:
    values = sorted(part.estimate.value for part in parts if part.estimate)
    numbers = list(dict.fromkeys(in_prose(value) for value in (values[0], values[-1])))
    if len(parts) == 1:
        return f"{parts[0].label} is {numbers[0]}"
    return f"{parts[0].quantity} is {' to '.join(numbers)}, {of_all([part.of for part in parts], MOST_NAMED)}"


def parts_against(parts: Sequence[Comparison]) -> list[Comparison]:
    """The parts that are decided against the claim, by Holm's rule over all of its parts."""
    p = [part.evidence.against[0] if part.evidence else 1.0 for part in parts]
    return [part for part, is_decided in zip(parts, holm(np.array(p)), strict=True) if is_decided]


def _sides(parts: Sequence[Comparison]) -> str:
    """What holds and what does not."""
    there = [part.evidence for part in parts if part.evidence]
    sides = decided_items(there, missing=len(parts) - len(there))
    holds, fails = (list(_decided(parts, items[0])) for items in sides)
    return f"it holds: {_told(holds)}. It does not: {_told(fails)}"


def _decided(parts: Sequence[Comparison], items: np.ndarray) -> Iterator[Comparison]:
    """The parts of which some items are decided, each on the tasks that are; a part without evidence has no items."""
    place = 0
    for part in parts:
        own = items[place : place + len(part.samples)]
        place += len(part.samples)
        tasks = [task for task, is_decided in zip(part.samples, own, strict=True) if is_decided]
        if len(tasks) == len(part.samples):
            yield from [part] if tasks else []
        elif tasks:
            of = f"{part.of} on {in_a_row(tasks)}".lstrip()
            yield replace(part, samples={task: part.samples[task] for task in tasks}, of=of)


def _undecided(parts: Sequence[Comparison]) -> str:
    """What is not decided, and how many seeds would decide it."""
    open_parts = [part for part in parts if part.verdict == "inconclusive" and part.samples]
    told = "; ".join(f"{_told([part])} ({_seeds(part)})" for part in open_parts)
    against = [part for part in parts if part.verdict in ("contradicted", "mixed")]
    more = f". By itself, but not at the level of all parts, the other way: {_told(against)}" if against else ""
    return f"not decided: {told or 'no part by itself'}{more}"


def _seeds(part: Comparison) -> str:
    needed, n = part.seeds_needed, min(each.n for each in part.samples.values())
    if part.dissenting:
        return f"{in_a_row(part.dissenting)} goes the other way than the mean over tasks"
    do = "does" if n == 1 else "do"
    if np.isinf(needed):
        return f"{counted(n, 'run')} {do} not decide it, and more than 1,000 would be needed"
    return f"{counted(n, 'run')} {do} not decide it; about {needed:.0f} would, with a power of 80 %"
