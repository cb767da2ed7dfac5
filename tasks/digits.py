"""Sequential digits: name a handwritten digit whose pixels come one by one."""

from functools import cached_property, lru_cache
from hashlib import sha256
from math import log
from typing import ClassVar, Literal

import numpy as np
import torch
from pydantic.dataclasses import dataclass

from tasks.classification import Classification
from tasks.split import OfParts, Split
from tasks.task import STRICT, Batch, Count, TaskSpec

PIXELS = 64
LEVELS = 16
"""A pixel is one of 0 … 16."""
CLASSES = 10
PARTS: dict[Split, slice] = {"training": slice(0, 1150), "validation": slice(1150, 1437), "test": slice(1437, None)}
"""The first images are for training. Those of one writer stand together, so that parts share one writer at most."""

SCAN: dict[str, np.ndarray] = {
    "rows": np.arange(PIXELS),
    "permuted": np.array(sorted(range(PIXELS), key=lambda pixel: sha256(str(pixel).encode()).digest())),
}
"""The orders in which the pixels come; the permuted one is the same everywhere and always."""


class Images:
    """The images of a split: pixels (images, 64) in [0, 1] by rows, and labels (images,).

    The 1797 digits of 8 × 8 pixels that scikit-learn brings along (Alpaydin & Kaynak 1998, the test set of the UCI
    "Optical recognition of handwritten digits").
    """

    def __init__(self, split: Split) -> None:
        from sklearn.datasets import load_digits  # here, for it takes a second

        pixels, labels = load_digits(return_X_y=True)
        self.pixels = pixels[PARTS[split]].astype(np.float32) / LEVELS
        self.labels = labels[PARTS[split]].astype(np.int64)

    @cached_property
    def shares(self) -> np.ndarray:
        """The share of each digit."""
        return np.bincount(self.labels, minlength=CLASSES) / len(self.labels)


@lru_cache
def images(split: Split) -> Images:
    """The images of a split, read once."""
    return Images(split)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Digits(OfParts, Classification):
    """Name a handwritten digit whose 64 pixels come one by one, then `delay` − 1 zeros: a small sequential MNIST.

    The task of Le, Jaitly & Hinton (2015), "A simple way to initialize recurrent networks of rectified linear units",
    section 4.2, on the real 8 × 8 digits that scikit-learn brings along, in place of MNIST. Pixels come by rows or, with
    `scan` "permuted", in one fixed random order, as there. With delay 1 it is that task; with more, the digit must also be
    kept. `split` "training", that of `mixture`, has the first 1150 images, "validation" the next 287, and "test", that of
    `at`, the last 360, mostly by other writers. Unlike those of most tasks, sequences are not fresh: a network can learn
    the 1150 by heart, so that it is chosen by the images of the validation.

    Worked example (an image by rows, one letter for each pixel: `.` 0, `x` 16):

        . . : + + : . .
        . : x x x + . .
        . : x + x + . .
        . . . : x : . .
        . . . . x - . .
        . . . . + + . .
        . . : - x + . .
        . . : + + : . .
        → 3

    Shapes: inputs (n, T, 1), pixels in [0, 1]; targets (n,), the digit. Loss: cross-entropy in nats. Score: accuracy.
    `perfect` is that of the labels. `chance` is the score of the best constant, `bag of pixels` that of the nearest training
    image (Euclidean) of those whose pixels are sorted by brightness, `nearest image` of those whose pixels are where they are.

    >>> {name: round(value, 3) for name, value in Digits().references().items()}
    {'chance': 0.103, 'bag of pixels': 0.217, 'nearest image': 0.947, 'perfect': 1.0}
    """

    delay: Count = 1
    scan: Literal["rows", "permuted"] = "rows"
    split: Split = "test"

    difficulty: ClassVar[str] = "delay"

    @property
    def spec(self) -> TaskSpec:
        return TaskSpec(None, 1, CLASSES, per_step=False, length=PIXELS + self.delay - 1)

    def sample(self, rng: np.random.Generator, n: int) -> Batch:
        lengths = PIXELS + self.draw_difficulties(rng, n) - 1
        chosen = images(self.split)
        index = rng.integers(len(chosen.labels), size=n)
        inputs = np.zeros((n, lengths.max(), 1), dtype=np.float32)
        inputs[:, :PIXELS, 0] = chosen.pixels[index][:, SCAN[self.scan]]
        mask = np.arange(lengths.max()) < lengths[:, None]
        return Batch(torch.from_numpy(inputs), torch.from_numpy(chosen.labels[index]), torch.from_numpy(mask))

    def references(self) -> dict[str, float]:
        return {
            "chance": float(images(self.split).shares.max()),
            "bag of pixels": nearest_score(self.split, is_bag=True),
            "nearest image": nearest_score(self.split, is_bag=False),
            "perfect": 1.0,
        }

    def loss_references(self) -> dict[str, float]:
        """`chance`: every answer is given the share that it has in the split."""
        return {"chance": float(-sum(share * log(share) for share in images(self.split).shares))}

    def read(self, batch: Batch, index: int) -> str:
        pixels = np.empty(PIXELS)
        pixels[SCAN[self.scan]] = batch.inputs[index, :PIXELS, 0].numpy()
        rows = pixels.reshape(8, 8)
        picture = "\n".join(" ".join(".:-+x"[int(4 * pixel)] for pixel in row) for row in rows.tolist())
        return f"{picture}\n→ {int(batch.targets[index])}"


@lru_cache
def nearest_score(split: Split, is_bag: bool) -> float:
    """The share of a split's images that have the label of the nearest other training image.

    is_bag: each image is the sorted list of its pixels, so that nothing is known of where they are.
    """
    training, asked = images("training"), images(split)
    known, unknown = (np.sort(each.pixels, axis=1) if is_bag else each.pixels for each in (training, asked))
    distances = np.square(unknown).sum(1)[:, None] - 2 * unknown @ known.T + np.square(known).sum(1)
    if split == "training":
        np.fill_diagonal(distances, np.inf)
    return float((training.labels[distances.argmin(axis=1)] == asked.labels).mean())
