"""Ranks of variants: two share one unless their difference is decided (Holm over all pairs)."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from reports.statistics.decision import ALPHA, holm, welch_tests
from reports.statistics.sample import Array, Sample

Pair = tuple[int, int]


def is_better(pairs: Mapping[Pair, tuple[Array, Array]], variants: int) -> NDArray[np.bool_]:
    """[…, a, b]: whether a is decidedly better than b, (…, V, V), of the one-sided p-values of all pairs (a, b)."""
    p = np.stack([side for sides in pairs.values() for side in sides], axis=-1)
    decided = holm(p, 2 * ALPHA)
    better = np.zeros((*p.shape[:-1], variants, variants), dtype=bool)
    for index, (a, b) in enumerate(pairs):
        better[..., a, b], better[..., b, a] = decided[..., 2 * index], decided[..., 2 * index + 1]
    return better


def rank_ranges(better: NDArray[np.bool_]) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    """The first and last rank (…, V) that each variant may have: behind those better, before those worse."""
    variants = better.shape[-1]
    return 1 + better.sum(axis=-2), variants - better.sum(axis=-1)


def ranked(differences: Mapping[Pair, Sequence[Sample]], variants: int) -> NDArray[np.bool_]:
    """`is_better` of one report, from the paired differences of each pair on each task; pairs without any are undecided."""
    undecided = (np.array(1.0), np.array(1.0))
    pairs = {
        pair: welch_tests([each.values for each in found], [each.floor for each in found], 0.0)
        if (found := differences.get(pair))
        else undecided
        for pair in combinations(range(variants), 2)
    }
    return is_better(pairs, variants) if pairs else np.zeros((variants, variants), dtype=bool)
