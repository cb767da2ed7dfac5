"""Recurrent layers: a cell unrolled over time, in one or both directions, in one or several layers."""

from collections.abc import Mapping
from math import sqrt
from types import SimpleNamespace

import torch
from torch import Tensor, nn

from ablations.models.cell import CELLS, TorchFunctions
from ablations.registry import look_up

State = Mapping[str, Tensor]


class Recurrence(nn.Module):
    """One cell unrolled over time in one direction: x (B, T, I) -> outputs (B, T, H).

    Parameters, with G gates, S split gates and V vectors of the cell: weight (G·H, I), recurrent_weight (G·H, H), bias
    (G·H,), recurrent_bias (S·H,), vectors (V, H). Weights start uniform in ±1/√H as torch.nn's do, biases so too,
    shifted by what the cell asks for, vectors uniform.
    """

    def __init__(self, cell: str, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.cell = look_up(CELLS, cell, "cell")
        self.hidden_size = hidden_size
        gates, split = len(self.cell.gates), len(self.cell.split)
        self.weight = nn.Parameter(torch.empty(gates * hidden_size, input_size))
        self.recurrent_weight = nn.Parameter(torch.empty(gates * hidden_size, hidden_size))
        self.bias = nn.Parameter(torch.empty(gates * hidden_size))
        self.recurrent_bias = nn.Parameter(torch.empty(split * hidden_size))
        self.vectors = nn.Parameter(torch.empty(len(self.cell.vectors), hidden_size))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        bound = 1 / sqrt(self.hidden_size)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)
        with torch.no_grad():
            for gate, bias in zip(self.cell.gates, self.bias.chunk(len(self.cell.gates)), strict=True):
                bias += self.cell.bias.get(gate, 0.0)

    def forward(self, x: Tensor, mask: Tensor | None = None, initial: State | None = None) -> tuple[Tensor, State]:
        """Outputs (B, T, H) and the final state, each (B, H); where mask (B, T) is false the state stands still."""
        B, T, _ = x.shape
        state = initial or {name: x.new_zeros(B, self.hidden_size) for name in self.cell.state}
        inputs = (x @ self.weight.mT + self.bias).unbind(1)
        moving = [None] * T if mask is None else mask.unsqueeze(-1).unbind(1)
        vectors = SimpleNamespace(**dict(zip(self.cell.vectors, self.vectors.unbind(0), strict=True)))
        outputs = []
        for input_part, moves in zip(inputs, moving, strict=True):
            gates = self._gates(input_part, state[self.cell.state[0]])
            new = self.cell.step(TorchFunctions, gates, SimpleNamespace(**state), vectors)
            state = {name: _where(moves, new[name], old) for name, old in state.items()}
            outputs.append(state[self.cell.state[0]])
        return torch.stack(outputs, dim=1), state

    def _gates(self, input_part: Tensor, h: Tensor) -> SimpleNamespace:
        """The pre-activations by gate: merged W x + R h + b, or the two parts apart where the cell splits them."""
        recurrent_part = h @ self.recurrent_weight.mT
        if not self.cell.split:
            merged = (input_part + recurrent_part).chunk(len(self.cell.gates), -1)
            return SimpleNamespace(**dict(zip(self.cell.gates, merged, strict=True)))
        inputs, recurrents = (part.chunk(len(self.cell.gates), -1) for part in (input_part, recurrent_part))
        biases = iter(self.recurrent_bias.chunk(len(self.cell.split)))
        gates = SimpleNamespace()
        for gate, x, r in zip(self.cell.gates, inputs, recurrents, strict=True):
            apart = gate in self.cell.split
            setattr(gates, gate, SimpleNamespace(x=x, h=r + next(biases)) if apart else x + r)
        return gates


def _where(moves: Tensor | None, new: Tensor, old: Tensor) -> Tensor:
    return new if moves is None else torch.where(moves, new, old)


class Recurrent(nn.Module):
    """A stack of recurrent layers of one cell: x (B, T, D) -> outputs (B, T, H), or (B, T, 2H) in both directions.

    Where mask (B, T) is false, on the padding after a sequence, the state stands still: the forward direction's last
    output is its state after the sequence, the backward direction starts from zero at the sequence's own last step.

    >>> layer = Recurrent("gru", input_size=3, hidden_size=4, bidirectional=True, layers=2)
    >>> layer(torch.zeros(2, 5, 3)).shape
    torch.Size([2, 5, 8])
    """

    def __init__(
        self, cell: str, input_size: int, hidden_size: int, bidirectional: bool = False, layers: int = 1
    ) -> None:
        super().__init__()
        if min(hidden_size, layers) < 1:
            raise ValueError(f"hidden_size ({hidden_size}) and layers ({layers}) must be at least 1")
        self.output_size = hidden_size * (2 if bidirectional else 1)
        sizes = [input_size, *[self.output_size] * (layers - 1)]
        self.forwards = nn.ModuleList(Recurrence(cell, size, hidden_size) for size in sizes)
        self.backwards = nn.ModuleList(Recurrence(cell, size, hidden_size) for size in sizes if bidirectional)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        for layer, forward in enumerate(self.forwards):
            outputs, _ = forward(x, mask)
            if self.backwards:
                reverse = None if mask is None else mask.flip(1)
                backward, _ = self.backwards[layer](x.flip(1), reverse)
                outputs = torch.cat([outputs, backward.flip(1)], dim=-1)
            x = outputs
        return x

    def summary(self, outputs: Tensor) -> Tensor:
        """What each direction holds when it has read everything, (B, H) or (B, 2H), from outputs of a whole batch."""
        if not self.backwards:
            return outputs[:, -1]
        size = self.output_size // 2
        return torch.cat([outputs[:, -1, :size], outputs[:, 0, size:]], dim=-1)
