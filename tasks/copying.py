"""The copy memory task: repeat the first symbols after a delay."""

from math import log
from typing import Annotated, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass
from torch import Tensor

from tasks.step import Role, Step, in_steps
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


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Copying(Task):
    """Read some symbols, wait, and write them down again: the copy memory task of Arjovsky, Shah & Bengio (2016).

    Rule: the input is `items` random symbols, `delay` − 1 blanks, a delimiter, and `items` blanks. During these last
    blanks the answer is the symbols in order; before, it is blank. One sequence has delay + 2·items steps.

    Worked example with 3 items of 8 symbols and delay 4 (`_` blank, `:` delimiter):

        input    c a h _ _ _ : _ _ _
        target   _ _ _ _ _ _ _ c a h

    Shapes: inputs (n, T) tokens (symbols, then blank, then delimiter); targets (n, T), classes (symbols, then blank).
    Loss: cross-entropy in nats, with `loss_over` "all steps" as published, with "recall" over the recalled symbols alone.
    Score: accuracy on the recalled symbols alone, in both.
    With `shortest` 1 it is the variable-delay form of Tallec & Ollivier (2018).

    >>> Copying(delay=100).loss_references()["memoryless"]  # doctest: +ELLIPSIS
    0.1732...
    >>> Copying(delay=100, loss_over="recall").loss_references()["memoryless"]  # doctest: +ELLIPSIS
    2.0794...
    """

    delay: Count = 50
    shortest: int | None = None
    difficulty_sampling: DifficultySampling = "uniform"
    items: Count = 10
    symbols: Annotated[int, Field(ge=2)] = 8  # with one symbol, chance would equal perfect
    loss_over: Literal["all steps", "recall"] = "all steps"

    difficulty: ClassVar[str] = "delay"

    @model_validator(mode="after")
    def _check(self) -> "Copying":
        self.check_shortest()
        return self

    @property
    def spec(self) -> TaskSpec:
        return TaskSpec(self.symbols + 2, 0, self.symbols + 1, per_step=True, length=self.delay + 2 * self.items)

    def sample(self, rng: np.random.Generator, n: int) -> Batch:
        delays = self.draw_difficulties(rng, n)[:, None]
        symbols = rng.integers(self.symbols, size=(n, self.items))
        blank, delimiter = self.symbols, self.symbols + 1
        step = np.arange(delays.max() + 2 * self.items)[None]
        recall = self.items + delays
        mask = step < recall + self.items
        inputs = np.where(mask, np.where(step == recall - 1, delimiter, blank), 0)
        inputs[:, : self.items] = symbols
        targets = np.where(mask, blank, IGNORED)
        np.put_along_axis(targets, recall + np.arange(self.items), symbols, axis=1)
        return Batch(torch.from_numpy(inputs), torch.from_numpy(targets), torch.from_numpy(mask))

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        targets = batch.targets
        if self.loss_over == "recall":
            targets = torch.where(self._is_symbol(targets), targets, IGNORED)
        return answered_loss(outputs, targets)

    def score(self, outputs: Tensor, batch: Batch) -> Tensor:
        return steps_mean(hits(outputs[..., : self.symbols], batch.targets), self._is_symbol(batch.targets))

    def _is_symbol(self, targets: Tensor) -> Tensor:
        """True where a symbol is recalled: not on blanks, not on padding."""
        return (targets >= 0) & (targets < self.symbols)

    def references(self) -> dict[str, float]:
        return {"chance": 1 / self.symbols, "perfect": 1.0}

    def loss_references(self) -> dict[str, float]:
        """`memoryless`: the reader predicts every blank and guesses every symbol; averaged over the delays."""
        if self.loss_over == "recall":
            return {"memoryless": log(self.symbols)}
        guesses = self.items * log(self.symbols)
        return {"memoryless": self.mean_over_difficulties(lambda delay: guesses / (delay + 2 * self.items))}

    def read_steps(self, batch: Batch, index: int) -> list[Step]:
        tokens, names = batch.inputs[index][batch.mask[index]].tolist(), self._names
        recall = range(len(tokens) - self.items, len(tokens))
        roles: dict[int, Role] = {**dict.fromkeys(range(self.items), "store"), **dict.fromkeys(recall, "answer")}
        return in_steps((names[token] for token in tokens), roles)

    @property
    def _names(self) -> list[str]:
        """A character for each token."""
        return [*(chr(ord("a") + k) if self.symbols <= 26 else str(k) for k in range(self.symbols)), "_", ":"]

    def read(self, batch: Batch, index: int) -> str:
        names = self._names
        mask = batch.mask[index]
        rows = {"input": batch.inputs[index][mask], "target": batch.targets[index][mask]}
        return "\n".join(f"{label:8} " + " ".join(names[k] for k in row.tolist()) for label, row in rows.items())
