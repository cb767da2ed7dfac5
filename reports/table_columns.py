"""The columns of the tables that a record is read as, with their types."""

from collections.abc import Mapping, Sequence

import pandas as pd

from ablations.record.schema import RunRecord, SettingRecord
from reports.skill import skill_by

Columns = Mapping[str, type]
"""The columns of a table with their types."""

SETTING: Columns = {
    "task": str, "variant": str, "model": str, "causal": bool, "size": str, "hidden": int, "parameters": int,
    "nominal": int, "replicates": int,
}  # fmt: skip
REPLICATE: Columns = {
    "task": str, "variant": str, "seed": int, "status": str, "score": float, "skill": float, "loss": float,
    "sequences_to_criterion": float, "seconds_per_sequence": float, "flops_per_sequence": float, "run_id": str,
}  # fmt: skip
CURVE: Columns = {"task": str, "variant": str, "seed": int, "sequences": int, "score": float, "skill": float}
DIFFICULTY: Columns = {
    "task": str, "variant": str, "seed": int, "difficulty": int, "nominal": int, "score": float, "skill": float,
    "exact_match": float, "refused": bool,
}  # fmt: skip
GRADIENT: Columns = {
    "task": str, "variant": str, "seed": int, "when": str, "distance": int, "norm": float, "relative": float,
}  # fmt: skip
GRADIENT_AT_CUE: Columns = {"task": str, "variant": str, "seed": int, "when": str, "norm": float, "relative": float}
ATTENTION: Columns = {
    "task": str, "variant": str, "seed": int, "aligned": float, "chance": float, "permuted": float,
}  # fmt: skip
TRIAL: Columns = {
    "task": str, "variant": str, "trial": int, "seed": int, "status": str, "proposed_by": str, "objective": float,
    "lr": float, "clip": float, "weight_decay": float, "is_best": bool, "run_id": str,
}  # fmt: skip
COST: Columns = {
    "cell": str, "view": str, "row": float, "hidden": float, "parameters": float, "round": int,
    "seconds_per_sequence": float, "flops_per_sequence": float, "run_id": str,
}  # fmt: skip

SIGNIFICANT = frozenset({
    "lr", "clip", "weight_decay", "best", "window_low", "window_high", "lowest_tried", "highest_tried",
})  # fmt: skip
"""Columns whose values differ by orders of magnitude: printed with three significant digits, not with fixed decimals."""

LOWER_IS_BETTER = frozenset({
    "rank", "loss", "p", "p_holm", "seconds_per_sequence", "microseconds_per_sequence", "µs per sequence",
    "flops_per_sequence", "kflop", "sequences_to_criterion", "sequences", "seeds needed",
})  # fmt: skip
"""Columns of numbers whose best is the lowest: sorted for the first time, they begin with that."""


def typed(rows: Sequence[Sequence[object]], columns: Columns) -> pd.DataFrame:
    """The rows as a data frame with these columns, also where there are none."""
    return pd.DataFrame(rows, columns=list(columns)).astype(dict(columns))


def replicate_row(run: RunRecord, setting: SettingRecord) -> list[object]:
    """A replicate as a row of `REPLICATE`."""
    metrics, missing = run.metrics, float("nan")
    score = setting.references["chance"] if run.status == "diverged" else metrics["test_score"]
    return [
        setting.task,
        setting.variant,
        run.number,
        run.status,
        score,
        skill_by(setting.references, score),
        metrics.get("test_loss", missing),
        metrics.get("sequences_to_criterion", missing),
        metrics["seconds"] / metrics["sequences"],
        metrics.get("flops_per_sequence", missing),
        run.run_id,
    ]
