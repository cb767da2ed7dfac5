"""The adding problem: add the two marked numbers of a sequence."""

from typing import ClassVar, Literal

import numpy as np
import torch
from pydantic import model_validator
from pydantic.dataclasses import dataclass
from torch import Tensor

from tasks.step import Role, Step, in_steps
from tasks.task import STRICT, Batch, Count, DifficultySampling, Task, TaskSpec

TOLERANCE = 0.04
"""An answer with a smaller absolute error is correct (Hochreiter & Schmidhuber 1997, section 5.4)."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Adding(Task):
    """Add the two marked numbers of a sequence: the adding problem, in one of its two published forms.

    "arjovsky" (Arjovsky, Shah & Bengio 2016): values uniform in [0, 1]; one step of the first half and one of the
    second is marked 1, the others 0; the target is the sum of the two marked values.

    "hochreiter" (Hochreiter & Schmidhuber 1997, section 5.4): values uniform in [−1, 1]; the first mark is on one of
    the first ten steps, the second on one of the first T/2 − 1 steps without a mark; these two are marked 1, the first
    and last step −1 (unless already 1), the others 0; if the first step is marked 1, its value is 0; lengths are uniform
    in [T, 1.1 T]; the target is 0.5 + (X1 + X2)/4.

    Worked example ("arjovsky", length 6):

        value    0.52 0.11 0.90 0.33 0.08 0.71
        mark        .    1    .    .    1    .
        target   0.11 + 0.08 = 0.19

    Shapes: inputs (n, T, 2) of value and mark; targets (n,). Loss: squared error. Score: share within 0.04.

    >>> Adding(length=50).loss_references()
    {'mean': 0.16666666666666666, 'one addend': 0.08333333333333333}
    """

    length: Count = 50
    shortest: int | None = None
    difficulty_sampling: DifficultySampling = "uniform"
    protocol: Literal["arjovsky", "hochreiter"] = "arjovsky"

    difficulty: ClassVar[str] = "length"

    @model_validator(mode="after")
    def _check(self) -> "Adding":
        if self.length < self.min_difficulty:
            raise ValueError(f"length must be at least {self.min_difficulty} for protocol {self.protocol}")
        self.check_shortest()
        return self

    @property
    def min_difficulty(self) -> int:  # type: ignore[override]  # the one task whose easiest form depends on a parameter
        """The shortest length with room for two marks; for "hochreiter", also for ten steps before the last."""
        return 2 if self.protocol == "arjovsky" else 12

    @property
    def spec(self) -> TaskSpec:
        longest = self.length if self.protocol == "arjovsky" else self.length * 11 // 10
        return TaskSpec(None, 2, 1, per_step=False, length=longest)

    def sample(self, rng: np.random.Generator, n: int) -> Batch:
        draw = self._draw_arjovsky if self.protocol == "arjovsky" else self._draw_hochreiter
        lengths, positions, values, marks = draw(rng, self.draw_difficulties(rng, n))
        rows = np.arange(n)[:, None]
        marks[rows, positions] = 1
        sums = values[rows, positions].sum(1)
        mask = np.arange(values.shape[1]) < lengths[:, None]
        inputs = (np.stack([values, marks], axis=-1) * mask[..., None]).astype(np.float32)
        targets = (sums if self.protocol == "arjovsky" else 0.5 + sums / 4).astype(np.float32)
        return Batch(torch.from_numpy(inputs), torch.from_numpy(targets), torch.from_numpy(mask))

    def _draw_arjovsky(self, rng: np.random.Generator, lengths: np.ndarray) -> tuple[np.ndarray, ...]:
        half = lengths // 2
        positions = np.stack([rng.integers(half), rng.integers(half, lengths)], axis=1)
        values = rng.uniform(size=(len(lengths), lengths.max()))
        return lengths, positions, values, np.zeros_like(values)

    def _draw_hochreiter(self, rng: np.random.Generator, nominal: np.ndarray) -> tuple[np.ndarray, ...]:
        lengths = rng.integers(nominal, nominal * 11 // 10, endpoint=True)
        first = rng.integers(10, size=len(lengths))
        second = rng.integers(nominal // 2 - 1)
        second += second >= first  # the k-th of the steps without a mark
        values = rng.uniform(-1, 1, size=(len(lengths), lengths.max()))
        marks = np.zeros_like(values)
        marks[:, 0] = marks[np.arange(len(lengths)), lengths - 1] = -1
        values[(first == 0) | (second == 0), 0] = 0
        return lengths, np.stack([first, second], axis=1), values, marks

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        return (outputs[:, 0] - batch.targets).square().mean()

    def score(self, outputs: Tensor, batch: Batch) -> Tensor:
        return ((outputs[:, 0] - batch.targets).abs() < TOLERANCE).to(outputs.dtype).mean()

    def references(self) -> dict[str, float]:
        """`chance`: the score of the best constant answer, which is the middle of the target's distribution."""
        if self.protocol == "arjovsky":  # the sum of two uniforms: a triangle on [0, 2]
            return {"chance": 1 - (1 - TOLERANCE) ** 2, "perfect": 1.0}
        both = 1 - (1 - 2 * TOLERANCE) ** 2  # a triangle on [0, 1]
        one = 4 * TOLERANCE  # uniform on [1/4, 3/4]: the other addend is the zero of the first step
        zero = self._chance_of_zero()
        return {"chance": (1 - zero) * both + zero * one, "perfect": 1.0}

    def loss_references(self) -> dict[str, float]:
        """The squared error of answering the `mean`, and of a reader who knows one addend (the first that is drawn)."""
        if self.protocol == "arjovsky":
            return {"mean": 1 / 6, "one addend": 1 / 12}
        addend = 1 / 48  # the variance of a quarter of U[−1, 1]
        return {
            "mean": addend * (2 - self._chance_of_zero()),
            "one addend": addend * (1 - self.mean_over_difficulties(lambda length: 0.9 / (length // 2 - 1))),
        }

    def _chance_of_zero(self) -> float:
        """The probability that the first step is marked, so that one addend is 0."""
        return self.mean_over_difficulties(lambda length: 0.1 + 0.9 / (length // 2 - 1))

    def read_steps(self, batch: Batch, index: int) -> list[Step]:
        """The values to one digit; the marked ones are to be stored, the last step is answered."""
        values, marks = batch.inputs[index][batch.mask[index]].T.tolist()
        roles: dict[int, Role] = {len(marks) - 1: "answer"}
        roles |= {place: "store" for place, mark in enumerate(marks) if mark == 1}
        return in_steps((f"{value:.1f}" for value in values), roles)

    def read(self, batch: Batch, index: int) -> str:
        values, marks = batch.inputs[index][batch.mask[index]].T.tolist()
        addends = " + ".join(f"{value:.2f}" for value, mark in zip(values, marks, strict=True) if mark == 1)
        target = batch.targets[index].item()
        rule = addends if self.protocol == "arjovsky" else f"0.5 + ({addends})/4"
        return "\n".join(
            [
                "value    " + " ".join(f"{value:5.2f}" for value in values),
                "mark     " + " ".join("    ." if mark == 0 else f"{mark:5.0f}" for mark in marks),
                f"target   {rule} = {target:.2f}",
            ]
        )
