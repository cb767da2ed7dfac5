"""Carrying out one setting: its search, the replicates of its best trial, and their way into the record."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any, Literal

from ablations.models.backends import backend_of
from ablations.models.equations import equations
from ablations.models.variant import count_parameters
from ablations.record.schema import RunRecord, SettingRecord
from ablations.run.cohort_state import CohortState, Job, Prune, initial_state, train
from ablations.run.context import JobFailed, RunContext, Steps
from ablations.run.outcomes import run_metrics, trial_outcome, unpromising_runs
from ablations.search import Search
from ablations.study import Plan, Setting
from ablations.study.identity import identity
from ablations.study.space import HYPERPARAMETERS
from ablations.train.cohort import Cohort, Run
from ablations.train.evaluation import Evaluation, evaluate_test


def setting_record(plan: Plan, setting: Setting) -> SettingRecord:
    """What the record keeps of a setting."""
    task, variant = setting.task, setting.variant
    cell = variant.cell
    return SettingRecord(
        run_id="",
        identity=plan.identities[setting.name],
        task=setting.label,
        task_parameters=task.parameters,
        difficulty=task.difficulty,
        nominal=task.nominal,
        references=task.references(),
        loss_references=task.loss_references(),
        variant=variant.name,
        model=variant.model,
        causal=variant.causal,
        hidden=setting.size,
        parameters=count_parameters(variant, task.spec, setting.size),
        equations=[] if cell is None else [asdict(equation) for equation in equations(cell)],
        parent=variant.parent,
        change=variant.change,
    )


class SettingRunner:
    """The work on one setting of a study; what the record holds already is not done again.

    `best` is, once the search is over, the number of the best trial and its hyperparameters; None where all diverged.
    """

    def __init__(self, plan: Plan, setting: Setting, context: RunContext) -> None:
        self.plan, self.setting, self.context = plan, setting, context
        self.budget = plan.budget
        self.record = context.record
        self.entry = setting_record(plan, setting)
        cell = setting.variant.cell
        self._backend = {} if cell is None else {"backend": backend_of(cell)}
        self.best: tuple[int, dict[str, float]] | None = None

    def run(self) -> Steps:
        """Searches, replicates the best trial, and closes the setting; a failed job leaves it open for another try."""
        yield from self._watched(self._search_and_replicate())

    def run_with_parent_hyperparameters(self, parent: "SettingRunner") -> Steps:
        """The replicates once more, with the best hyperparameters of the parent's setting."""
        if parent.best is not None:
            yield from self._watched(self._replicate("transferred", *parent.best))

    def _watched(self, steps: Steps) -> Steps:
        """The steps, and the watch told of their begin and end."""
        name, callback = self.setting.name, self.context.callback
        callback.on_setting_start(name)
        try:
            yield from steps
        except JobFailed as error:
            callback.on_setting_failure(name, error)
            raise
        finally:
            callback.on_setting_end(name)

    def _search_and_replicate(self) -> Steps:
        parent = self.record.open_setting(self.entry)
        search = Search(self.context.storage, parent, self.setting.name, self.plan)
        try:
            yield from self._search(search)
            best = search.best(self.budget.trials)
            if best is not None:
                self.best = best, search.hyperparameters(best)
                yield from self._replicate("replicate", *self.best)
        except JobFailed as error:
            self.record.fail_parent(self.entry.identity, str(error))
            raise
        self.record.close_parent(self.entry.identity, {} if self.best is None else _best_tags(*self.best))

    def _search(self, search: Search) -> Steps:
        for first in range(0, self.budget.trials, self.budget.trials_per_round):
            numbers = range(first, min(first + self.budget.trials_per_round, self.budget.trials))
            seeds = range(self.budget.search_seeds)
            drawn = {number: search.hyperparameters(number) for number in numbers}
            runs = [self._run("trial", number, seed, drawn[number]) for number in numbers for seed in seeds]
            yield from self._train(runs, {}, partial(unpromising_runs, search))
            for number in numbers:
                own = [self.record.finished[self._identity(run)] for run in runs if run.number == number]
                search.tell(number, *trial_outcome(own))

    def _replicate(
        self, kind: Literal["replicate", "transferred"], best: int, hyperparameters: Mapping[str, float]
    ) -> Steps:
        runs = [self._run(kind, number, number, hyperparameters) for number in range(self.budget.replicates)]
        yield from self._train(runs, {"trial": best})

    def _train(self, runs: Sequence[Run], factors: Mapping[str, float], prune: Prune | None = None) -> Steps:
        """Trains those of the runs that the record does not hold, and writes them to it.

        A cohort that was interrupted is finished first, with the members it had, so that no number depends on that.
        """
        wanted, checkpoints = set(runs), self.context.checkpoints
        key = f"{self.entry.identity}-{runs[0].kind}"
        while missing := tuple(run for run in runs if self._identity(run) not in self.record.finished):
            kept = checkpoints.load(key)
            fresh = Cohort(self.setting, self.budget, self.plan.optimiser, self.plan.seed, missing)
            course = kept if kept and wanted.issuperset(kept.cohort.runs) else initial_state(fresh)
            course = yield from train(course, self.plan.solved_at, partial(self._keep, key), prune)
            tests = (yield from self._examined(course)) if prune is None else {}
            for index, run in enumerate(course.cohort.runs):
                entry = self._entry(run, course, index, tests.get(index), factors)
                self.record.add(entry, self.entry)
                self.context.callback.on_run_end(self.setting.name, entry)
            checkpoints.drop(key)

    def _keep(self, key: str, course: CohortState) -> None:
        self.context.checkpoints.save(key, course)
        self.context.callback.on_segment_end(self.setting.name, course)

    def _examined(self, course: CohortState) -> Generator[Job, Any, dict[int, Evaluation]]:
        sound = [index for index, status in enumerate(course.status) if status != "diverged"]
        if not sound or course.state is None:
            return {}
        examined = yield partial(evaluate_test, course.cohort.only(sound), course.state.rows(sound))
        return dict(zip(sound, examined, strict=True))

    def _run(
        self,
        kind: Literal["trial", "replicate", "transferred"],
        number: int,
        seed: int,
        hyperparameters: Mapping[str, float],
    ) -> Run:
        return Run(kind, number, seed, **{**self.plan.fixed, **hyperparameters})

    def _identity(self, run: Run) -> str:
        return identity({"setting": self.entry.identity, **asdict(run)})

    def _entry(
        self, run: Run, course: CohortState, index: int, test: Evaluation | None, factors: Mapping[str, float]
    ) -> RunRecord:
        curves = {**course.curves[index], **(test.curves if test else {})}
        status = course.status[index]
        assert status is not None
        return RunRecord(
            identity=self._identity(run),
            kind=run.kind,
            number=run.number,
            status=status,
            factors={key: getattr(run, key) for key in (*HYPERPARAMETERS, "seed")} | self._backend | dict(factors),
            metrics={
                **run_metrics(curves, status, test, self.entry.nominal, self.plan.solved_at),
                "seconds": course.seconds[index],
                "parameters": float(self.entry.parameters),
            },
            history=curves,
            setting=self.entry.identity,
        )


def _best_tags(best: int, hyperparameters: Mapping[str, float]) -> dict[str, Any]:
    return {"best_trial": best, **{f"best.{name}": f"{value:.4g}" for name, value in hyperparameters.items()}}
