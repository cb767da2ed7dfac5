"""Multi-query associative recall: what was said of each key?"""

from math import log
from typing import Annotated, ClassVar

import numpy as np
import torch
from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass
from torch import Tensor

from tasks.task import (
    IGNORED,
    STRICT,
    Batch,
    Count,
    DifficultySampling,
    Task,
    TaskSpec,
    answered_loss,
    hits,
    steps_mean,
)
from tasks.words import ABSENT, close_up, random_ranks

FILLERS = 8
"""The number of filler tokens. They are neither keys nor values: no answer can be read off them."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Recall(Task):
    """Multi-query associative recall (MQAR) of Arora et al. (2023), "Zoology", figure 2: what was the value of each key?

    Rule: first `pairs` keys, each followed by its value; then each key once more, in random order and at random places
    among `fillers` · `pairs` filler tokens. At these queries the answer is the key's value. The keys of a sequence are
    different, and so are its values; there are `alphabet` of either. Other than in the paper, no filler is a key or a
    value, and all places of the queries are equally probable (there the nearer ones are more so). There an alphabet has 4096
    tokens, and 4 pairs lie in 64 steps, as with 13 fillers here, up to 64 pairs in 512 steps.

    Worked example (2 pairs, 1 filler; k keys, v values, f fillers):

        input     k2  v0 k11 v10  f7 k11  k2  f3
        target     .   .   .   .   . v10  v0   .

    Shapes: inputs (n, T) tokens (keys, values, fillers); targets (n, T), the value at each query, else `IGNORED`.
    Loss: cross-entropy in nats. Score: accuracy, both over the queries alone. `shown values` is the score of a reader who
    knows the values of the sequence, but not which is whose. There are no more pairs than keys: `grid` ends there.

    >>> Recall(pairs=8, alphabet=32).references()
    {'chance': 0.03125, 'shown values': 0.125, 'perfect': 1.0}
    """

    pairs: Count = 8
    shortest: int | None = None
    difficulty_sampling: DifficultySampling = "uniform"
    alphabet: Annotated[int, Field(ge=2)] = 32
    fillers: Annotated[int, Field(ge=0)] = 3

    difficulty: ClassVar[str] = "pairs"

    @model_validator(mode="after")
    def _check(self) -> "Recall":
        self.check_shortest()
        if self.pairs > self.alphabet:
            raise ValueError(f"pairs must be at most alphabet ({self.alphabet}), for all keys are different")
        return self

    @property
    def spec(self) -> TaskSpec:
        longest = (3 + self.fillers) * self.pairs
        return TaskSpec(2 * self.alphabet + FILLERS, 0, self.alphabet, per_step=True, length=longest)

    def grid(self) -> tuple[int, ...]:
        return tuple(sorted({min(difficulty, self.alphabet) for difficulty in super().grid()}))

    def sample(self, rng: np.random.Generator, n: int) -> Batch:
        pairs = self.draw_difficulties(rng, n)[:, None]
        keys, values = (rng.permuted(np.tile(np.arange(self.alphabet), (n, 1)), axis=1) for _ in range(2))
        shown = np.stack([keys, self.alphabet + values], axis=-1).reshape(n, -1)[:, : 2 * pairs.max()]
        shown = np.where(np.arange(shown.shape[1]) < 2 * pairs, shown, ABSENT)
        places = (1 + self.fillers) * pairs
        rank = random_ranks(rng, places[:, 0])  # the pair that is asked for at each place, a filler if there is none
        step = np.arange(rank.shape[1])
        rest = rng.integers(2 * self.alphabet, 2 * self.alphabet + FILLERS, size=rank.shape)
        row, place = np.nonzero(rank < pairs)
        asked = rank[row, place]
        rest[row, place] = keys[row, asked]
        inputs, mask = close_up(np.concatenate([shown, np.where(step < places, rest, ABSENT)], axis=1))
        targets = np.full(inputs.shape, IGNORED)
        targets[row, 2 * pairs[row, 0] + place] = values[row, asked]
        return Batch(torch.from_numpy(inputs), torch.from_numpy(targets), torch.from_numpy(mask))

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        return answered_loss(outputs, batch.targets)

    def score(self, outputs: Tensor, batch: Batch) -> Tensor:
        return steps_mean(hits(outputs, batch.targets), batch.targets != IGNORED)

    def references(self) -> dict[str, float]:
        """Any of the values that are shown is equally probable for each key, and any of the others is wrong."""
        shown = self.mean_over_difficulties(lambda pairs: 1 / pairs)
        return {"chance": 1 / self.alphabet, "shown values": shown, "perfect": 1.0}

    def loss_references(self) -> dict[str, float]:
        return {"chance": log(self.alphabet), "shown values": self.mean_over_difficulties(log)}

    def read(self, batch: Batch, index: int) -> str:
        names = [
            f"{kind}{k}"
            for kind, size in zip("kvf", (self.alphabet, self.alphabet, FILLERS), strict=True)
            for k in range(size)
        ]
        mask = batch.mask[index]
        tokens = [names[token] for token in batch.inputs[index][mask].tolist()]
        answers = ["." if k == IGNORED else f"v{k}" for k in batch.targets[index][mask].tolist()]
        rows = {"input": tokens, "target": answers}
        return "\n".join(f"{label:8} " + " ".join(f"{word:>3}" for word in row) for label, row in rows.items())
