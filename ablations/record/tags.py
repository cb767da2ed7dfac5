"""What the tags of a run say: where it comes from, what it is, and how and why it ended."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ablations.record.long_tags import LONGEST_TAG, json_tags
from ablations.record.schema import SCHEMA_VERSION, RunRecord, SettingRecord

if TYPE_CHECKING:
    from ablations.study import Plan


def origin_tags(provenance: Mapping[str, Any], seed: int) -> dict[str, str]:
    """The tags of a run that was trained under this provenance. `seed` is the study's, from which all others derive.

    Those of MLflow fill its column "Source".

    >>> origin_tags({"commit": "0123 with changes", "command": "ablate run claims"}, 7)["mlflow.source.git.commit"]
    '0123'
    """
    commit = str(provenance.get("commit", "unknown"))
    tags = {
        "mlflow.source.name": str(provenance.get("study_file", "ablate")),
        "mlflow.source.type": "LOCAL",
        "command": str(provenance.get("command", "")),
        "commit": commit,
        "study_seed": str(seed),
    }
    hash_ = commit.removesuffix(" with changes")
    return tags if hash_ == "unknown" else {**tags, "mlflow.source.git.commit": hash_}


def plan_tags(plan: "Plan") -> dict[str, str]:
    """The tags of a plan's experiment that say which plan it is of; the one by which a record is known is the last."""
    return {**json_tags("plan", plan.data), "plan_identity": plan.identity, "schema_version": SCHEMA_VERSION}


def setting_tags(setting: SettingRecord) -> dict[str, str]:
    """What a setting's run says of it."""
    return {
        "task": setting.task,
        "variant": setting.variant,
        "model": setting.model,
        "causal": str(setting.causal).lower(),
        "size": setting.size_rule,
        "difficulty": f"{setting.difficulty} = {setting.nominal}",
    }


def run_tags(run: RunRecord, parent: SettingRecord | None) -> dict[str, str]:
    """What a run below a parent says of itself; `refused` are the difficulties whose sequences its model refused."""
    tags = {"kind": run.kind, "identity": run.identity, "status": run.status, "number": str(run.number)}
    for mechanism, values in run.mechanisms.items():
        tags |= json_tags(mechanism, values)
    tags |= {"reason": run.reason[:LONGEST_TAG]} if run.reason else {}
    if parent:
        tags |= {"task": parent.task, "variant": parent.variant, "model": parent.model}
        if refused := [difficulty for difficulty, _ in run.history.get("refused_by_difficulty", ())]:
            tags["refused"] = f"{parent.difficulty} {', '.join(f'{each:,}' for each in refused)}"
    return tags


def run_name(run: RunRecord, parent: SettingRecord | None) -> str:
    """The name that MLflow shows for a run below a parent."""
    name = f"{run.kind} {run.number}"
    if parent is None:
        return name
    seed = f" seed {run.factors['seed']}" if run.kind == "trial" else ""
    return f"{parent.task}/{parent.variant} {name}{seed}"
