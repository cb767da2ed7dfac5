"""The energies of additive attention on the stacked tensors of all runs, with their gradients, compiled.

R runs, n sequences, U queries, T keys, H units.
"""

from typing import Any

from torch import Tensor
from torch.nn.functional import pad

from ablations.models.kernels import opaque
from ablations.train.stacked_operations import Stacked, compiled


class Energies(Stacked):
    """queries (R, n, U, H), keys (R, n, T, H), vector (R, H) -> (R, n, U, T)."""

    @staticmethod
    def forward(queries: Tensor, keys: Tensor, vector: Tensor) -> Tensor:
        return opaque.call(_energies, queries, keys, vector)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, d_energies: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return opaque.call(_energies_gradient, d_energies, *ctx.saved_tensors)


def _energies(queries: Tensor, keys: Tensor, vector: Tensor) -> Tensor:
    columns = _columns(keys.mT)
    energies = queries.new_empty(*queries.shape[:3], columns.shape[-1])
    compiled("energies", queries, columns, vector, energies)
    return energies[..., : keys.shape[2]]


def _energies_gradient(
    d_energies: Tensor, queries: Tensor, keys: Tensor, vector: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    columns = _columns(keys.mT)
    d_queries, d_columns = queries.new_empty(queries.shape), columns.new_zeros(columns.shape)
    d_vector = vector.new_zeros(vector.shape)
    compiled("energies_gradient", _columns(d_energies), queries, columns, vector, d_queries, d_columns, d_vector)
    return d_queries, d_columns[..., : keys.shape[2]].mT, d_vector


def _columns(x: Tensor) -> Tensor:
    """x (…, T) with zeros after T, up to whole vectors."""
    from ablations.models.kernels.lanes import padded  # Numba takes a second to import

    return pad(x, (0, padded(x.shape[-1]) - x.shape[-1])).contiguous()
