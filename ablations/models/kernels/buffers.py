"""Large buffers, kept when they are free because the pages of a fresh one cost more than what is computed with it.

Sizes are powers of two, so that batches of other lengths share them; pages that nobody touches cost nothing.
"""

import weakref
from collections import defaultdict
from math import prod

import torch
from torch import Tensor

POOL = 1 << 28
"""The bytes of free buffers that a process keeps at most: 256 MiB, three tapes of 8 runs of 64 sequences of 100 steps, with
10 quantities of 40 units at each."""

_free: defaultdict[tuple[int, torch.dtype], list[Tensor]] = defaultdict(list)


def take(shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    """A tensor of arbitrary numbers. Its buffer is free again when no tensor shares its memory any more."""
    size = prod(shape)
    buffer = _buffer(1 << max(size - 1, 0).bit_length(), dtype)
    # torch keeps the array for as long as anything of it, be it autograd, needs its memory; and no longer.
    array = buffer.numpy()[:size].reshape(shape)
    weakref.finalize(array, _give, buffer).atexit = False
    return torch.from_numpy(array)


def held() -> int:
    """The bytes of all free buffers."""
    return sum(buffer.nbytes for fitting in list(_free.values()) for buffer in fitting)


def clear() -> None:
    """Gives the memory of all free buffers back to the system."""
    _free.clear()


def _buffer(size: int, dtype: torch.dtype) -> Tensor:
    try:
        return _free[size, dtype].pop()
    except IndexError:
        return torch.empty(size, dtype=dtype)


def _give(buffer: Tensor) -> None:
    if buffer.nbytes > POOL:
        return
    if held() + buffer.nbytes > POOL:
        clear()  # all at once, since what is needed next is not known; the next step fills the pool anew
    _free[buffer.numel(), buffer.dtype].append(buffer)
