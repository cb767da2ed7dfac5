"""A second task of your own, answered at every step: say again what was said some steps ago.

ablate show examples/own_echo.py
ablate run examples/own_echo.py
ablate report examples/own_echo.py
"""

from dataclasses import dataclass
from math import log
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from ablations.study import VARIANTS, Budget, Range, Scale, Study
from tasks import IGNORED, TASKS, Batch, Task, TaskSpec
from tasks.task import answered_loss, hits, steps_mean


@dataclass(frozen=True, kw_only=True)
class Echo(Task):
    """At every step, the symbol that stood `lag` steps before. Symbols are independent and equally likely.

    Worked example (lag 2):

        symbols   3 1 0 0 2 1 3
        target    . . 3 1 0 0 2

    Shapes: inputs (n, T) tokens; targets (n, T), `IGNORED` on the first steps. Each sequence has its own lag; how long it
    is, is told before it: the first tokens, of a kind of their own, are as many as the lag.
    Loss: cross-entropy over the answered steps. Score: the share of right answers, the mean over sequences.
    """

    lag: int = 5
    symbols: int = 4
    answers: int = 8
    shortest: int | None = None
    difficulty_sampling: Literal["uniform", "logarithmic"] = "uniform"

    difficulty: ClassVar[str] = "lag"

    def __post_init__(self) -> None:
        if self.lag < 1 or self.symbols < 2 or self.answers < 1:
            raise ValueError(f"needs lag >= 1, symbols >= 2 and answers >= 1, got {self}")
        self.check_shortest()

    @property
    def spec(self) -> TaskSpec:
        """Tokens: the symbols, and the sign that counts the lag. One class for each symbol, at every step."""
        length = 2 * self.lag + self.answers
        return TaskSpec(vocabulary=self.symbols + 1, features=0, outputs=self.symbols, per_step=True, length=length)

    def sample(self, rng: np.random.Generator, n: int) -> Batch:
        lags = self.draw_difficulties(rng, n)[:, None]  # (n, 1)
        steps = np.arange(2 * int(lags.max()) + self.answers)  # first the signs, then lag + answers symbols
        mask = steps < 2 * lags + self.answers
        symbols = rng.integers(self.symbols, size=mask.shape)
        tokens = np.where(mask, np.where(steps < lags, self.symbols, symbols), 0)  # padding is zero
        source = np.take_along_axis(symbols, np.maximum(steps - lags, 0), axis=1)
        targets = np.where(mask & (steps >= 2 * lags), source, IGNORED)
        return Batch(torch.from_numpy(tokens), torch.from_numpy(targets), torch.from_numpy(mask))

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        return answered_loss(outputs, batch.targets)

    def score(self, outputs: Tensor, batch: Batch) -> Tensor:
        return steps_mean(hits(outputs, batch.targets), batch.targets != IGNORED)

    def references(self) -> dict[str, float]:
        """Exact scores. What stood `lag` steps before is independent of all that came after it."""
        return {"chance": 1 / self.symbols, "perfect": 1.0}

    def loss_references(self) -> dict[str, float]:
        """The exact loss, in nats, of a reader who remembers nothing that far back."""
        return {"chance": log(self.symbols)}

    def read(self, batch: Batch, index: int) -> str:
        """One sequence and its answers as text; ">" counts the lag."""
        row, mask = batch.inputs[index], batch.mask[index]
        tokens = [">" if token == self.symbols else str(token) for token in row[mask].tolist()]
        targets = ["." if target == IGNORED else str(target) for target in batch.targets[index][mask].tolist()]
        return f"symbols   {' '.join(tokens)}\ntarget    {' '.join(targets)}"


TASKS["echo"] = Echo

SMOKE = Budget(  # some seconds, to see that it runs; its numbers mean nothing
    trials=2,
    trials_per_round=1,
    search_seeds=1,
    replicates=2,
    steps=20,
    segments=2,
    batch=8,
    parameters=1500,
    validation=32,
    test=64,
)
DEMO = Budget(  # about a minute on two cores
    trials=6,
    trials_per_round=3,
    search_seeds=2,
    replicates=6,
    steps=900,
    segments=9,
    batch=32,
    parameters=3000,
)

STUDY = Study(
    name="own_echo",
    question="Which cell can say again what it heard some steps ago?",
    variants=(VARIANTS["rnn"], VARIANTS["gru"], VARIANTS["lstm"]),
    baseline="lstm",
    nuisance={"lr": Range(1e-3, 1e-1)},
    scales={
        "smoke": Scale(tasks={"echo": Echo(lag=2)}, budget=SMOKE),
        "demo": Scale(tasks={"echo-2": Echo(lag=2), "echo-6": Echo(lag=6)}, budget=DEMO),
    },
)
