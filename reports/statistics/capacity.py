"""What a comparison could have told: the chance of each word, the smallest decided difference, and the seeds it takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from reports.statistics.decision import ALPHA, FEWEST, WORDS, Evidence, Word, exact, of_runs, of_tasks, words
from reports.statistics.intervals import welch
from reports.statistics.sample import Array, Sample

STUDIES = 2000
"""Studies simulated for one chance: its standard error is at most 1.1 points."""

POWER = 0.8
MOST_SEEDS = 1000
"""Above this, the number of seeds is not computed: the difference found is as good as the limit."""

INFINITE = float("inf")


@dataclass(frozen=True)
class Shape:
    """The outline of a part: the samples of its tasks (one for a part of runs), its limit, and its side (1 or −1).

    `null` is the value at which nothing differs; None where the part is about a level. A part that is `fixed` is known
    without error or follows from the code: no study of this kind could find anything else.
    """

    samples: tuple[Sample, ...]
    limit: float
    side: int
    null: float | None = None
    fixed: bool = False

    @property
    def is_pooled(self) -> bool:
        """Whether it is decided by a mean over tasks."""
        return len(self.samples) > 1

    def evidence(self) -> Evidence:
        """The evidence that was found."""
        return self._evidence([sample.values[None] for sample in self.samples])

    def _evidence(self, values: Sequence[Array]) -> Evidence:
        if self.fixed:
            centre = float(self.samples[0].values.mean())
            return exact(self.side * centre > self.side * self.limit)
        if self.is_pooled:
            return of_tasks(values, [sample.floor for sample in self.samples], self.limit, self.side)
        return of_runs(values[0], self.limit, self.side)

    def simulated(self, centre: float | None, rng: np.random.Generator) -> Evidence:
        """The evidence of `STUDIES` studies with the same numbers of runs and the same spread, normal around a centre.

        Without a centre, around what was found. All tasks have the same centre.
        """
        values = []
        for sample in self.samples:
            middle = centre if centre is not None else float(sample.values.mean())
            noise = rng.standard_normal((STUDIES, sample.n))
            values.append(middle + noise * np.sqrt(np.nan_to_num(sample.variance)))
        evidence = self._evidence(values)
        return Evidence(*(np.broadcast_to(p, (STUDIES, *p.shape[1:])) for p in evidence))


def chances(shapes: Sequence[Shape], about_all: bool, rng: np.random.Generator) -> dict[str, Mapping[Word, float]]:
    """The chance of each word if nothing differed, if every difference were its limit, and if it were what was found."""
    centres: dict[str, list[float | None]] = {
        "nothing differed": [shape.limit if shape.null is None else shape.null for shape in shapes],
        "every difference were its limit": [shape.limit for shape in shapes],
        "it were what was found": [None] * len(shapes),
    }
    found: dict[str, Mapping[Word, float]] = {}
    for scenario, middles in centres.items():
        evidence = [shape.simulated(middle, rng) for shape, middle in zip(shapes, middles, strict=True)]
        drawn = words(evidence, about_all)
        found[scenario] = {word: float((drawn == word).mean()) for word in WORDS}
    return found


def smallest_decided(shape: Shape) -> float:
    """The value beyond which this part would have been decided for the claim, with the runs and the spread it has.

    Infinite on the part's side if it has too few runs for any value.
    """
    if shape.fixed:
        return shape.limit
    if shape.is_pooled:
        return _smallest_mean(shape)
    values = np.sort(shape.side * shape.samples[0].values)
    beyond = least_beyond(len(values))
    if beyond is None:
        return shape.side * INFINITE
    # The sign test decides once the run that is the `beyond`-th from the top passes the limit.
    return float(shape.limit + shape.side * (np.median(values) - values[len(values) - beyond]))


def _smallest_mean(shape: Shape) -> float:
    if min(sample.n for sample in shape.samples) < FEWEST:
        return shape.side * INFINITE
    _, error, freedom = welch([sample.values for sample in shape.samples], [sample.floor for sample in shape.samples])
    return float(shape.limit + shape.side * stats.t.ppf(1 - ALPHA, freedom) * error)


def least_beyond(n: int) -> int | None:
    """How many of n runs must be beyond the limit for a decision; None if all of them are too few.

    >>> [least_beyond(n) for n in (5, 6, 9, 10)]
    [None, 6, 8, 9]
    """
    counts = np.flatnonzero(stats.binom.sf(np.arange(n + 1) - 1, n, 0.5) <= ALPHA)
    return int(counts[0]) if len(counts) else None


def seeds_needed(shape: Shape) -> float:
    """The number of seeds with which the part would be decided, either way, with a power of 0.8; infinite if over 1,000.

    If the world is as it was found: the same share of runs beyond the limit (one more or less of them, so that none is
    ever certain), or for a mean over tasks the same means and variances.
    """
    if shape.fixed:
        return 1
    return _seeds_of_mean(shape) if shape.is_pooled else _seeds_of_runs(shape)


def _seeds_of_runs(shape: Shape) -> float:
    values = shape.samples[0].values
    beyond, before = int((values > shape.limit).sum()), int((values < shape.limit).sum())
    share = (max(beyond, before) + 1) / (len(values) + 2)
    for n in range(FEWEST, MOST_SEEDS + 1):
        count = least_beyond(n)
        if count is not None and stats.binom.sf(count - 1, n, share) >= POWER:
            return n
    return INFINITE


def _seeds_of_mean(shape: Shape) -> float:
    difference = abs(float(np.mean([sample.values.mean() for sample in shape.samples])) - shape.limit)
    spread = np.sqrt(np.sum([sample.variance for sample in shape.samples])) / len(shape.samples)
    if np.isnan(spread):
        return INFINITE
    for n in range(FEWEST, MOST_SEEDS + 1):
        freedom = (n - 1) * _share_of_freedom(shape.samples)
        threshold = stats.t.ppf(1 - ALPHA, freedom)
        if stats.nct.sf(threshold, freedom, difference / (spread / np.sqrt(n))) >= POWER:
            return n
    return INFINITE


def _share_of_freedom(samples: Sequence[Sample]) -> float:
    """The degrees of freedom of the pooled mean for each seed more: between 1 and the number of tasks."""
    variances = np.array([sample.variance for sample in samples])
    return float(variances.sum() ** 2 / (variances**2).sum())
