"""Weights over the states of a sequence: learned, and alike."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import linear
from torch.overrides import handle_torch_function, has_torch_function

from ablations.registry import check_known

Weights = Literal["learned", "uniform"]
"""How attention weighs states: by what it has learned, or all alike."""


def additive_energies(queries: Tensor, keys: Tensor, weight: Tensor) -> Tensor:
    """The sums of tanh(query + key), weighted by weight (1, H), of queries (B, Q, H) and keys (B, T, H): (B, Q, T).

    One function, since what trains many runs at once has it in one piece.
    """
    if has_torch_function((queries, keys, weight)):
        return handle_torch_function(additive_energies, (queries, keys, weight), queries, keys, weight)
    return linear(torch.tanh(queries.unsqueeze(2) + keys.unsqueeze(1)), weight).squeeze(-1)


class AdditiveAttention(nn.Module):
    """The additive attention of Bahdanau, Cho & Bengio (2015, appendix A.1.2): e = v · tanh(W query + U key).

    queries (B, Q, D), keys (B, T, E), mask (B, T) -> weights (B, Q, T), zero on padding, each row summing to 1.
    """

    def __init__(self, query_size: int, key_size: int, size: int) -> None:
        super().__init__()
        self.query = nn.Linear(query_size, size)
        self.key = nn.Linear(key_size, size, bias=False)
        self.energy = nn.Linear(size, 1, bias=False)

    def forward(self, queries: Tensor, keys: Tensor, mask: Tensor | None) -> Tensor:
        energies = additive_energies(self.query(queries), self.key(keys), self.energy.weight)
        if mask is not None:
            energies = torch.where(mask.unsqueeze(1), energies, -torch.inf)
        return energies.softmax(-1)


class UniformAttention(nn.Module):
    """The same weight for every step that is no padding (Wiegreffe & Pinter 2019, section 3.2): what attention is without
    choosing. Shapes are those of `AdditiveAttention`.
    """

    def forward(self, queries: Tensor, keys: Tensor, mask: Tensor | None) -> Tensor:
        there = keys.new_ones(keys.shape[:2]) if mask is None else mask.to(keys.dtype)
        return (there / there.sum(-1, keepdim=True)).unsqueeze(1).expand(-1, queries.shape[1], -1)


def attention(weights: Weights, query_size: int, key_size: int, size: int) -> AdditiveAttention | UniformAttention:
    """The attention of that kind. Raises `UserError` where there is none."""
    check_known(("learned", "uniform"), weights, "weights")
    return AdditiveAttention(query_size, key_size, size) if weights == "learned" else UniformAttention()
