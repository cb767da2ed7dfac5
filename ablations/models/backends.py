"""The two backends of a cell: a kernel compiled from its equations, or plain torch step by step ("eager")."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Literal

import torch
from torch import Tensor

from ablations.models.cell import Cell
from ablations.models.eager import Weights, unroll
from ablations.models.transforms import (
    is_autocast,
    is_differentiated,
    is_exporting,
    is_faked,
    is_forward_mode,
    is_plain,
)

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
    """What `unroll` computes, by whichever backend fits; under autocast too in the weights' own kind of floats."""
    if is_autocast(x.device.type):
        with torch.autocast(x.device.type, enabled=False):
            x, initial = x.to(weights.input.dtype), initial.to(weights.input.dtype)
            return compute(cell, x, mask, initial, weights, reverse)
    if is_exporting():
        return unroll(cell, x, mask, initial, weights, reverse)
    run = _outside_of_graphs() if torch.compiler.is_dynamo_compiling() else _compute
    return run(cell, x, mask, initial, weights, reverse)


def _compute(
    cell: type[Cell], x: Tensor, mask: Tensor | None, initial: Tensor, weights: Weights, reverse: bool
) -> tuple[Tensor, Tensor]:
    tensors = [tensor for tensor in (x, mask, initial, *weights) if tensor is not None]
    if _fits_kernel(tensors) and backend_of(cell, x.device.type, x.dtype) == "kernel":
        from ablations.models.kernels.sequence import compute_compiled  # Numba takes a second to import

        return compute_compiled(cell, x, mask, initial, weights, reverse)
    return unroll(cell, x, mask, initial, weights, reverse)


OUTSIDE = (
    "a recurrent layer is computed by a kernel of its own, between compiled graphs; compile without fullgraph=True"
)

_disabled: Callable[..., tuple[Tensor, Tensor]] | None = None


def _outside_of_graphs() -> Callable[..., tuple[Tensor, Tensor]]:
    """`_compute`, at which `torch.compile` ends one graph and begins the next: neither Numba nor a long loop is for it."""
    global _disabled  # no `functools.cache`, which torch.compile ignores; a new function each time would be compiled anew
    if _disabled is None:
        torch._dynamo.graph_break(msg=OUTSIDE)  # with fullgraph=True an error, which says this
        _disabled = torch.compiler.disable(_compute, reason=OUTSIDE)
    return _disabled


def _fits_kernel(tensors: list[Tensor]) -> bool:
    """Whether compiled code may read these tensors: numbers in memory, with nothing attached that it would lose.

    Under any transform of `torch.func` but `vmap` the eager backend is right at every order of derivatives, and the kernel no
    faster, since torch then wants a backward pass that can be differentiated.
    """
    is_empty = not all(tensor.numel() for tensor in tensors)
    return not (is_empty or is_faked() or is_forward_mode() or is_differentiated()) and all(map(is_plain, tensors))


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
