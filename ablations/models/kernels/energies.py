"""The energies of additive attention, v · tanh(query + key), of one sequence, and their gradients.

U queries, T keys, H units. Keys are columns: a row of `keys` (H, T) has one unit of all keys. T is padded to a multiple of
LANES. Nothing of the size U · T · H is kept: the gradient computes tanh again, which is faster than memory.
"""

from ablations.models.kernels.functions import tanh
from ablations.models.kernels.lanes import LANES, compiled, filled, load, store, total
from ablations.models.kernels.matrices import noinline


@compiled
def energies_of(energies, queries, keys, vector):
    """energies (U, T) from queries (U, H), keys (H, T), vector (H,)."""
    noinline()
    for u in range(energies.shape[0]):
        for t in range(0, energies.shape[1], LANES):
            energy = filled(energies, 0.0)
            for h in range(keys.shape[0]):
                energy = energy + tanh(load(keys, h, t) + queries[u, h]) * vector[h]
            store(energy, energies, u, t)


@compiled
def energies_adjoint(d_energies, queries, keys, vector, d_queries, d_keys, d_vector):
    """d_queries (U, H), and what is added to d_keys (H, T) and d_vector (H,), from d_energies (U, T)."""
    noinline()
    for u in range(d_energies.shape[0]):
        for h in range(keys.shape[0]):
            d_query, d_weight = filled(keys, 0.0), filled(keys, 0.0)
            for t in range(0, keys.shape[1], LANES):
                value, d_energy = tanh(load(keys, h, t) + queries[u, h]), load(d_energies, u, t)
                slope = d_energy * vector[h] * (1.0 - value * value)
                store(load(d_keys, h, t) + slope, d_keys, h, t)
                d_query = d_query + slope
                d_weight = d_weight + d_energy * value
            d_queries[u, h] = total(d_query)
            d_vector[h] += total(d_weight)
