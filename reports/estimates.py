"""Every quantity of a report, computed once from the record: claims, ranking, figures, literature and MLflow read it here.

Nothing is drawn but simulated studies, and those from a stream that is named after the quantity: what else is in a report
moves no number.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar

import numpy as np
import pandas as pd

from ablations.record.schema import SettingRecord
from reports.result_tables import ResultTables
from reports.skill import half_life, skill
from reports.statistics.intervals import mean, median, proportion
from reports.statistics.sample import MISSING, Array, Estimate, Sample, sample, share_sample, test_set_variance

SOLVED = 0.9
"""The skill above which a task counts as solved."""

Quantity = TypeVar("Quantity")


@dataclass(frozen=True)
class Estimates:
    """The estimates of one study; `results` are its tables."""

    results: ResultTables
    _quantities: dict[tuple[object, ...], object] = field(default_factory=dict, compare=False, repr=False)

    def generator(self, name: str) -> np.random.Generator:
        """The generator at the start of the stream of that name, which depends on the study's seed and on nothing else."""
        digest = np.frombuffer(hashlib.sha256(name.encode()).digest(), dtype=np.uint32)
        return np.random.default_rng(np.random.SeedSequence([self.results.study.plan["seed"], *digest.tolist()]))

    def replicates(self, task: str, variant: str, column: str = "skill") -> Sample | None:
        """The score or the skill of a variant's replicates on a task; None if there are none."""
        return self._once(("replicates", task, variant, column), lambda: self._replicates(task, variant, column))

    def difference(self, a: str, b: str, task: str, transferred: bool = False) -> Sample | None:
        """Skill of a minus skill of b on a task, paired by seed; None if they have no seed in common.

        With `transferred`, the skill of a's transferred runs.
        """
        return self._once(("difference", a, b, task, transferred), lambda: self._difference(a, b, task, transferred))

    def differences(
        self, a: str, b: str, tasks: Iterable[str] | None = None, transferred: bool = False
    ) -> dict[str, Sample]:
        """The paired differences in skill on each task (of some tasks) that both were run on."""
        pairs = ((task, self.difference(a, b, task, transferred)) for task in tasks or self.results.tasks)
        return {task: found for task, found in pairs if found}

    def learnt_differences(
        self, a: str, b: str, tasks: Iterable[str] | None = None, transferred: bool = False
    ) -> dict[str, Sample]:
        """The differences on the tasks that decide: those that some variant which reads as a or b does has solved."""
        found = self.differences(a, b, tasks, transferred)
        return {task: each for task, each in found.items() if self.was_solved(task, a, b)}

    def at_difficulty(self, task: str, variant: str, which: Literal["shortest", "nominal"]) -> pd.DataFrame:
        """The rows of a variant's replicates at the shortest or at the nominal difficulty of a task, by seed."""
        rows = self.results.difficulty
        rows = rows[(rows["task"] == task) & (rows["variant"] == variant) & ~rows["refused"]]
        difficulty = rows["nominal"] if which == "nominal" else rows["difficulty"].min()
        return rows[rows["difficulty"] == difficulty].set_index("seed")

    def skill_at(self, task: str, variant: str, which: Literal["shortest", "nominal"]) -> Sample | None:
        """A variant's skill at the shortest or at the nominal difficulty of a task; None if there is none."""
        rows = self.at_difficulty(task, variant, which)
        return self._sample(rows["skill"].to_numpy(), "skill", rows, self.test_sequences) if len(rows) else None

    def skill_lost(self, task: str, variant: str) -> Sample | None:
        """A variant's skill at the shortest minus its skill at the nominal difficulty, by seed; None if there is none."""
        short, long = (self.at_difficulty(task, variant, which)["skill"] for which in ("shortest", "nominal"))
        alone = [each for each in (self.skill_at(task, variant, w) for w in ("shortest", "nominal")) if each]
        lost = (short - long).dropna()
        return sample(lost, *self._apart(alone)) if len(lost) else None

    def half_life(self, task: str, variant: str) -> Estimate | None:
        """The half-life of the skill of a variant's typical run on a task, up to what it can read; None without replicates."""
        return self._once(("half-life", task, variant), lambda: self._half_life(task, variant))

    def solved(self, task: str, variant: str) -> Estimate:
        """The share of a variant's replicates that have solved a task: skill above `SOLVED` at the nominal difficulty."""
        skills = self.replicates(task, variant)
        return proportion(int((skills.values > SOLVED).sum()), skills.n) if skills else MISSING

    def sequences_to_criterion(self, task: str, variant: str) -> Array:
        """Training sequences of each replicate up to the criterion, infinite where it was not reached within the budget."""
        rows = self._rows("replicates").get((task, variant))
        return np.empty(0) if rows is None else rows["sequences_to_criterion"].fillna(np.inf).to_numpy()

    @property
    def training_sequences(self) -> int:
        """The budget of a replicate."""
        budget = self.results.study.plan["budget"]
        return int(budget["steps"] * budget["batch"])

    def mean(self, task: str, variant: str, column: str) -> Estimate | None:
        """The mean of a variant's scores or skills on a task."""
        found = self.replicates(task, variant, column)
        return mean(found) if found else None

    def means_by(
        self, frame: pd.DataFrame, by: Sequence[str], column: str, sequences: int | None = None
    ) -> pd.DataFrame:
        """Mean, interval and number of a column's values for each combination of the columns `by`, in order of appearance.

        A column `score`, `exact_match` or `skill` of a frame with tasks has the sampling variance of its test `sequences`.
        """
        rows = []
        for key, group in frame.groupby(list(by), sort=False):
            values = group[column].dropna().to_numpy()
            if len(values):
                estimate = mean(self._sample(values, column, group, sequences or self.test_sequences))
                rows.append([*key, estimate.value, estimate.low, estimate.high, estimate.n])
        return pd.DataFrame(rows, columns=[*by, "mean", "low", "high", "n"])

    @property
    def test_sequences(self) -> int:
        """The number of sequences that a replicate is tested on at each difficulty."""
        return int(self.results.study.plan["budget"]["test"])

    def was_solved(self, task: str, *variants: str) -> bool:
        """The positive control: some variant that reads as one of these do has solved the task at its easiest.

        A variant reads from left to right, or it sees the future. Solved is a typical skill above `SOLVED`.
        """
        ways = {setting.causal for setting in self._settings(task) if setting.variant in variants}
        return any(way in self._once(("solved", task), lambda: self._ways_that_solve(task)) for way in ways)

    def sizes(self, variants: Iterable[str]) -> dict[str, str]:
        """The rule by which each variant's size was chosen, as in "3,000 parameters"."""
        rules = {setting.variant: setting.size_rule for setting in self.results.study.settings}
        return {variant: rules[variant] for variant in variants if variant in rules}

    def _once(self, name: tuple[object, ...], compute: Callable[[], Quantity]) -> Quantity:
        if name not in self._quantities:
            self._quantities[name] = compute()
        return self._quantities[name]  # type: ignore[return-value]

    def _settings(self, task: str) -> list[SettingRecord]:
        return [setting for setting in self.results.study.settings if setting.task == task]

    def _ways_that_solve(self, task: str) -> set[bool]:
        """The ways of reading (causal or not) by which some variant has solved the task at its easiest."""
        rows = self.results.difficulty
        rows = rows[(rows["task"] == task) & ~rows["refused"]]
        easiest = rows[rows["difficulty"] == rows["difficulty"].min()]
        typical = easiest.groupby("variant")["skill"].median()
        return {setting.causal for setting in self._settings(task) if typical.get(setting.variant, 0.0) > SOLVED}

    def _replicates(self, task: str, variant: str, column: str) -> Sample | None:
        rows = self._rows("replicates").get((task, variant))
        return None if rows is None else self._sample(rows[column].to_numpy(), column, rows, self.test_sequences)

    def _half_life(self, task: str, variant: str) -> Estimate | None:
        rows = self.results.difficulty
        rows = rows[(rows["task"] == task) & (rows["variant"] == variant) & ~rows["refused"]].sort_values("difficulty")
        lives = [half_life(run["difficulty"], run["skill"]) for _, run in rows.groupby("seed")]
        if not lives:
            return None
        # Of two in the middle the lower one: a mean of "nothing learnt" and of a difficulty is neither.
        return replace(median(sample(lives)), value=float(np.quantile(lives, 0.5, method="lower")))

    def _rows(self, kind: str) -> dict[tuple[str, str], pd.DataFrame]:
        """(task, variant) -> the rows of its replicates or of its transferred runs."""
        return self._once(("rows", kind), lambda: dict(iter(getattr(self.results, kind).groupby(["task", "variant"]))))

    def _difference(self, a: str, b: str, task: str, transferred: bool) -> Sample | None:
        values = self.results.paired_differences(a, b, task, transferred)
        if not len(values):
            return None
        rows = self._rows("transferred" if transferred else "replicates")[task, a], self._rows("replicates")[task, b]
        alone = [self._sample(each["skill"].to_numpy(), "skill", each, self.test_sequences) for each in rows]
        return sample(values, *self._apart(alone))

    @staticmethod
    def _apart(alone: Sequence[Sample]) -> tuple[float, tuple[float, float]]:
        """The floor and the bounds of the difference of two skills on one task."""
        low, high = alone[0].bounds
        # As if the two had no test sequence in common: on the safe side, for they have.
        return alone[0].floor + alone[1].floor, (low - high, high - low)

    def _sample(self, values: np.ndarray, column: str, rows: pd.DataFrame, sequences: int) -> Sample:
        """A sample of a column's values, with the variance of the test set and the bounds of a score or a skill."""
        if column not in ("score", "exact_match", "skill") or "task" not in rows:
            return sample(values)
        if column != "skill":
            return share_sample(values, sequences)
        references = self._references(rows["task"].iloc[0])
        floor = test_set_variance(float(rows["score"].mean()), sequences)
        low, high = skill([0.0, 1.0], *references)
        return sample(values, floor / (references[1] - references[0]) ** 2, (float(low), float(high)))

    def _references(self, task: str) -> tuple[float, float]:
        """The scores of chance and of perfection on a task."""
        references = next(iter(self._settings(task))).references
        return references["chance"], references["perfect"]
