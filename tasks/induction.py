"""Induction: what came after this symbol the last time?"""

from functools import cache
from math import exp, lgamma, log
from typing import Annotated, ClassVar

import numpy as np
import torch
from pydantic import Field
from pydantic.dataclasses import dataclass
from torch import Tensor

from tasks.classification import Classification
from tasks.task import STRICT, Batch, TaskSpec


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Induction(Classification):
    """The induction heads task of Gu & Dao (2023), Mamba, section 4.1.2: name the symbol that followed the trigger.

    Rule: `length` steps of random symbols; at a random place, but not among the last two steps, is the trigger, and the
    last step is the trigger again. The answer, once for each sequence, is the symbol that followed the first trigger. The
    idea is that of Olsson et al. (2022), "In-context learning and induction heads". The paper trains on length 256 with
    16 symbols, and tests on lengths from 64 to 2²⁰.

    Worked example (length 10, 4 symbols; `!` trigger):

        b a b ! d c d a d ! → d

    Shapes: inputs (n, T) tokens (symbols, then the trigger); targets (n,), a symbol.
    Loss: cross-entropy in nats. Score: accuracy. `bag of symbols` is the score of answering the most frequent symbol, `last
    symbol` that of the symbol before the last trigger. A detector of pairs of neighbours is perfect, wherever the pair is:
    this is a task of memory over any length.

    >>> Induction(length=3).references()
    {'chance': 0.0625, 'bag of symbols': 1.0, 'last symbol': 1.0, 'neighbours': 1.0, 'perfect': 1.0}
    """

    length: Annotated[int, Field(ge=3)] = 256
    symbols: Annotated[int, Field(ge=2)] = 16

    difficulty: ClassVar[str] = "length"
    min_difficulty: ClassVar[int] = 3

    @property
    def spec(self) -> TaskSpec:
        return TaskSpec(self.symbols + 1, 0, self.symbols, per_step=False, length=self.length)

    def sample(self, rng: np.random.Generator, n: int) -> Batch:
        lengths = self.draw_difficulties(rng, n)
        inputs = rng.integers(self.symbols, size=(n, lengths.max()))
        rows, first = np.arange(n), rng.integers(lengths - 2)
        inputs[rows, first] = inputs[rows, lengths - 1] = self.symbols
        targets = inputs[rows, first + 1]
        mask = np.arange(lengths.max()) < lengths[:, None]
        return Batch(torch.from_numpy(np.where(mask, inputs, 0)), torch.from_numpy(targets), torch.from_numpy(mask))

    def cue(self, batch: Batch) -> Tensor:
        """The step after the first trigger."""
        return (batch.inputs == self.symbols).int().argmax(1) + 1

    def references(self) -> dict[str, float]:
        """The answer is equally probably at any step that is neither the first nor the last: any symbol of the bag."""
        last = self.mean_over_difficulties(lambda length: (1 + (length - 3) / self.symbols) / (length - 2))
        bag = self.mean_over_difficulties(lambda length: highest_count(length - 2, self.symbols) / (length - 2))
        return {
            "chance": 1 / self.symbols,
            "bag of symbols": bag,
            "last symbol": last,
            "neighbours": 1.0,
            "perfect": 1.0,
        }

    def loss_references(self) -> dict[str, float]:
        return {"chance": log(self.symbols)}

    def read(self, batch: Batch, index: int) -> str:
        names = [*(chr(ord("a") + k) if self.symbols <= 26 else str(k) for k in range(self.symbols)), "!"]
        tokens = batch.inputs[index][batch.mask[index]].tolist()
        return " ".join(names[token] for token in tokens) + f" → {names[int(batch.targets[index])]}"


@cache
def highest_count(draws: int, symbols: int) -> float:
    """The expected count of the most frequent of some symbols in uniform draws.

    Counts are those of independent Poisson variables, given that their sum is `draws`; so P(highest ≤ k) is a coefficient
    of a power, which a Fourier transform without wrapping gives.

    >>> highest_count(1, 5), round(highest_count(2, 2), 12)
    (1.0, 1.5)
    """
    rate = draws / symbols
    log_sum = draws * log(draws) - draws - lgamma(draws + 1)  # log P(the sum is `draws`)
    counts = np.arange(draws + 1)
    poisson = np.exp(counts * log(rate) - rate - np.array([lgamma(count + 1) for count in counts]))
    least = -(-draws // symbols)
    expected = float(least)
    for highest in range(least, draws):  # the sum of P(the highest count > k) over all k; below the least it is 1
        size = symbols * highest + draws + 1
        power = np.fft.irfft(np.fft.rfft(poisson[: highest + 1], size) ** symbols, size)
        above = float(1 - power[draws] / exp(log_sum))
        expected += above
        if above < 1e-12:
            break
    return expected
