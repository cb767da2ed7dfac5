"""Synthetic tasks whose best possible score is known exactly."""

from tasks.adding import Adding
from tasks.copying import Copying
from tasks.disambiguation import Disambiguation
from tasks.france import France
from tasks.task import IGNORED, Batch, Task, TaskSpec

TASKS: dict[str, type[Task]] = {
    "copying": Copying,
    "adding": Adding,
    "france": France,
    "disambiguation": Disambiguation,
}
"""Every task by name."""

__all__ = ["IGNORED", "TASKS", "Batch", "Task", "TaskSpec"]
