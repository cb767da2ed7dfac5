"""The temporal order problem: in which order did the marks come?"""

from math import comb, log
from typing import Annotated, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from pydantic.dataclasses import dataclass

from tasks.classification import Classification
from tasks.task import STRICT, Batch, TaskSpec
from tasks.words import Vocabulary

WORDS = Vocabulary(("E", "B", "a", "b", "c", "d", "X", "Y"))
START, END, FILLER, MARK = 0, 1, 2, 6
"""The tokens of the first and the last symbol, of the first of the four fillers, and of the first of the two marks."""

WINDOWS = {2: np.array([10, 50]), 3: np.array([10, 33, 66])}
"""Where each mark may stand at the earliest, in per cent of the length; at the latest, ten per cent after that."""

CLASSES = {2: "QRSU", 3: "QRSUVABC"}
"""The paper's names of the classes: XX, XY, YX, YY, and XXX, XXY, XYX, …"""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TemporalOrder(Classification):
    """The temporal order problem of Hochreiter & Schmidhuber (1997), section 5.6, with two marks (6a) or three (6b).

    Rule: a sequence starts with E, ends with B, and consists of random fillers a, b, c, d in between, except for two or
    three marks, each X or Y. The answer, once for each sequence, is which marks came in which order. The number of steps
    is uniform in [length, 1.1 length]. The first mark is 10 to 20 per cent of the length after E, the second 50 to 60;
    of three, 10 to 20, 33 to 43 and 66 to 76. With length 100 these are the paper's own numbers.

    Worked example (length 12, two marks; X Y is the class R):

        E X c d b b d Y b a b d B → R

    Shapes: inputs (n, T) tokens; targets (n,), the class: the marks as binary digits, X 0 and Y 1.
    Loss: cross-entropy in nats. Score: accuracy. `last mark` is the score of a reader who knows only the last mark, `bag
    of words` that of one who knows how many there were of each symbol, but not in which order.

    >>> TemporalOrder().references()
    {'chance': 0.25, 'last mark': 0.5, 'bag of words': 0.75, 'perfect': 1.0}
    """

    length: Annotated[int, Field(ge=10)] = 100  # ten steps have room for all windows
    marks: Literal[2, 3] = 2

    difficulty: ClassVar[str] = "length"
    min_difficulty: ClassVar[int] = 10

    @property
    def spec(self) -> TaskSpec:
        return TaskSpec(len(WORDS), 0, 2**self.marks, per_step=False, length=self.length * 11 // 10)

    def sample(self, rng: np.random.Generator, n: int) -> Batch:
        nominal = self.draw_difficulties(rng, n)[:, None]
        lengths = rng.integers(nominal, nominal * 11 // 10, endpoint=True)
        windows = WINDOWS[self.marks]
        positions = rng.integers(nominal * windows // 100, nominal * (windows + 10) // 100, endpoint=True)
        marks = rng.integers(2, size=(n, self.marks))
        step = np.arange(lengths.max())
        inputs = rng.integers(FILLER, MARK, size=(n, len(step)))
        np.put_along_axis(inputs, positions, MARK + marks, axis=1)
        inputs[:, 0] = START
        inputs = np.where(step == lengths - 1, END, inputs)
        mask = step < lengths
        targets = marks @ 2 ** np.arange(self.marks)[::-1]
        return Batch(torch.from_numpy(np.where(mask, inputs, 0)), torch.from_numpy(targets), torch.from_numpy(mask))

    def references(self) -> dict[str, float]:
        """All classes are equally probable; the number of Y, one of `marks` + 1, is all that a bag of words tells of them."""
        classes = 2**self.marks
        return {
            "chance": 1 / classes,
            "last mark": 2 / classes,
            "bag of words": (self.marks + 1) / classes,
            "perfect": 1.0,
        }

    def loss_references(self) -> dict[str, float]:
        orders = [comb(self.marks, number) for number in range(self.marks + 1)]  # with that number of Y
        unordered = sum(count * log(count) for count in orders) / 2**self.marks
        return {"chance": self.marks * log(2), "bag of words": unordered}

    def read(self, batch: Batch, index: int) -> str:
        text = WORDS.text(batch.inputs[index][batch.mask[index]].tolist())
        return f"{text} → {CLASSES[self.marks][int(batch.targets[index])]}"
