"""A task of your own: the sum of some digits, modulo a number.

Train three cells on it, and write the report:

    ablate run examples/own_task.py
    ablate report examples/own_task.py
"""

from dataclasses import dataclass
from math import log
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from ablations.study import Budget, Range, Scale, Study, Variant
from tasks import Batch, Task, TaskSpec


@dataclass(frozen=True, kw_only=True)
class ModularSum(Task):
    """The sum of some digits, modulo `base`. Whoever misses one digit knows nothing about it.

    Worked example (length 6, base 3):

        digits    2 0 1 1 2 0
        target    (2 + 0 + 1 + 1 + 2 + 0) mod 3 = 0

    Shapes: inputs (n, T) tokens; targets (n,). Loss: cross-entropy. Score: the share of right answers.
    """

    length: int = 10
    base: int = 2
    # Every task has these two parameters: with them `mixture()` draws easier sequences too, for training.
    shortest: int | None = None
    difficulty_sampling: Literal["uniform", "logarithmic"] = "uniform"

    difficulty: ClassVar[str] = "length"  # the parameter that makes the task harder
    min_difficulty: ClassVar[int] = 1  # the easiest form, from which training begins; 1 is the default

    def __post_init__(self) -> None:
        if self.length < 1 or self.base < 2:
            raise ValueError(f"needs length >= 1 and base >= 2, got {self.length} and {self.base}")
        self.check_shortest()

    @property
    def spec(self) -> TaskSpec:
        """What a model connects to: tokens in, one of `base` classes out, once for each sequence."""
        return TaskSpec(vocabulary=self.base, features=0, outputs=self.base, per_step=False, length=self.length)

    def sample(self, rng: np.random.Generator, n: int) -> Batch:
        lengths = self.draw_difficulties(rng, n)
        mask = np.arange(lengths.max()) < lengths[:, None]  # (n, T), true where a sequence has a digit
        digits = np.where(mask, rng.integers(self.base, size=mask.shape), 0)  # padding is zero
        targets = digits.sum(1) % self.base
        return Batch(torch.from_numpy(digits), torch.from_numpy(targets), torch.from_numpy(mask))

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        return cross_entropy(outputs, batch.targets)

    def score(self, outputs: Tensor, batch: Batch) -> Tensor:
        return (outputs.argmax(-1) == batch.targets).to(outputs.dtype).mean()

    def references(self) -> dict[str, float]:
        """Exact scores. The sum is uniform whatever all digits but one are, so without that one all answers are equal."""
        return {"chance": 1 / self.base, "perfect": 1.0}

    def loss_references(self) -> dict[str, float]:
        """The exact loss, in nats, of a reader who misses a digit."""
        return {"chance": log(self.base)}

    def read(self, batch: Batch, index: int) -> str:
        """One sequence and its answer as text, for people."""
        digits = batch.inputs[index][batch.mask[index]].tolist()
        sum_ = f"({' + '.join(map(str, digits))}) mod {self.base}"
        return f"digits    {' '.join(map(str, digits))}\ntarget    {sum_} = {batch.targets[index].item()}"


STUDY = Study(
    name="own_task",
    question="Which cell learns to add modulo a number?",
    variants=(
        Variant("rnn", "recurrent", {"cell": "rnn"}),
        Variant("gru", "recurrent", {"cell": "gru"}),
        Variant("lstm", "recurrent", {"cell": "lstm"}),
    ),
    baseline="lstm",
    nuisance={"lr": Range(1e-3, 1e-1)},
    scales={
        "smoke": Scale(  # some seconds, to see that it runs; its numbers mean nothing
            tasks={"parity": ModularSum(length=4)},
            budget=Budget(
                trials=2,
                trials_per_round=1,
                search_seeds=1,
                replicates=2,
                steps=20,
                segments=2,
                batch=8,
                parameters=300,
                validation=32,
                test=64,
            ),
        ),
        "demo": Scale(  # about a minute on two cores; one task twice, each under a label of its own
            tasks={"parity": ModularSum(length=30), "mod-5": ModularSum(length=30, base=5)},
            budget=Budget(
                trials=6,
                trials_per_round=3,
                search_seeds=2,
                replicates=6,
                steps=600,
                segments=6,
                batch=32,
                parameters=3000,
            ),
        ),
    },
)
