"""Frames: a run's steps as a convolution reads them.

A frame has a row for each of C channels: zeros, T steps of n sequences, zeros. The sequences of a step stand side by side,
so that all are shifted in time at once, by n columns for a step. One run's frame is small enough to stay in the cache.
"""

from numba.extending import register_jitable

from ablations.models.kernels.lanes import LANES, compiled, load, padded, select, store
from ablations.models.kernels.matrices import noinline, submatrix, transpose


@register_jitable
def frame_width(columns: int) -> int:
    """The floats of a frame's row: an odd number of vectors, since rows whole pages apart would share a part of the cache."""
    return padded(columns) + LANES * (1 - padded(columns) // LANES % 2)


@compiled
def put(frame, first, x, n, is_last):
    """The steps of a run into the frame from column `first` on: x is (C, T·n), or (n·T, C) where `is_last`."""
    if is_last:
        T = x.shape[0] // n
        for t in range(T):
            transpose(submatrix(frame, 0, first + t * n, x.shape[1], n), x[t::T])
    else:
        _copy(submatrix(frame, 0, first, x.shape[0], x.shape[1]), x)


@compiled
def take(x, steps, n):
    """x (n·T, C) from its steps (C, T·n)."""
    T = x.shape[0] // n
    for t in range(T):
        transpose(x[t::T], submatrix(steps, 0, t * n, x.shape[1], n))


@compiled
def _copy(to, from_):
    """to = from_, whose rows are at least LANES long: the last vector overlaps the one before."""
    noinline()
    for i in range(from_.shape[0]):
        for column in range(0, from_.shape[1], LANES):
            j = min(column, from_.shape[1] - LANES)
            store(load(from_, i, j), to, i, j)


@compiled
def put_slope(frame, first, d_y, y):
    """d_y (O, columns) where y, the output of a ReLU, is above zero, else 0, into the frame from column `first` on."""
    noinline()
    for o in range(y.shape[0]):
        for column in range(0, y.shape[1], LANES):
            j = min(column, y.shape[1] - LANES)
            value = load(y, o, j)
            store(select(value, load(d_y, o, j), value), frame, o, first + j)  # not-a-number stays
