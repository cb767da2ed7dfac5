"""Running one setting: its search, the replicates of its best trial, and writing both to the record."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import cache, cached_property, partial
from inspect import getdoc
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np

from ablations.models import Cell
from ablations.models.backends import backend_of
from ablations.models.equations import equations
from ablations.models.variant import count_parameters
from ablations.record.long_tags import as_json
from ablations.record.protocol import ended
from ablations.record.schema import ONE_BY_ONE, RunRecord, SettingRecord
from ablations.run.cohort_runner import CohortState, Prune, initial_state, parts, train
from ablations.run.context import RunContext, Steps
from ablations.run.jobs import Job, JobFailed
from ablations.run.kept_models import save_model
from ablations.run.memory import most_runs
from ablations.run.outcomes import (
    Outcome,
    best_replicate,
    best_trial,
    end_reason,
    run_metrics,
    trial_outcome,
    unpromising_runs,
)
from ablations.search import Search
from ablations.study import Plan, Setting
from ablations.study.identity import identity
from ablations.study.space import HYPERPARAMETERS
from ablations.train.cohort import Cohort, Run
from ablations.train.evaluation import Evaluation, evaluate_test
from ablations.train.stackability import is_stackable
from tasks import Task


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
        equations=[] if cell is None else _equations(cell),
        parent=variant.parent,
        change=variant.change,
        size_rule=str(variant.size_rule(plan.budget.parameters)),
        base=variant.base,
        rule=(getdoc(task) or "").partition("\n")[0],
        example=_example(task),
    )


def _example(task: Task) -> str:
    """One of a task's sequences; nothing where it fails, which its jobs will say."""
    try:
        return task.read(task.sample(np.random.default_rng(0), 1), 0)
    except Exception:
        return ""


@cache
def _equations(cell: type[Cell]) -> list[dict[str, str]]:
    return [asdict(equation) for equation in equations(cell)]


