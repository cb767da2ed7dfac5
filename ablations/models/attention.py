"""Weights over the states of a sequence: learned, and alike."""

from typing import Literal

import torch
from torch import Tensor, nn

from ablations.registry import check_known

Weights = Literal["learned", "uniform"]
"""How attention weighs states: by what it has learned, or all alike."""


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
        hidden = torch.tanh(self.query(queries).unsqueeze(2) + self.key(keys).unsqueeze(1))
        energies = self.energy(hidden).squeeze(-1)
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
