"""The two backends of a cell: a kernel compiled from its equations, or plain torch step by step ("eager")."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Literal

import torch
from torch import Tensor

from ablations.models.cell import Cell
from ablations.models.eager import Weights, unroll

Backend = Literal["kernel", "eager"]

_only_eager: ContextVar[bool] = ContextVar("only_eager", default=False)


@contextmanager
def eager_backend() -> Iterator[None]:
    """Within it every cell is computed by the eager backend."""
    token = _only_eager.set(True)
    try:
        yield
    finally:
        _only_eager.reset(token)


def backend_of(cell: type[Cell], device: str = "cpu", dtype: torch.dtype = torch.float32) -> Backend:
    """The backend of a cell for inputs of that device and kind: the kernel wherever there can be one."""
    fits = device == "cpu" and dtype in (torch.float32, torch.float64) and not _only_eager.get()
    return "kernel" if fits and has_compiler() and _has_source(cell) else "eager"


def compute(
    cell: type[Cell], x: Tensor, mask: Tensor | None, initial: Tensor, weights: Weights, reverse: bool
) -> tuple[Tensor, Tensor]:
    """What `unroll` computes, by whichever backend is the cell's."""
    if backend_of(cell, x.device.type, x.dtype) == "eager":
        return unroll(cell, x, mask, initial, weights, reverse)
    from ablations.models.kernels.sequence import compute_compiled  # Numba takes a second to import

    return compute_compiled(cell, x, mask, initial, weights, reverse)


@cache
def has_compiler() -> bool:
    """Whether Numba is there, works with the NumPy that is there, and is not switched off by NUMBA_DISABLE_JIT."""
    try:
        import numba
    except (ImportError, OSError):  # OSError: its library of LLVM cannot be loaded
        return False
    return not numba.config.DISABLE_JIT


@cache
def _has_source(cell: type[Cell]) -> bool:
    """Whether the cell's equations are made of nothing but what a kernel can compute."""
    from ablations.models.kernels.source import source  # jinja2 is imported where it is needed

    try:
        source(cell)
    except Exception:  # whatever a cell's own code does on symbols
        return False
    return True
