"""Running one setting: its search, the replicates of its best trial, and writing both to the record."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any, Literal

from ablations.models.backends import backend_of
from ablations.models.equations import equations
from ablations.models.variant import count_parameters
from ablations.record.schema import RunRecord, SettingRecord
from ablations.run.cohort_runner import CohortState, Prune, States, initial_state, train
from ablations.run.context import RunContext, Steps
from ablations.run.jobs import Job, JobFailed
from ablations.run.outcomes import (
    Outcome,
    best_trial,
    run_metrics,
    stopped_runs,
    trial_outcome,
    unpromising_runs,
)
from ablations.search import Search
from ablations.study import Plan, Setting
from ablations.study.factors import SIZES
from ablations.study.identity import identity
from ablations.study.proposals import DEFAULT_PRUNER
from ablations.study.space import HYPERPARAMETERS, Value
from ablations.train.cohort import Cohort, Run, run_of
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
        parameters=_parameters(setting),
        equations=[] if cell is None else [asdict(equation) for equation in equations(cell)],
        parent=variant.parent,
        change=variant.change,
        size_rule=_size_rule(plan, setting),
        base=variant.base,
    )


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
        self._backend = {} if cell is None else {"backend": backend_of(cell)}
        self.best: tuple[int, dict[str, Value]] | None = None

    def run(self) -> Steps:
        """Searches, replicates the best trial, and closes the setting. After a failed job the next call tries again."""
        yield from self._reported(self._search_and_replicate())

    def run_with_parent_hyperparameters(self, parent: "SettingRunner") -> Steps:
        """Trains the replicates a second time, with the best hyperparameters of the parent's setting."""
        if parent.best is not None:
            yield from self._reported(self._replicate("transferred", *parent.best))

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
        search = Search(self.context.storage, parent, self.setting.name, self.plan, self.setting)
        best = best_trial((yield from self._search(search)))
        if best is not None:
            self.best = best, search.hyperparameters(best)
            yield from self._replicate("replicate", *self.best)
        self.record.close_parent(self.entry.identity, {} if self.best is None else _best_tags(*self.best))

    def _search(self, search: Search) -> Generator[Job, Any, list[Outcome]]:
        """Carries out the rounds of the search; returns the outcomes of its trials."""
        outcomes: list[Outcome] = []
        for first in range(0, self.budget.trials, self.budget.trials_per_round):
            numbers = range(first, first + self.budget.trials_per_round)
            seeds = range(self.budget.search_seeds)
            draws = {number: search.hyperparameters(number) for number in numbers}
            runs = [self._run("trial", number, seed, draws[number]) for number in numbers for seed in seeds]
            yield from self._train(runs, {"proposed_by": search.proposed_by(first)}, self._pruner)
            for number in numbers:
                own = [self.record.finished[self._identity(run)] for run in runs if run.number == number]
                outcomes.append(trial_outcome(own))
                search.tell(number, outcomes[-1].objective)
        return outcomes

    def _replicate(
        self, kind: Literal["replicate", "transferred"], best: int, hyperparameters: Mapping[str, Value]
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
            states = self._interrupted(key, set(runs)) or self._initial(tuple(runs) if prune else missing)
            states = yield from train(states, partial(self._save, key), prune)
            for state in states:
                tests = (yield from self._test(state)) if prune is None else {}
                for index, run in enumerate(state.cohort.runs):
                    if run not in missing:
                        continue  # it was written before an interruption
                    entry = self._run_record(run, state, index, tests.get(index), factors)
                    self.record.add(entry, self.entry)
                    self.context.callback.on_run_end(self.setting.name, entry)
            self.context.checkpoints.drop(key)

    @property
    def _pruner(self) -> Prune:
        """The plan's pruner; the project's own is looked up when it is needed, for tests."""
        return unpromising_runs if self.plan.pruner == DEFAULT_PRUNER else partial(stopped_runs, self.plan.pruner)

    def _initial(self, runs: tuple[Run, ...]) -> States:
        return tuple(initial_state(cohort) for cohort in self._cohort(runs).shapes)

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
        tests = yield partial(evaluate_test, state.cohort.only(sound), state.train_state.rows(sound))
        return dict(zip(sound, tests, strict=True))

    def _run(
        self,
        kind: Literal["trial", "replicate", "transferred"],
        number: int,
        seed: int,
        hyperparameters: Mapping[str, Value],
    ) -> Run:
        return run_of(kind, number, seed, self.plan.factors_for(self.setting, hyperparameters))

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
            factors={
                **{key: getattr(run, key) for key in (*HYPERPARAMETERS, "seed")},
                **{name: value if isinstance(value, int | float | str) else str(value) for name, value in run.factors},
                "hidden": state.cohort.setting.size,
                **self._backend,
                **factors,
            },
            metrics={
                **run_metrics(curves, status, test, self.entry.nominal, self.plan.solved_at),
                "seconds": state.seconds[index],
                "parameters": float(_parameters(state.cohort.setting)),
            },
            history=curves,
            attention=test.attention if test else {},
            setting=self.entry.identity,
        )


def _size_rule(plan: Plan, setting: Setting) -> str:
    searched = [name for name in SIZES if name in plan.space_of(setting)]
    return f"{searched[0]} searched" if searched else str(setting.variant.size_rule(plan.budget.parameters))


def _parameters(setting: Setting) -> int:
    return count_parameters(setting.variant, setting.task.spec, setting.size)


def _best_tags(best: int, hyperparameters: Mapping[str, Value]) -> dict[str, Any]:
    texts = {name: f"{v:.4g}" if isinstance(v, float) else str(v) for name, v in hyperparameters.items()}
    return {"best_trial": best, **{f"best.{name}": text for name, text in texts.items()}}
