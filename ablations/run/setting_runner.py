"""Running one setting: its search, the replicates of its best trial, and writing both to the record."""

from collections.abc import Generator, Mapping, Sequence
from functools import partial
from typing import Any

from ablations.record.protocol import ended
from ablations.record.schema import RunRecord
from ablations.run.cohort_runner import CohortState, Prune, States, initial_state, parts, train
from ablations.run.context import RunContext, Steps
from ablations.run.entries import run_entry
from ablations.run.jobs import Job, JobFailed
from ablations.run.kept_models import model_files
from ablations.run.memory import most_runs
from ablations.run.outcomes import Outcome, best_replicate, best_trial, stopped_runs, trial_outcome, unpromising_runs
from ablations.run.recorded_setting import Kind, RecordedSetting
from ablations.search import Search
from ablations.study import Plan, Setting
from ablations.study.proposals import DEFAULT_PRUNER
from ablations.study.space import Value
from ablations.train.cohort import Cohort, Run
from ablations.train.evaluation import Evaluation, evaluate_test


class SettingRunner(RecordedSetting):
    """The work on one setting of a plan. What the record has already is not done again.

    best: the number of the best trial and its hyperparameters, after the search; None where no trial is finished.
    """

    def __init__(self, plan: Plan, setting: Setting, context: RunContext) -> None:
        super().__init__(plan, setting, context.record)
        self.context, self.record = context, context.record
        self.best: tuple[int, Mapping[str, Value]] | None = None

    def run(self) -> Steps:
        """Searches, replicates the best trial, and closes the setting. After a failed job the next call tries again.

        Nothing is opened of a setting that an earlier session has closed, and whose runs are all there.
        """
        self.best = self.recorded_best()
        if self.best is None:
            yield from self._reported(self._search_and_replicate())

    def run_with_parent_hyperparameters(self, parent: "SettingRunner") -> Steps:
        """Trains the replicates a second time, with the best hyperparameters of the parent's setting."""
        best = parent.best or parent.recorded_best()
        if best is not None:
            yield from self._reported(self._replicate("transferred", *best))

    def _reported(self, steps: Steps) -> Steps:
        """The steps. The callback is told of their start and end, a failure is written to the record."""
        name, callback = self.setting.name, self.context.callback
        callback.on_setting_start(name)
        try:
            yield from steps
        except JobFailed as error:
            self.record.fail_parent(self.entry.identity, error.reason, error.details)
            callback.on_setting_failure(name, error)
            raise
        finally:
            callback.on_setting_end(name)

    def _search_and_replicate(self) -> Steps:
        parent = self.record.open_setting(self.entry)
        name = f"{self.plan.name} {self.plan.scale} {self.setting.name} {parent}"  # the last keeps edited ones apart
        search = Search(self.context.storage, name, self.setting.name, self.plan, self.setting)
        best = best_trial((yield from self._search(search)))
        if best is not None:
            self.best = best, search.hyperparameters(best)
            yield from self._replicate("replicate", *self.best)
        self.record.close_parent(self.entry.identity, {} if self.best is None else self._best_tags(*self.best))

    def _best_tags(self, best: int, hyperparameters: Mapping[str, Value]) -> dict[str, Any]:
        runs = self.replicates("replicate", hyperparameters)
        replicate = best_replicate({run.number: self.record.finished[self.identity(run)] for run in runs})
        texts = {name: f"{v:.4g}" if isinstance(v, float) else str(v) for name, v in hyperparameters.items()}
        tags = {"best_trial": best, **{f"best.{name}": text for name, text in texts.items()}}
        return tags if replicate is None else {**tags, "best_replicate": replicate}

    def _search(self, search: Search) -> Generator[Job, Any, list[Outcome]]:
        """Carries out the rounds of the search; returns the outcomes of its trials."""
        outcomes: list[Outcome] = []
        for first in range(0, self.budget.trials, self.budget.trials_per_round):
            numbers = range(first, first + self.budget.trials_per_round)
            seeds = range(self.budget.search_seeds)
            draws = {number: search.hyperparameters(number) for number in numbers}
            runs = [self.run_of("trial", number, seed, draws[number]) for number in numbers for seed in seeds]
            yield from self._train(runs, {"proposed_by": search.proposed_by(first)}, self._pruner)
            for number in numbers:
                own = [self.record.finished[self.identity(run)] for run in runs if run.number == number]
                outcomes.append(trial_outcome(own))
                search.tell(number, outcomes[-1].objective)
        return outcomes

    def _replicate(self, kind: Kind, best: int, hyperparameters: Mapping[str, Value]) -> Steps:
        yield from self._train(self.replicates(kind, hyperparameters), {"trial": best})

    def _train(self, runs: Sequence[Run], factors: Mapping[str, float | str], prune: Prune | None = None) -> Steps:
        """Trains those of the runs that the record does not have, and writes them to it.

        A cohort that was interrupted is trained to its end first, with the runs that it had: no number depends on that.
        Runs that the pruner compares train all together again where the record lacks one of them.
        """
        key = f"{self.entry.identity}-{runs[0].kind}"
        while missing := {run for run in runs if self.identity(run) not in self.record.finished}:
            some = runs if prune else [run for run in runs if run in missing]
            states = self._interrupted(key, set(runs)) or self._initial(some)
            states = yield from train(states, partial(self._save, key), prune, self._most_runs)
            for state in states:
                yield from self._write(state, runs, missing, factors)
            self.context.checkpoints.drop(key)
        self.context.checkpoints.drop(key)  # a crash may have left it after the last run was written

    def _write(
        self, state: CohortState, runs: Sequence[Run], missing: set[Run], factors: Mapping[str, float | str]
    ) -> Steps:
        """Tests those runs of a trained cohort that are no trials, and writes all that are missing to the record."""
        tests = (yield from self._test(state)) if runs[0].kind != "trial" else {}
        entries = {
            run: run_entry(self.entry, state, index, tests.get(index), self.plan.solved_at, factors)
            for index, run in enumerate(state.cohort.runs)
            if run in missing  # others were written before an interruption
        }
        kept, file = self._kept(runs, entries), self.record.provenance.get("study_file")
        for index, run in enumerate(state.cohort.runs):
            if run in entries:
                with model_files(state.cohort, state.train_state, index, run in kept, file) as model:
                    self.record.add(entries[run], self.entry, model)
                self.context.callback.on_run_end(self.setting.name, entries[run])

    def _kept(self, runs: Sequence[Run], entries: Mapping[Run, RunRecord]) -> set[Run]:
        """Those of the new runs whose trained models are kept, given all runs of their kind."""
        keep = self.context.keep_models
        if runs[0].kind != "replicate" or keep == "none":
            return set()
        if keep == "all":
            return {run for run, entry in entries.items() if entry.status == "finished"}
        ends = {run: self.record.finished.get(self.identity(run)) for run in runs}
        ends |= {run: ended(entry) for run, entry in entries.items()}
        best = best_replicate({run.number: end for run, end in ends.items() if end})
        return {run for run in entries if run.number == best}

    @property
    def _pruner(self) -> Prune:
        """The plan's pruner; the project's own is looked up when it is needed, for tests."""
        return unpromising_runs if self.plan.pruner == DEFAULT_PRUNER else partial(stopped_runs, self.plan.pruner)

    def _initial(self, runs: Sequence[Run]) -> States:
        return tuple(initial_state(cohort) for cohort in self._cohort(tuple(runs)).shapes)

    def _cohort(self, runs: tuple[Run, ...]) -> Cohort:
        return Cohort(self.setting, self.budget, self.plan.optimiser, self.plan.seed, runs)

    def _interrupted(self, key: str, runs: set[Run]) -> States | None:
        """The states of the cohorts that were interrupted, if they have no other runs than these."""
        states = self.context.checkpoints.load(key, self._cohort(()))
        return states if states and all(runs.issuperset(state.cohort.runs) for state in states) else None

    def _save(self, key: str, states: States) -> None:
        self.context.checkpoints.save(key, states)
        self.context.callback.on_segment_end(self.setting.name, states)

    def _test(self, state: CohortState) -> Generator[Job, Any, dict[int, Evaluation]]:
        """The tests of the runs, by index, that have not diverged."""
        sound = [index for index, status in enumerate(state.status) if status != "diverged"]
        if not sound or state.train_state is None:
            return {}
        tests: list[Evaluation] = []
        for group in parts(sound, self._most_runs(state.cohort)):
            tests += yield partial(evaluate_test, state.cohort.only(group), state.train_state.rows(group))
        return dict(zip(sound, tests, strict=True))

    def _most_runs(self, cohort: Cohort) -> int:
        """How many runs of a cohort have room in one job."""
        return most_runs(cohort.setting, cohort.budget, self.context.cohort_memory)
