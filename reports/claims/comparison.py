"""One part of a claim: what is measured, where its limit is, and what decides it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from reports.estimates import Estimates
from reports.statistics.capacity import Shape, seeds_needed, smallest_decided
from reports.statistics.decision import Evidence, Word, words
from reports.statistics.intervals import geometric_mean, mean_over_tasks, median, prediction, proportion
from reports.statistics.sample import Estimate, Sample

MARGIN = 0.02
"""A difference in skill smaller than this has no practical importance."""

VerdictLabel = Word | Literal["not run"]
Side = Literal["above", "below"]

Scale = Literal["value", "ratio", "typical ratio", "share of runs"]

SIDES: Mapping[Side, int] = {"above": 1, "below": -1}


@dataclass(frozen=True)
class Comparison:
    """One part of a claim: what is measured, the limit, and the side of it on which the claim puts it.

    `quantity` is what is measured, and `of` what it is measured of: parts of one quantity are told in one breath.
    `samples` are its runs by task; a part that is not about tasks has one sample without a name, and one that was not run
    none. With several tasks the mean over them decides, with one its runs. `unlearnt` names the tasks that decide nothing,
    because no variant of the kind has solved them at their easiest. `null` is the value at which nothing differs. A part
    that is `fixed` follows from the code, and no seed changes it. `scale` says how its values are shown: of ratios the logarithms
    are compared, and of measured ratios the geometric mean is shown, of others the typical one.
    """

    quantity: str
    limit: float
    side: Side
    samples: Mapping[str, Sample]
    of: str = ""
    null: float | None = None
    unlearnt: tuple[str, ...] = ()
    fixed: bool = False
    scale: Scale = "value"

    @property
    def label(self) -> str:
        """The quantity and what it is measured of."""
        return f"{self.quantity} {self.of}".rstrip()

    @property
    def is_ratio(self) -> bool:
        """Whether its logarithms are compared."""
        return self.scale in ("ratio", "typical ratio")

    @property
    def shape(self) -> Shape | None:
        """What decides it; None if nothing does."""
        if not self.samples:
            return None
        to_scale = np.log if self.is_ratio else float
        null = None if self.null is None else float(to_scale(self.null))
        return Shape(self._scaled, float(to_scale(self.limit)), SIDES[self.side], null, self.fixed)

    @property
    def evidence(self) -> Evidence | None:
        """Its p-values; None if nothing decides it."""
        return self.shape.evidence() if self.shape else None

    @property
    def estimate(self) -> Estimate | None:
        """What is printed: the typical run, or the mean over tasks, the geometric mean of a ratio, the share of runs."""
        if not self.samples:
            return None
        samples = list(self.samples.values())
        if len(samples) > 1:
            return mean_over_tasks(samples)
        if self.scale == "ratio":
            return _known(samples[0]) if self.fixed else geometric_mean(samples[0])
        if self.scale == "share of runs":
            return proportion(int((samples[0].values > self.limit).sum()), samples[0].n)
        return median(samples[0])

    @property
    def by_task(self) -> dict[str, Estimate]:
        """The typical run on each task, if there are several."""
        return {task: median(each) for task, each in self.samples.items()} if len(self.samples) > 1 else {}

    def verdict_on(self, task: str) -> VerdictLabel:
        """The word of one of its tasks, were it the whole claim."""
        return replace(self, samples={task: self.samples[task]}).verdict

    @property
    def dissenting(self) -> list[str]:
        """The tasks that go the other way than the mean over tasks, by themselves."""
        if len(self.samples) < 2 or self.estimate is None:
            return []
        other: VerdictLabel = (
            "contradicted" if SIDES[self.side] * (self.estimate.value - self.limit) > 0 else "supported"
        )
        return [task for task in self.samples if self.verdict_on(task) == other]

    @property
    def further_task(self) -> Estimate | None:
        """Where the mean of a further task like these would lie, if there are several tasks."""
        return prediction(list(self.samples.values())) if len(self.samples) > 1 else None

    @property
    def verdict(self) -> VerdictLabel:
        """Its own word, were it the whole claim."""
        if self.evidence is None:
            return "inconclusive" if self.unlearnt else "not run"
        return str(words([self.evidence], about_all=False)[0])  # type: ignore[return-value]

    @property
    def smallest_decided(self) -> float:
        """The value beyond which it would have been decided for the claim, with these runs and this spread."""
        value = smallest_decided(self.shape) if self.shape else float("nan")
        return float(np.exp(value)) if self.is_ratio else value

    @property
    def seeds_needed(self) -> float:
        """The seeds that would decide it if it is undecided; NaN if it is decided.

        Infinite if over 1,000, or if a task goes the other way, which more seeds do not change.
        """
        if self.shape is None or self.verdict != "inconclusive":
            return float("nan")
        return float("inf") if self.dissenting else seeds_needed(self.shape)

    @property
    def _scaled(self) -> tuple[Sample, ...]:
        if not self.is_ratio:
            return tuple(self.samples.values())
        return tuple(Sample(np.log(each.values)) for each in self.samples.values())


def from_runs(
    quantity: str,
    runs: Sample | None,
    side: Side,
    limit: float,
    *,
    of: str = "",
    null: float | None = None,
    scale: Scale = "value",
) -> Comparison:
    """A part that the typical run decides: most runs shall lie above or below the limit."""
    return Comparison(quantity, limit, side, {"": runs} if runs else {}, of, null, scale=scale)


def skill_difference(
    estimates: Estimates,
    a: str,
    b: str,
    side: Side,
    limit: float,
    tasks: Iterable[str] | None = None,
    quantity: str = "",
    of: str = "",
) -> Comparison:
    """A part about the skill of a minus that of b, paired by seed: the mean over the tasks that were learnt."""
    learnt = estimates.learnt_differences(a, b, tasks)
    unlearnt = tuple(task for task in estimates.differences(a, b, tasks) if task not in learnt)
    return Comparison(quantity or f"the skill of {a} minus that of {b}", limit, side, learnt, of, 0.0, unlearnt)


def _known(sample: Sample) -> Estimate:
    """A number without an error, and so without an interval."""
    return Estimate(float(sample.values[0]), float("nan"), float("nan"), sample.n)
