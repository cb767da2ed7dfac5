"""The record as small tidy tables: one row per replicate, point of a curve, trial, or timed round."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from ablations.lab.tracking import RunRecord, SettingRecord, StudyRecord
from reports.statistics import skill

REPLICATE = ["task", "variant", "seed", "status", "score", "skill", "loss", "sequences_to_criterion",
             "seconds_per_sequence", "flops_per_sequence", "run_id"]  # fmt: skip
CURVE = ["task", "variant", "seed", "sequences", "score", "skill"]
DIFFICULTY = ["task", "variant", "seed", "difficulty", "nominal", "score", "skill", "refused"]
GRADIENT = ["task", "variant", "seed", "when", "distance", "norm", "relative"]
TRIAL = ["task", "variant", "trial", "status", "objective", "lr", "clip", "weight_decay", "is_best", "run_id"]
COST = ["cell", "view", "row", "hidden", "parameters", "round", "seconds_per_sequence", "flops_per_sequence", "run_id"]


@dataclass(frozen=True)
class Evidence:
    """The tables of one study; each has named, typed columns and is empty where the record has nothing.

    A replicate that diverged counts as guessing: its score is the task's chance, its skill 0.
    """

    study: StudyRecord

    @cached_property
    def settings(self) -> pd.DataFrame:
        """One row per setting, with size, parameter count, and how many replicates there are."""
        counts = {setting.identity: 0 for setting in self.study.settings}
        for run in self.study.replicates:
            counts[run.setting] += 1
        columns = ["task", "variant", "model", "causal", "hidden", "parameters", "nominal"]
        rows = [[*(getattr(s, column) for column in columns), counts[s.identity]] for s in self.study.settings]
        return pd.DataFrame(rows, columns=[*columns, "replicates"])

    @cached_property
    def replicates(self) -> pd.DataFrame:
        """One row per replicate, `REPLICATE`; skill is (score − chance) / (perfect − chance)."""
        return pd.DataFrame([_replicate(run, s) for run, s in self._with_settings("replicates")], columns=REPLICATE)

    @cached_property
    def curves(self) -> pd.DataFrame:
        """The validation score of each replicate over the sequences seen, `CURVE`.

        A run that stopped early keeps its last score to the end of the study's budget.
        """
        steps = self.study.plan["budget"]
        length = steps["steps"] * steps["batch"] // steps["segments"]
        grid = [length * (k + 1) for k in range(steps["segments"])]
        rows: list[list[object]] = []
        for run, s in self._with_settings("replicates"):
            known = dict(run.history.get("score", ()))
            score = float("nan")
            for sequences in grid if known else ():
                score = known.get(sequences, score)
                rows.append([s.task, s.variant, run.number, sequences, score, _skill(score, s)])
        return pd.DataFrame(rows, columns=CURVE)

    @cached_property
    def difficulty(self) -> pd.DataFrame:
        """The test score of each replicate at each difficulty, `DIFFICULTY`; refused ones have no score."""
        rows: list[list[object]] = []
        for run, s in self._with_settings("replicates"):
            for difficulty, score in run.history.get("test_score", ()):
                rows.append([s.task, s.variant, run.number, difficulty, s.nominal, score, _skill(score, s), False])
            for difficulty, _ in run.history.get("refused", ()):
                nothing = float("nan")
                rows.append([s.task, s.variant, run.number, difficulty, s.nominal, nothing, nothing, True])
        return pd.DataFrame(rows, columns=DIFFICULTY)

    @cached_property
    def gradient(self) -> pd.DataFrame:
        """The gradient's norm over distance, `GRADIENT`; `relative` is to the largest, which distance 0 may not have."""
        rows: list[list[object]] = []
        for run, s in self._with_settings("replicates"):
            for when in ("initial", "trained"):
                curve = run.history.get(f"gradient_{when}", ())
                largest = max((norm for _, norm in curve), default=0.0) or 1.0
                rows += [[s.task, s.variant, run.number, when, d, norm, norm / largest] for d, norm in curve]
        return pd.DataFrame(rows, columns=GRADIENT)

    @cached_property
    def trials(self) -> pd.DataFrame:
        """One row per trial, `TRIAL`; the objective is missing where it diverged."""
        rows = []
        for run, s in self._with_settings("trials"):
            factors = [run.factors.get(name, float("nan")) for name in ("lr", "clip", "weight_decay")]
            objective = run.metrics.get("objective", float("nan"))
            rows.append(
                [s.task, s.variant, run.number, run.status, objective, *factors, run.number == s.best_trial, run.run_id]
            )
        return pd.DataFrame(rows, columns=TRIAL)

    @cached_property
    def costs(self) -> pd.DataFrame:
        """The timed rounds of the cost measurement, `COST`."""
        rows = [
            [*(run.factors[key] for key in ("cell", "view", "row", "hidden")), run.metrics["parameters"], number,
             seconds, run.metrics["flops_per_sequence"], run.run_id]
            for run in self.study.costs
            for number, seconds in run.history["seconds_per_sequence"]
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=COST)

    @cached_property
    def tasks(self) -> list[str]:
        """The tasks in the study's order."""
        return list(dict.fromkeys(setting.task for setting in self.study.settings))

    @cached_property
    def variants(self) -> list[str]:
        """The variants in the study's order."""
        return list(dict.fromkeys(setting.variant for setting in self.study.settings))

    def setting(self, task: str, variant: str | None = None) -> SettingRecord | None:
        """The setting of a task and a variant, or any of that task; None where there is none."""
        found = (s for s in self.study.settings if s.task == task and variant in (None, s.variant))
        return next(found, None)

    def paired(self, a: str, b: str, task: str) -> np.ndarray:
        """Skill of variant `a` minus that of `b` on a task, seed by seed, over the seeds that both have."""
        table = self.replicates[self.replicates["task"] == task].pivot(index="seed", columns="variant", values="skill")
        if not {a, b} <= set(table.columns):
            return np.empty(0)
        return (table[a] - table[b]).dropna().to_numpy()

    def _with_settings(self, kind: str) -> Iterator[tuple[RunRecord, SettingRecord]]:
        by_identity = {setting.identity: setting for setting in self.study.settings}
        for run in getattr(self.study, kind):
            yield run, by_identity[run.setting]


def _replicate(run: RunRecord, setting: SettingRecord) -> list[object]:
    metrics, nothing = run.metrics, float("nan")
    score = setting.references["chance"] if run.status == "diverged" else metrics["final_score"]
    return [
        setting.task,
        setting.variant,
        run.number,
        run.status,
        score,
        _skill(score, setting),
        metrics.get("final_loss", nothing),
        metrics.get("sequences_to_criterion", nothing),
        metrics["seconds"] / metrics["sequences"],
        metrics.get("flops_per_sequence", nothing),
        run.run_id,
    ]


def _skill(score: float, setting: SettingRecord) -> float:
    return float(skill(score, setting.references["chance"], setting.references["perfect"]))
