"""An ordinary training script with one import changed: `ablations.nn` in place of torch.nn, on one thread."""

from collections.abc import Iterable
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn

import ablations.nn
from benchmarks.layers import Row
from benchmarks.timing import Work, interleaved, median_ratio

SYMBOLS, EMBEDDING, H, B, T = 50, 16, 64, 32, 100
STEPS = 100
"""The training steps over which the losses of both sides are compared."""


class Tagger(nn.Module):
    """An embedding, a recurrent layer, a readout of each step."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.embedding = nn.Embedding(SYMBOLS, EMBEDDING)
        self.recurrent = layer
        self.readout = nn.Linear(H, SYMBOLS)

    def forward(self, tokens: Tensor) -> Tensor:
        outputs, _ = self.recurrent(self.embedding(tokens))
        return self.readout(outputs)


class Script:
    """The loop that anybody writes: cross-entropy of the symbol three steps before, clipped gradients, Adam."""

    def __init__(self, layer: nn.Module, start: dict[str, Any] | None = None) -> None:
        self.model = Tagger(layer)
        self.model.load_state_dict(start or self.model.state_dict())
        self.optimiser = torch.optim.Adam(self.model.parameters(), lr=3e-3)
        self.generator = torch.Generator().manual_seed(0)

    def step(self) -> float:
        tokens = torch.randint(SYMBOLS, (B, T), generator=self.generator)
        scores = self.model(tokens)[:, 3:]
        loss = nn.functional.cross_entropy(scores.flatten(0, 1), tokens[:, :-3].flatten())
        self.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        return loss.item()


def scripts(kind: str) -> tuple[Script, Script]:
    """The script with our layer and with torch.nn's, from the same `state_dict`."""
    theirs = Script(getattr(nn, kind)(EMBEDDING, H, batch_first=True))
    return Script(getattr(ablations.nn, kind)(EMBEDDING, H, batch_first=True), theirs.model.state_dict()), theirs


def loss_difference(kind: str, steps: int = STEPS) -> tuple[float, float]:
    """The largest difference of the two scripts' losses over the steps, and the last loss."""
    ours, theirs = scripts(kind)
    pairs = [(ours.step(), theirs.step()) for _ in range(steps)]
    return max(abs(one - other) for one, other in pairs), pairs[-1][1]


def drop_in_table(rounds: int) -> Iterable[Row]:
    """One row for each layer: a training step of either script, and by how much their losses differ."""
    for kind in ("LSTM", "GRU", "RNN"):
        difference, last = loss_difference(kind)
        ours, theirs = scripts(kind)
        sides: dict[str, Work] = {"ours": ours.step, "torch": theirs.step}
        times = interleaved(sides, rounds)
        yield {
            "layer": kind,
            "steps": STEPS,
            "last_loss": last,
            "loss_difference": difference,
            "ours_ms": median(times["ours"]),
            "torch_ms": median(times["torch"]),
            "ratio": median_ratio(times["torch"], times["ours"]),
        }
