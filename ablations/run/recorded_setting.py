"""One setting of a plan: the runs that it needs, and whether a record has them."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Literal

from ablations.record.long_tags import as_json
from ablations.record.protocol import Recorded
from ablations.run.entries import run_identity, setting_entry
from ablations.study import Plan, Setting
from ablations.study.space import Value
from ablations.train.cohort import Run, run_of

Kind = Literal["trial", "replicate", "transferred"]


class RecordedSetting:
    """A setting of a plan beside a record of it."""

    def __init__(self, plan: Plan, setting: Setting, record: Recorded) -> None:
        self.plan, self.setting = plan, setting
        self.budget = plan.budget
        self.entry = setting_entry(plan, setting)
        self._recorded = record

    def recorded_best(self) -> tuple[int, Mapping[str, Value]] | None:
        """The best trial, where the record holds all of the setting; None where something may be left to do."""
        closed = self._recorded.closed.get(self.entry.identity)
        if closed is None or as_json(asdict(closed.setting)) != as_json(asdict(self.entry)):
            return None
        trials, seeds = self.budget.trials, self.budget.search_seeds
        places = [(number, seed) for number in range(trials) for seed in range(seeds)]
        if not all(place in closed.trials for place in places) or not 0 <= closed.best < trials:
            return None
        spaces = self.plan.space_of(self.setting)
        recorded = closed.trials[closed.best, 0]
        best = {name: space.from_record(recorded[name]) for name, space in spaces.items() if name in recorded}
        # A value that the record does not have as it was drawn makes another run of the trial.
        needed = [self.run_of("trial", closed.best, 0, best), *self.replicates("replicate", best)]
        return (closed.best, best) if self.has(needed) else None

    def replicates(self, kind: Kind, hyperparameters: Mapping[str, Value]) -> list[Run]:
        """The trainings of one trial that are tested."""
        return [self.run_of(kind, number, number, hyperparameters) for number in range(self.budget.replicates)]

    def run_of(self, kind: Kind, number: int, seed: int, hyperparameters: Mapping[str, Value]) -> Run:
        """One run of the setting."""
        return run_of(kind, number, seed, self.plan.factors_for(self.setting, hyperparameters))

    def identity(self, run: Run) -> str:
        """The identity by which a run of the setting is recorded."""
        return run_identity(self.entry, run)

    def has(self, runs: Iterable[Run]) -> bool:
        """Whether the record has all these runs of the setting."""
        return all(self.identity(run) in self._recorded.finished for run in runs)
