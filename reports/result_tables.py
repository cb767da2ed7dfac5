"""The record as small tidy tables: one row per replicate, per point of a curve, per trial, or per timed round."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from ablations.record.schema import RunRecord, SettingRecord, StudyRecord
from reports.search_factors import size, with_factors
from reports.skill import skill_by
from reports.table_columns import (
    COST,
    CURVE,
    DIFFICULTY,
    GRADIENT,
    GRADIENT_AT_CUE,
    REPLICATE,
    SETTING,
    TRIAL,
    replicate_row,
    typed,
)  # fmt: skip


@dataclass(frozen=True)
class ResultTables:
    """The tables of one study. Each has named, typed columns and is empty if the record has no such runs.

    A replicate that diverged counts as guessing in all tables: its score is the task's chance, its skill 0.
    """

    study: StudyRecord

    @cached_property
    def settings(self) -> pd.DataFrame:
        """One row per setting, `SETTING`: its rule of size, hidden size, number of parameters, and number of replicates."""
        counts = Counter(run.setting for run in self.study.replicates)
        rows = [
            [s.task, s.variant, s.model, s.causal, s.size_rule, *size(self.study, s), s.nominal, counts[s.identity]]
            for s in self.study.settings
        ]
        return typed(rows, SETTING)

    @cached_property
    def replicates(self) -> pd.DataFrame:
        """One row per replicate, `REPLICATE`; skill is (score − chance) / (perfect − chance)."""
        return typed([replicate_row(run, s) for run, s in self.runs("replicates")], REPLICATE)

    @cached_property
    def transferred(self) -> pd.DataFrame:
        """One row per transferred run, `REPLICATE`: a replicate with the hyperparameters of the variant's parent."""
        return typed([replicate_row(run, s) for run, s in self.runs("transferred")], REPLICATE)

    @cached_property
    def curves(self) -> pd.DataFrame:
        """The validation score of each replicate over the sequences seen, `CURVE`.

        A curve that ends earlier, as of runs that an earlier version stopped, keeps its last score to the end of the budget.
        """
        budget = self.study.plan["budget"]
        per_segment = budget["steps"] * budget["batch"] // budget["segments"]
        grid = [per_segment * (k + 1) for k in range(budget["segments"])]
        rows: list[list[object]] = []
        for run, s in self.runs("replicates"):
            curve = run.history["validation_score"]
            last = curve[-1][1]
            if run.status == "diverged":  # the last segment, in which it diverged, ends in a meaningless score
                curve, last = curve[:-1], s.references["chance"]
            scores = dict(curve)
            for sequences in grid:
                score = scores.get(sequences, last)
                rows.append([s.task, s.variant, run.number, sequences, score, skill_by(s.references, score)])
        return typed(rows, CURVE)

    @cached_property
    def difficulty(self) -> pd.DataFrame:
        """The test score of each replicate at each difficulty, `DIFFICULTY`; a refused difficulty has no score.

        `exact_match` is the share of answers that are right in every symbol; NaN where no answers are written.
        """
        rows: list[list[object]] = []
        for run, s in self.runs("replicates"):
            for difficulty, score in self._test_scores(run, s).items():
                exact, is_refused = self._exact_match(run, s, difficulty), bool(np.isnan(score))
                place, skill = [s.task, s.variant, run.number, difficulty, s.nominal], skill_by(s.references, score)
                rows.append([*place, score, skill, exact, is_refused])
        return typed(rows, DIFFICULTY)

    @cached_property
    def gradient(self) -> pd.DataFrame:
        """The gradient's norm over distance, `GRADIENT`; `relative` is the norm divided by the run's largest one."""
        rows: list[list[object]] = []
        for run, s in self.runs("replicates"):
            for when in ("initial", "trained"):
                curve = run.history.get(f"gradient_{when}", ())
                largest = max((norm for _, norm in curve), default=0.0) or 1.0
                rows += [[s.task, s.variant, run.number, when, d, norm, norm / largest] for d, norm in curve]
        return typed(rows, GRADIENT)

    @cached_property
    def gradient_at_cue(self) -> pd.DataFrame:
        """The gradient's norm at the cue that decides the answer, `GRADIENT_AT_CUE`; of tasks with one answer a sequence.

        `relative` is the norm divided by the largest one of the same run over all distances.
        """
        rows: list[list[object]] = []
        for run, s in self.runs("replicates"):
            for when in ("initial", "trained"):
                norm = run.metrics.get(f"gradient_at_cue_{when}")
                if norm is not None:
                    largest = max((norm for _, norm in run.history.get(f"gradient_{when}", ())), default=0.0) or 1.0
                    rows.append([s.task, s.variant, run.number, when, norm, norm / largest])
        return typed(rows, GRADIENT_AT_CUE)

    @cached_property
    def trials(self) -> pd.DataFrame:
        """One row per run of a trial, `TRIAL` and its other factors; one that diverged has no objective."""
        rows = []
        for run, s in self.runs("trials"):
            factors = [run.factors.get(name, float("nan")) for name in ("lr", "clip", "weight_decay")]
            objective = run.metrics.get("objective", float("nan"))
            rows.append([
                s.task, s.variant, run.number, run.factors["seed"], run.status, run.factors.get("proposed_by", ""),
                objective, *factors, run.number == s.best_trial, run.run_id,
            ])  # fmt: skip
        return with_factors(typed(rows, TRIAL), [run for run, _ in self.runs("trials")], self.study.plan["nuisance"])

    @cached_property
    def costs(self) -> pd.DataFrame:
        """The timed rounds of the cost measurement, `COST`."""
        rows = [
            [*(run.factors[key] for key in ("cell", "view", "row", "hidden")), run.metrics["parameters"], number,
             seconds, run.metrics["flops_per_sequence"], run.run_id]
            for run in self.study.costs
            for number, seconds in run.history["seconds_per_sequence"]
        ]  # fmt: skip
        return typed(rows, COST)

    @cached_property
    def planned(self) -> list[tuple[str, str]]:
        """Task and variant of every planned setting."""
        return [(task, variant) for task, names in self.study.plan["settings"].items() for variant in names]

    @cached_property
    def tasks(self) -> list[str]:
        """The tasks in the study's order."""
        return list(dict.fromkeys(s.task for s in self.study.settings))

    @cached_property
    def variants(self) -> list[str]:
        """The variants in the study's order."""
        return list(dict.fromkeys(setting.variant for setting in self.study.settings))

    def setting(self, task: str, variant: str | None = None) -> SettingRecord | None:
        """The setting of a task and a variant, or the task's first setting; None if there is none."""
        return next((s for s in self.study.settings if s.task == task and variant in (None, s.variant)), None)

    @cached_property
    def compared_to(self) -> dict[str, str]:
        """The variant that each variant is compared to: its parent if that is in the study, else the baseline at its size.

        Left out are variants without such a one, and those that show another variant at its parent's hidden size.
        """
        references = {s.variant: self._reference(s) for s in self.study.settings}
        return {variant: other for variant, other in references.items() if other and other != variant}

    def _reference(self, setting: SettingRecord) -> str | None:
        others, baseline = self.study.settings, self.study.plan["baseline"]
        if setting.parent in self.variants:
            is_view = any(s.variant == setting.base and s.parent == setting.parent for s in others)
            return None if is_view else setting.parent
        equal = (s.variant for s in others if s.size_rule == setting.size_rule and baseline in (s.variant, s.base))
        return next(equal, None)

    def at_hidden_of(self, variant: str, reference: str, task: str) -> str | None:
        """The variant itself or its other size that has the reference's hidden size on a task; None if neither has."""
        other = self.setting(task, reference)
        sizes = (s for s in self.study.settings if s.task == task and variant in (s.variant, s.base))
        return next((s.variant for s in sizes if other and size(self.study, s)[0] == size(self.study, other)[0]), None)

    def paired_differences(self, a: str, b: str, task: str, transferred: bool = False) -> np.ndarray:
        """Skill of variant `a` minus skill of `b` on a task for each seed that both have.

        With `transferred`, the skill of a's transferred runs.
        """
        first, second = self._skills.get((transferred, task, a)), self._skills.get((False, task, b))
        if first is None or second is None:
            return np.empty(0)
        return (first - second).dropna().to_numpy()

    @cached_property
    def _skills(self) -> dict[tuple[bool, str, str], pd.Series]:
        """(whether transferred, task, variant) -> skill by seed."""
        return {
            (transferred, task, variant): rows.set_index("seed")["skill"]
            for transferred, runs in ((False, self.replicates), (True, self.transferred))
            for (task, variant), rows in runs.groupby(["task", "variant"])
        }

    def _test_scores(self, run: RunRecord, setting: SettingRecord) -> dict[int, float]:
        """A replicate's test score by difficulty, NaN if refused. One that diverged was not tested; its score is chance."""
        if run.status != "diverged":
            return by_difficulty(run, "test_score") | dict.fromkeys(self._refusals(run), float("nan"))
        chance = setting.references["chance"]
        refused_by_others = self._refused[setting.identity]
        return {d: float("nan") if d in refused_by_others else chance for d in self._grid[setting.task]}

    def _exact_match(self, run: RunRecord, setting: SettingRecord, difficulty: int) -> float:
        """The exact match of a replicate at a difficulty. One that diverged has no answer right."""
        is_guess = run.status == "diverged" and setting.task in self.written
        return by_difficulty(run, "test_exact_match").get(difficulty, 0.0 if is_guess else float("nan"))

    @cached_property
    def written(self) -> set[str]:
        """The tasks whose answers are written, symbol by symbol."""
        return {s.task for run, s in self.runs("replicates") if by_difficulty(run, "test_exact_match")}

    @cached_property
    def _grid(self) -> dict[str, list[int]]:
        """The difficulties that each task was tested at."""
        grid: dict[str, set[int]] = {task: set() for task in self.tasks}
        for run, s in self.runs("replicates"):
            grid[s.task].update((*by_difficulty(run, "test_score"), *self._refusals(run)))
        return {task: sorted(difficulties) for task, difficulties in grid.items()}

    @cached_property
    def _refused(self) -> dict[str, set[int]]:
        """The difficulties that each setting refuses. They depend on the model alone and are the same for every seed."""
        refused: dict[str, set[int]] = {s.identity: set() for s in self.study.settings}
        for run in self.study.replicates:
            refused[run.setting].update(self._refusals(run))
        return refused

    def _refusals(self, run: RunRecord) -> list[int]:
        """The difficulties that a run has refused, without those far beyond training: they are no part of the grid."""
        far = self.study.plan["budget"].get("far", ())
        return [difficulty for difficulty in by_difficulty(run, "refused") if difficulty not in far]

    def runs(self, kind: str) -> Iterator[tuple[RunRecord, SettingRecord]]:
        """Runs of a kind with their settings, in the order of the study and then of their numbers."""
        places = {setting.identity: place for place, setting in enumerate(self.study.settings)}
        runs = (run for run in getattr(self.study, kind) if run.setting in places)
        for run in sorted(runs, key=lambda run: (places[run.setting], run.number)):
            yield run, self.study.settings[places[run.setting]]


def by_difficulty(run: RunRecord, metric: str) -> dict[int, float]:
    """A curve by difficulty, as difficulty -> value; empty where a run has none."""
    return dict(run.history.get(f"{metric}_by_difficulty", ()))
