"""Disk space: what a plan needs, before it is begun, and whether there is any left, on the way."""

import shutil
from pathlib import Path

from ablations.errors import UserError
from ablations.study import Plan

RUN = 40_000
"""Bytes of a run in the record: a run of the study claims at demo scale has 28,000."""
BASE = 5_000_000
"""Bytes of two empty databases and of a report."""
RESERVE = 20_000_000
"""Bytes that must be free for another job to start: a database is left whole, and a checkpoint can still be written."""
STATES = 4
"""Copies of its parameters that a checkpoint has of a run, with two moments and its buffers."""
MEGA = 1_000_000


def needed_space(plan: Plan, missing_runs: int, settings_at_once: int) -> int:
    """About the bytes that so many runs of a plan take, with the checkpoints of the settings that run side by side."""
    cohort = max(plan.budget.trials_per_round * plan.budget.search_seeds, plan.budget.replicates)
    return BASE + RUN * missing_runs + settings_at_once * cohort * STATES * 4 * plan.budget.parameters


def check_before(folder: Path, needed: int) -> None:
    """Raises `UserError` where a folder has not so many bytes free."""
    free = shutil.disk_usage(folder).free
    if free < needed + RESERVE:
        raise UserError(
            f"the results folder {folder} has {free // MEGA} MB free; what is left of this study needs about "
            f"{(needed + RESERVE) // MEGA} MB. Make room, or name another folder by ABLATIONS_HOME"
        )


def check_on_the_way(folder: Path) -> None:
    """Raises `UserError` where a folder has next to nothing free: to stop is better than to fail in mid-write."""
    if (free := shutil.disk_usage(folder).free) < RESERVE:
        raise UserError(
            f"the disk is almost full: {free // MEGA} MB are free in {folder}. What is finished is kept: make room, and "
            "give the same command again"
        )
