"""Records of earlier schema versions, read as if they were of this one. Nothing is written.

Version 1 had no tag `schema_version`, and other names: `criterion`, `group`, the kind "frozen", the parameter `path`, and a
status "solved", which runs of version 2 had at first. Runs are recognised by these, since an experiment of version 1 that is
carried on keeps its old runs.
Early records of version 2 had every variant on every task, and no size but the budget's.
Up to version 2, metrics had other names. `score` was a validation curve, `test_score` a curve by difficulty, and `final_score`
was of the test of a replicate and of the validation of a trial. A run with `score` or `final_score` is such a one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from ablations.credentials import hidden
from ablations.record.schema import SCHEMA_VERSION, RecordError, SettingRecord
from ablations.record.source import Experiment, Run, Source
from ablations.train.metrics import Curve

Value = TypeVar("Value")

READABLE = ("1", "2", SCHEMA_VERSION)
PLAN = (
    "name", "scale", "question", "baseline", "tasks", "variants", "settings", "parents", "runs", "nuisance", "fixed", "budget",
    "solved_at", "seed",
)  # fmt: skip
"""What a plan's data has, in every version once it is migrated."""


RENAMED = {
    "score": "validation_score",
    "loss": "validation_loss",
    "mixed_score": "validation_mixture_score",
    "test_score": "test_score_by_difficulty",
    "test_loss": "test_loss_by_difficulty",
    "test_exact_match": "test_exact_match_by_difficulty",
    "far_score": "far_test_score_by_difficulty",
    "refused": "refused_by_difficulty",
    "best_score": "best_validation_score",
    "final_score": "final_validation_score",
    "final_loss": "final_validation_loss",
}
"""A metric's name up to version 2 -> its name now; the last two are so of a trial."""
STORED = {new: old for old, new in RENAMED.items()}


def schema_version(name: str, tags: Mapping[str, str]) -> str:
    """The schema version of an experiment, given its name and tags. Raises `RecordError` where it is unknown here."""
    version = tags.get("schema_version", "1")
    if version not in READABLE:
        raise RecordError(
            f"the record {name} has schema version {version!r}; this version of ablate reads {', '.join(READABLE)}"
        )
    return version


def migrated_plan(plan: Mapping[str, Any], version: str) -> dict[str, Any]:
    """A plan's data with the names of this version. Raises KeyError where something is missing."""
    if version == "1":
        plan = _migrated_from_1(plan)
    plan = {"settings": {task: list(plan["variants"]) for task in plan["tasks"]}, **plan}
    missing = [key for key in PLAN if key not in plan]
    if missing:
        raise KeyError(*missing)
    return dict(plan)


def _migrated_from_1(plan: Mapping[str, Any]) -> dict[str, Any]:
    budget = _renamed(plan["budget"], {"group": "trials_per_round"})
    plan = {"parents": {}, **_renamed(plan, {"criterion": "solved_at"}), "budget": budget}
    searched, again = budget["trials"] * budget["search_seeds"], budget["replicates"]
    runs = {name: searched + again * (1 + (name in plan["parents"])) for name in plan["variants"]}
    return {"runs": runs, **plan}


def migrated_provenance(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """Provenance with the names of this version. Commands once had the passwords of their URIs."""
    provenance = _renamed(provenance, {"budget_changes": "changes"})
    return {**provenance, "command": hidden(provenance["command"])} if "command" in provenance else provenance


def migrated_setting(setting: SettingRecord, plan: Mapping[str, Any]) -> SettingRecord:
    """A setting with its size rule: that of the plan's budget where none was recorded."""
    return setting if setting.size_rule else replace(setting, size_rule=f"{plan['budget']['parameters']:,} parameters")


def migrated_kind(kind: str) -> str:
    """A run's kind by its name of this version."""
    return "transferred" if kind == "frozen" else kind


def migrated_status(status: str) -> str:
    """A run's status by its name of this version. A run that was "solved" had stopped at the validation score `solved_at`."""
    return "finished" if status == "solved" else status


def migrated_factors(factors: Mapping[str, float | str]) -> dict[str, float | str]:
    """A run's factors with the names of this version."""
    backend = {"kernel": "kernel", "reference": "eager"}.get(str(factors.get("path")))
    if backend is None or "backend" in factors:
        return dict(factors)
    return {**{key: value for key, value in factors.items() if key != "path"}, "backend": backend}


class MigratedSource:
    """A `Source` whose runs have the metrics of this version, whatever version wrote them."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._old: set[str] = set()  # the ids of runs with the names of version 2

    def experiments(self) -> list[Experiment]:
        return self.source.experiments()

    def experiment(self, name: str) -> Experiment | None:
        return self.source.experiment(name)

    def runs(self, experiment_id: str) -> list[Run]:
        runs = self.source.runs(experiment_id)
        self._old |= {run.run_id for run in runs if not run.metrics.keys().isdisjoint(("score", "final_score"))}
        return [replace(run, metrics=_metrics(run)) if run.run_id in self._old else run for run in runs]

    def curves(self, experiment_id: str, wanted: Mapping[str, Sequence[str]]) -> Mapping[str, Mapping[str, Curve]]:
        stored = {
            run_id: [STORED.get(name, name) for name in names] if run_id in self._old else names
            for run_id, names in wanted.items()
        }
        curves = self.source.curves(experiment_id, stored)
        return {
            run_id: dict(zip(wanted[run_id], (curves[run_id][name] for name in names), strict=True))
            for run_id, names in stored.items()
        }


def _metrics(run: Run) -> dict[str, float]:
    """The latest values of a run of version 2, by their names of this one."""
    is_tested = run.tags.get("kind") != "trial"
    values = {"final_score": "test_score", "final_loss": "test_loss"} if is_tested else {}
    metrics = _renamed(run.metrics, RENAMED | values)
    if is_tested and "test_score" in metrics:
        last = {f"final_{name}": metrics.get(name) for name in ("validation_score", "validation_loss")}
        metrics |= {name: value for name, value in last.items() if value is not None}
    return metrics


def _renamed(data: Mapping[str, Value], names: Mapping[str, str]) -> dict[str, Value]:
    return {names.get(key, key): value for key, value in data.items()}
