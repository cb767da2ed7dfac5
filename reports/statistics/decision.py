"""From p-values to words. A part of a claim has a limit and a side; the words are those of the whole claim.

- A part of runs is decided by the exact sign test of the runs beyond the limit; a tie counts against what is tested.
- A part over tasks is decided by the Welch–Satterthwaite t of the mean of the tasks' means, and no task may go the other
  way: a collapse on one task is never pooled away.
- Supported: every part's p ≤ 0.025 (intersection–union). Contradicted: the smallest p of the opposite sides passes Holm's
  rule at 0.025 over the parts. Mixed: of items that belong together, some are decided for the claim and some against it,
  each by Holm's rule over all items. The tasks of one part belong together; all parts do if the claim is about all of them.
  Otherwise inconclusive.
"""

from collections.abc import Sequence
from functools import cache
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from reports.statistics.intervals import welch
from reports.statistics.sample import Array

ALPHA = 0.025
"""The level of each one-sided test; two of them make the two sides of a claim."""

FEWEST = 6
"""The least number of runs that can decide one part: 2⁻⁶ < 0.025 < 2⁻⁵. Where tasks are pooled, each needs that many."""

Word = Literal["supported", "contradicted", "mixed", "inconclusive"]
WORDS: tuple[Word, ...] = ("supported", "contradicted", "mixed", "inconclusive")


class Evidence(NamedTuple):
    """The p-values of one part in S studies: for and against it, (S,); and those of its m items, (S, m)."""

    support: Array
    against: Array
    item_support: Array
    item_against: Array


def sign_test(values: Array, limit: float) -> Array:
    """One-sided p of the runs above the limit, values (…, n): P(as many or more) if above and below were as likely.

    >>> float(sign_test(np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), 0.5))
    0.015625
    """
    n = values.shape[-1]
    return _sign_table(n)[(values > limit).sum(axis=-1)]


@cache
def _sign_table(n: int) -> Array:
    """P(Binomial(n, 1/2) ≥ count) for every count from 0 to n."""
    return np.asarray(stats.binom.sf(np.arange(n + 1) - 1, n, 0.5), dtype=float)


def welch_tests(strata: Sequence[Array], floors: Sequence[float], limit: float) -> tuple[Array, Array]:
    """One-sided p of a mean over tasks above the limit, and below it; values (…, n_k).

    Both are 1 where a task has too few runs to decide.
    """
    centre, error, freedom = welch(strata, floors)
    if min(values.shape[-1] for values in strata) < FEWEST:
        return np.ones_like(centre), np.ones_like(centre)
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = (centre - limit) / error
    above, below = stats.t.sf(statistic, freedom), stats.t.sf(-statistic, freedom)
    return (
        np.where(error > 0, above, np.where(centre > limit, 0.0, 1.0)),
        np.where(error > 0, below, np.where(centre < limit, 0.0, 1.0)),
    )


def of_runs(values: Array, limit: float, side: int) -> Evidence:
    """The evidence of runs, values (S, n), that shall lie above (side 1) or below (side −1) the limit."""
    support, against = sign_test(side * values, side * limit), sign_test(-side * values, -side * limit)
    return Evidence(support, against, support[:, None], against[:, None])


def of_tasks(strata: Sequence[Array], floors: Sequence[float], limit: float, side: int) -> Evidence:
    """The evidence of a mean over tasks, values (S, n_k); a task that goes the other way by itself withdraws it."""
    items = [of_runs(values, limit, side) for values in strata]
    item_support = np.stack([item.support for item in items], axis=-1)
    item_against = np.stack([item.against for item in items], axis=-1)
    support, against = welch_tests(strata, floors, limit)[::side]
    return Evidence(
        np.where(item_against.min(axis=-1) <= ALPHA, 1.0, support),
        np.where(item_support.min(axis=-1) <= ALPHA, 1.0, against),
        item_support,
        item_against,
    )


def exact(holds: bool) -> Evidence:
    """The evidence of a number that is known without error."""
    support = np.array([0.0 if holds else 1.0])
    return Evidence(support, 1 - support, support[:, None], 1 - support[:, None])


def holm(p: Array, alpha: float = ALPHA) -> NDArray[np.bool_]:
    """Which of p-values (…, m) are decided by Holm's rule: in rising order, as long as p ≤ α/(m − i)."""
    m = p.shape[-1]
    order = np.argsort(p, axis=-1)
    passes = np.take_along_axis(p, order, axis=-1) <= alpha / (m - np.arange(m))
    decided = np.zeros(p.shape, dtype=bool)
    np.put_along_axis(decided, order, np.logical_and.accumulate(passes, axis=-1), axis=-1)
    return decided


def holm_adjusted(p: Array) -> Array:
    """P-values (m,) that are decided by Holm's rule at a level if they are at most that level.

    >>> holm_adjusted(np.array([0.04, 0.01, 0.03])).tolist()
    [0.06, 0.03, 0.06]
    """
    order = np.argsort(p)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p)))))
    return adjusted


def decided_items(parts: Sequence[Evidence], missing: int = 0) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which of all m items are decided for the claim and which against it, (S, m) each; the missing parts come last."""
    nothing = np.ones((len(parts[0].support), missing))
    support = holm(np.concatenate([*(part.item_support for part in parts), nothing], axis=-1))
    against = holm(np.concatenate([*(part.item_against for part in parts), nothing], axis=-1))
    return support, against


def words(parts: Sequence[Evidence], about_all: bool, missing: int = 0) -> NDArray[np.str_]:
    """The word of each study, (S,). Missing parts count as parts without evidence."""
    support = np.stack([part.support for part in parts], axis=-1)
    against = np.stack([part.against for part in parts], axis=-1)
    is_supported = (support.max(axis=-1) <= ALPHA) & (missing == 0)
    is_contradicted = against.min(axis=-1) <= ALPHA / (len(parts) + missing)
    chosen = np.where(is_supported, "supported", np.where(is_contradicted, "contradicted", "inconclusive"))
    return np.where(_goes_both_ways(parts, about_all, missing), "mixed", chosen)


def _goes_both_ways(parts: Sequence[Evidence], about_all: bool, missing: int) -> NDArray[np.bool_]:
    """Whether items that belong together, all of a claim or the tasks of one part, are decided for and against it."""
    items_for, items_against = decided_items(parts, missing)
    if about_all:
        return np.asarray(items_for.any(axis=-1) & items_against.any(axis=-1))
    ends = np.cumsum([part.item_support.shape[-1] for part in parts])
    together = zip(np.split(items_for, ends, axis=-1), np.split(items_against, ends, axis=-1), strict=True)
    return np.asarray(np.any([a.any(axis=-1) & b.any(axis=-1) for a, b in together], axis=0))
