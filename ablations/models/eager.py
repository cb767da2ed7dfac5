"""The eager backend: a cell unrolled over time in plain torch, step after step as its equations say."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import NamedTuple

import torch
from torch import Tensor

from ablations.models.cell import Cell, TorchFunctions
from ablations.models.gate import Gate


class Weights(NamedTuple):
    """The parameters of one recurrent layer and direction, for H units and I inputs; None where a cell has no use for it.

    input (G·H, I) for the cell's gates; recurrent (…·H, H) for those with a recurrent part; bias (G·H,); recurrent_bias
    (…·H,) for those whose recurrent part stands apart; vectors (V, H); feedback (F·H, F·H) for those that are fed back.
    """

    input: Tensor
    recurrent: Tensor | None
    bias: Tensor
    recurrent_bias: Tensor | None
    vectors: Tensor | None
    feedback: Tensor | None


def unroll(
    cell: type[Cell], x: Tensor, mask: Tensor | None, initial: Tensor, weights: Weights, reverse: bool = False
) -> tuple[Tensor, Tensor]:
    """x (B, T, I), mask (B, T), initial (S, B, H) -> outputs (B, T, H) and the final state (S, B, H).

    Where the mask is false the state stands still, whatever is in x. In reverse the last step is read first.
    """
    outputs: list[Tensor] = []
    state: dict[str, Tensor] = {}
    for _, state in _steps(cell, x, mask, initial, weights, reverse):
        outputs.append(state[cell.state[0]])
    return torch.stack(outputs[::-1] if reverse else outputs, dim=1), torch.stack([*state.values()])


def quantities(cell: type[Cell], x: Tensor, weights: Weights, reverse: bool = False) -> dict[str, Tensor]:
    """Every quantity that the cell's equations name at each step of x (B, T, I), as gates and state: name -> (B, T, H)."""
    batch, units = x.shape[0], weights.bias.shape[0] // len(cell.gates)
    initial = x.new_zeros(len(cell.state), batch, units)
    steps = [named for named, _ in _steps(cell, x, None, initial, weights, reverse)]
    ordered = steps[::-1] if reverse else steps
    return {name: torch.stack([named[name].expand(batch, units) for named in ordered], dim=1) for name in ordered[0]}


def _steps(
    cell: type[Cell], x: Tensor, mask: Tensor | None, initial: Tensor, weights: Weights, reverse: bool
) -> Iterator[tuple[dict[str, Tensor], dict[str, Tensor]]]:
    """Of each step, in the order of reading: the quantities that the equations name, and the state after it."""
    if mask is not None:  # not-a-number there would reach gradients, by way of 0 · NaN
        x = x.masked_fill(~mask.unsqueeze(-1), 0.0)
    state = dict(zip(cell.state, initial.unbind(0), strict=True))
    inputs = (x @ weights.input.mT + weights.bias).unbind(1)
    is_active = [None] * len(inputs) if mask is None else mask.unsqueeze(-1).unbind(1)
    rows = () if weights.vectors is None else weights.vectors.unbind(0)
    vectors = SimpleNamespace(**dict(zip(cell.vectors, rows, strict=True)))
    steps = list(zip(inputs, is_active, strict=True))
    for input_part, is_active_step in reversed(steps) if reverse else steps:
        old = SimpleNamespace(**state)
        new = cell.step(TorchFunctions, _gates(cell, input_part, old, vectors, weights), old, vectors)
        state = {name: _where(is_active_step, new[name], before) for name, before in state.items()}
        yield new, state


def _gates(
    cell: type[Cell], input_part: Tensor, old: SimpleNamespace, vectors: SimpleNamespace, weights: Weights
) -> SimpleNamespace:
    """The pre-activations by gate: W x + R h + b, or what the gate's roles make of that."""
    inputs = _by_gate(cell.gates_with(), input_part)
    if weights.feedback is not None:
        fed_back = cell.gates_with(feedback=True)
        fed = torch.cat([getattr(old, name) for name in fed_back], -1)
        for name, part in _by_gate(fed_back, fed @ weights.feedback.mT).items():
            inputs[name] = inputs[name] + part
    recurrent = _by_gate(cell.connected(), weights.recurrent, dim=0)
    biases = _by_gate(cell.gates_with(recurrent="apart"), weights.recurrent_bias)

    def joined(gate: Gate, vector: Tensor) -> Tensor | SimpleNamespace:
        """The gate's pre-activation, whose R multiplies that vector."""
        if gate.recurrent == "none":
            return inputs[gate.name]
        part = vector @ recurrent[gate.name].mT
        if gate.recurrent == "added":
            return inputs[gate.name] + part
        return SimpleNamespace(x=inputs[gate.name], h=part + biases[gate.name])

    h = getattr(old, cell.state[0])
    a = SimpleNamespace(**{gate.name: joined(gate, h) for gate in cell.gates if not gate.operand})
    if cell.gates_with(operand=True):
        operand = cell.operand(TorchFunctions, a, old, vectors)
        vars(a).update({gate.name: joined(gate, operand) for gate in cell.gates if gate.operand})
    return a


def _by_gate(names: tuple[str, ...], blocks: Tensor | None, dim: int = -1) -> dict[str, Tensor]:
    return {} if blocks is None else dict(zip(names, blocks.chunk(len(names), dim), strict=True))


def _where(is_active_step: Tensor | None, new: Tensor, old: Tensor) -> Tensor:
    """The new state where a step is active. What is made of vectors only is the same for all sequences."""
    if is_active_step is None:
        return new if new.dim() == old.dim() else new.expand_as(old)
    return torch.where(is_active_step, new, old)
