"""Tasks: synthetic ones, whose best possible score is known exactly, and one on real text."""

from tasks.adding import Adding
from tasks.copying import Copying
from tasks.dates import Dates
from tasks.digits import Digits
from tasks.disambiguation import Disambiguation
from tasks.france import France
from tasks.induction import Induction
from tasks.multiplication import Multiplication
from tasks.numbers import Numbers
from tasks.recall import Recall
from tasks.recognition import AnBn, Dyck
from tasks.reviews import Reviews
from tasks.selective_copying import SelectiveCopying
from tasks.sentiment import Sentiment
from tasks.task import IGNORED, Batch, DataError, Task, TaskSpec
from tasks.temporal_order import TemporalOrder
from tasks.translation import Translation
from tasks.word_problem import A5, S3, Modulo, Parity

TASKS: dict[str, type[Task]] = {
    "copying": Copying,
    "selective-copying": SelectiveCopying,
    "adding": Adding,
    "multiplication": Multiplication,
    "temporal-order": TemporalOrder,
    "parity": Parity,
    "modulo": Modulo,
    "s3": S3,
    "a5": A5,
    "anbn": AnBn,
    "dyck": Dyck,
    "recall": Recall,
    "induction": Induction,
    "digits": Digits,
    "france": France,
    "disambiguation": Disambiguation,
    "sentiment": Sentiment,
    "dates": Dates,
    "numbers": Numbers,
    "reviews": Reviews,
}
"""Every task by name."""

__all__ = ["IGNORED", "TASKS", "Batch", "DataError", "Task", "TaskSpec", "Translation"]
