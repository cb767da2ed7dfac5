"""Tasks: synthetic ones, whose best possible score is known exactly, and one on real text."""

from tasks.adding import Adding
from tasks.copying import Copying
from tasks.disambiguation import Disambiguation
from tasks.france import France
from tasks.reviews import Reviews
from tasks.sentiment import Sentiment
from tasks.task import IGNORED, Batch, DataError, Task, TaskSpec

TASKS: dict[str, type[Task]] = {
    "copying": Copying,
    "adding": Adding,
    "france": France,
    "disambiguation": Disambiguation,
    "sentiment": Sentiment,
    "reviews": Reviews,
}
"""Every task by name."""

__all__ = ["IGNORED", "TASKS", "Batch", "DataError", "Task", "TaskSpec"]