class SettingRunner:
    """The work on one setting of a plan. What the record has already is not done again.

    best: the number of the best trial and its hyperparameters, after the search; None where no trial is finished.
    """

    def __init__(self, plan: Plan, setting: Setting, context: RunContext) -> None:
        self.plan, self.setting, self.context = plan, setting, context
        self.budget = plan.budget
        self.record = context.record
        self.entry = setting_record(plan, setting)
        cell = setting.variant.cell
        self._backend: dict[str, str] = {} if cell is None else {"backend": backend_of(cell)}
        if not is_stackable(setting.variant, setting.task.spec, setting.size):
            self._backend["trained"] = ONE_BY_ONE
        self.best: tuple[int, dict[str, float]] | None = None

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

    def recorded_best(self) -> tuple[int, dict[str, float]] | None:
        """The best trial, where the record holds all of the setting; None where something may be left to do."""
        closed = self.record.closed.get(self.entry.identity)
        if closed is None or as_json(asdict(closed.setting)) != as_json(asdict(self.entry)):
            return None
        trials, seeds = self.budget.trials, self.budget.search_seeds
        places = [(number, seed) for number in range(trials) for seed in range(seeds)]
        if not all(place in closed.trials for place in places) or not 0 <= closed.best < trials:
            return None
        factors = closed.trials[closed.best, 0]
        best = {name: value for name in self.plan.nuisance if isinstance(value := factors.get(name), float)}
        runs = (self._run("replicate", number, number, best) for number in range(self.budget.replicates))
        is_whole = len(best) == len(self.plan.nuisance)
        return (
            (closed.best, best) if is_whole and all(self._identity(r) in self.record.finished for r in runs) else None
        )

    def _search_and_replicate(self) -> Steps:
        parent = self.record.open_setting(self.entry)
        name = f"{self.plan.name} {self.plan.scale} {self.setting.name} {parent}"  # the last keeps edited ones apart
        search = Search(self.context.storage, name, self.setting.name, self.plan)
        best = best_trial((yield from self._search(search)))
        if best is not None:
            self.best = best, search.hyperparameters(best)
            yield from self._replicate("replicate", *self.best)
        self.record.close_parent(self.entry.identity, {} if self.best is None else self._best_tags(*self.best))

    def _best_tags(self, best: int, hyperparameters: Mapping[str, float]) -> dict[str, Any]:
        runs = (self._run("replicate", number, number, hyperparameters) for number in range(self.budget.replicates))
        replicate = best_replicate({run.number: self.record.finished[self._identity(run)] for run in runs})
        values = {f"best.{name}": f"{value:.4g}" for name, value in hyperparameters.items()}
        return {"best_trial": best, **values, **({} if replicate is None else {"best_replicate": replicate})}

    def _search(self, search: Search) -> Generator[Job, Any, list[Outcome]]:
        """Carries out the rounds of the search; returns the outcomes of its trials."""
        outcomes: list[Outcome] = []
        for first in range(0, self.budget.trials, self.budget.trials_per_round):
            numbers = range(first, first + self.budget.trials_per_round)
            seeds = range(self.budget.search_seeds)
            draws = {number: search.hyperparameters(number) for number in numbers}
            runs = [self._run("trial", number, seed, draws[number]) for number in numbers for seed in seeds]
            yield from self._train(runs, {"proposed_by": search.proposed_by(first)}, unpromising_runs)
            for number in numbers:
                own = [self.record.finished[self._identity(run)] for run in runs if run.number == number]
                outcomes.append(trial_outcome(own))
                search.tell(number, outcomes[-1].objective)
        return outcomes

    def _replicate(
        self, kind: Literal["replicate", "transferred"], best: int, hyperparameters: Mapping[str, float]
    ) -> Steps:
        runs = [self._run(kind, number, number, hyperparameters) for number in range(self.budget.replicates)]
        yield from self._train(runs, {"trial": best})

    def _train(self, runs: Sequence[Run], factors: Mapping[str, float | str], prune: Prune | None = None) -> Steps:
        """Trains those of the runs that the record does not have, and writes them to it.

        A cohort that was interrupted is trained to its end first, with the runs that it had: no number depends on that.
        Runs that the pruner compares train all together again where the record lacks one of them.
        """
        key = f"{self.entry.identity}-{runs[0].kind}"
        while missing := tuple(run for run in runs if self._identity(run) not in self.record.finished):
            state = self._interrupted(key, set(runs)) or initial_state(self._cohort(tuple(runs) if prune else missing))
            state = yield from train(state, partial(self._save, key), prune, self._most_runs)
            tests = (yield from self._test(state)) if prune is None else {}
            entries = {
                run: self._run_record(run, state, index, tests.get(index), factors)
                for index, run in enumerate(state.cohort.runs)
                if run in missing  # others were written before an interruption
            }
            kept = self._kept(runs, entries)
            for index, run in enumerate(state.cohort.runs):
                if run in entries:
                    with self._model_files(state, index, run in kept) as model:
                        self.record.add(entries[run], self.entry, model)
                    self.context.callback.on_run_end(self.setting.name, entries[run])
        self.context.checkpoints.drop(key)

    def _kept(self, runs: Sequence[Run], entries: Mapping[Run, RunRecord]) -> set[Run]:
        """Those of the new runs whose trained models are kept, given all runs of their kind."""
        keep = self.context.keep_models
        if runs[0].kind != "replicate" or keep == "none":
            return set()
        if keep == "all":
            return {run for run, entry in entries.items() if entry.status == "finished"}
        ends = {run: self.record.finished.get(self._identity(run)) for run in runs}
        ends |= {run: ended(entry) for run, entry in entries.items()}
        best = best_replicate({run.number: end for run, end in ends.items() if end})
        return {run for run in entries if run.number == best}

    @contextmanager
    def _model_files(self, state: CohortState, index: int, is_kept: bool) -> Iterator[Path | None]:
        """A folder with the trained model of a run, if that is kept."""
        if not is_kept or state.train_state is None:
            yield None
            return
        with TemporaryDirectory() as folder:
            file = self.record.provenance.get("study_file")
            save_model(Path(folder), state.cohort, state.train_state, index, file)
            yield Path(folder)

    def _cohort(self, runs: tuple[Run, ...]) -> Cohort:
        return Cohort(self.setting, self.budget, self.plan.optimiser, self.plan.seed, runs)

    def _interrupted(self, key: str, runs: set[Run]) -> CohortState | None:
        """The state of the cohort that was interrupted, if it has no other runs than these."""
        state = self.context.checkpoints.load(key, self._cohort(()))
        return state if state and runs.issuperset(state.cohort.runs) else None

    def _save(self, key: str, state: CohortState) -> None:
        self.context.checkpoints.save(key, state)
        self.context.callback.on_segment_end(self.setting.name, state)

    def _test(self, state: CohortState) -> Generator[Job, Any, dict[int, Evaluation]]:
        """The tests of the runs, by index, that have not diverged."""
        sound = [index for index, status in enumerate(state.status) if status != "diverged"]
        if not sound or state.train_state is None:
            return {}
        tests: list[Evaluation] = []
        for group in parts(sound, self._most_runs):
            tests += yield partial(evaluate_test, state.cohort.only(group), state.train_state.rows(group))
        return dict(zip(sound, tests, strict=True))

    @cached_property
    def _most_runs(self) -> int:
        """How many runs have room in one job."""
        return most_runs(self.setting, self.budget, self.context.cohort_memory)

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

    def _run_record(
        self, run: Run, state: CohortState, index: int, test: Evaluation | None, factors: Mapping[str, float | str]
    ) -> RunRecord:
        curves = {**state.curves[index], **(test.curves if test else {})}
        status = state.status[index]
        assert status is not None
        return RunRecord(
            identity=self._identity(run),
            kind=run.kind,
            number=run.number,
            status=status,
            factors={key: getattr(run, key) for key in (*HYPERPARAMETERS, "seed")} | self._backend | dict(factors),
            metrics={
                **run_metrics(curves, status, test, self.entry.nominal, self.plan.solved_at),
                "seconds": state.seconds[index],
                "parameters": float(self.entry.parameters),
            },
            history=curves,
            mechanisms=test.mechanisms if test else {},
            setting=self.entry.identity,
            reason=end_reason(curves, status),
        )
