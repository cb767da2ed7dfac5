"""The parts of a task whose data are a fixed set: for training, to choose networks by, and for the test."""

from typing import Literal, Self
from zlib import crc32

from tasks.task import Task

Split = Literal["training", "validation", "test"]


def split_of(text: str) -> Split:
    """The part of a text, by a hash: of ten, seven to training, one to validation, two to the test.

    >>> split_of("a triumph .")
    'training'
    """
    remainder = crc32(text.encode()) % 10
    return "test" if remainder < 2 else "validation" if remainder == 2 else "training"


class OfParts(Task):
    """A task with a parameter `split`: networks are trained on one part, chosen by another, and tested on the third."""

    split: Split

    def at(self, difficulty: int) -> Self:
        return super().at(difficulty)._with({"split": "test"})

    def mixture(self) -> Self:
        return super().mixture()._with({"split": "training"})

    def validation(self) -> Self:
        return self._with({"split": "validation"})
