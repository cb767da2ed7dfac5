"""A cell over whole sequences as one operation of torch: differentiable, and batched over runs under `vmap`.

R runs, B sequences, T steps, I inputs, H units, S states, N = `padded(B)` columns.
"""

from collections.abc import Sequence
from inspect import signature
from math import prod
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ablations.models.cell import Cell
from ablations.models.eager import Weights, unroll
from ablations.models.kernels import opaque
from ablations.models.kernels.compilation import kernel
from ablations.models.kernels.lanes import padded
from ablations.models.kernels.source import tape_entries

POOL = 1 << 28
"""The bytes of free buffers that a process keeps at most: 256 MiB, three tapes of 8 runs of 64 sequences of 100 steps, with
10 quantities of 40 units at each."""


class _Pool:
    """Free buffers, kept because the pages of a fresh one cost more than what is computed with it.

    Sizes are powers of two, so that batches of other lengths share them; pages that nobody touches cost nothing.
    """

    def __init__(self) -> None:
        self.free: dict[tuple[int, torch.dtype], list[Tensor]] = {}

    def take(self, least: int, dtype: torch.dtype) -> Tensor:
        size = 1 << max(least - 1, 0).bit_length()  # the next power of two
        fitting = self.free.get((size, dtype))
        return fitting.pop() if fitting else torch.empty(size, dtype=dtype)

    def give(self, buffer: Tensor) -> None:
        # All at once, since what is needed next is not known; the next step fills the pool anew.
        if sum(free.nbytes for fitting in self.free.values() for free in fitting) > POOL:
            self.free.clear()
        self.free.setdefault((buffer.numel(), buffer.dtype), []).append(buffer)


_pool = _Pool()


class _Tape:
    """What a forward pass saves for the backward one; its buffer is free again once nobody holds it."""

    def __init__(self, *shape: int, dtype: torch.dtype) -> None:
        self.buffer = _pool.take(prod(shape), dtype)
        self.array = self.buffer[: prod(shape)].view(shape).numpy()

    def __del__(self) -> None:
        if hasattr(self, "buffer"):  # it is not where a tracer has stopped the making of it
            _pool.give(self.buffer)


class _Options(NamedTuple):
    """The arguments that are no tensors; `keep` tells whether a backward pass may follow, which needs the tape."""

    cell: type[Cell]
    reverse: bool
    keep: bool


class _Sequence(torch.autograd.Function):
    """x (B, T, I), mask (B, T) or None, initial (S, B, H), and `Weights`; or all of these with the runs (R, …) in front."""

    @staticmethod
    def forward(
        options: _Options, x: Tensor, mask: Tensor | None, initial: Tensor, *weights: Tensor | None
    ) -> tuple[Tensor, Tensor, _Tape]:
        return opaque.call(_forward, options, x, mask, initial, *weights)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        options, x, mask, *tensors = inputs
        outputs, _, tape = output
        ctx.options, ctx.tape = options, tape
        ctx.save_for_backward(x, mask, *tensors, outputs)

    @staticmethod
    def backward(ctx: Any, d_outputs: Tensor, d_final: Tensor, _: None) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled():
            return _differentiable_backward(ctx, d_outputs, d_final)
        wants_x = bool(ctx.needs_input_grad[1])
        d_x, *others = opaque.call(_backward, ctx.options, wants_x, ctx.tape, d_outputs, d_final, *ctx.saved_tensors)
        return None, d_x if wants_x else None, None, *others

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], options: _Options, *tensors: Tensor | None) -> tuple[Any, Any]:
        def stacked(tensor: Tensor | None, dim: int | None) -> Tensor | None:
            if tensor is None:
                return None
            return tensor.expand(info.batch_size, *tensor.shape) if dim is None else tensor.movedim(dim, 0)

        together = [stacked(*pair) for pair in zip(tensors, in_dims[1:], strict=True)]
        if together[0] is not None and together[0].dim() == BATCHED:
            outputs, final = _apply(options, *together)
        else:  # vmap of vmap: the runs of both are the kernel's
            flat = [None if tensor is None else tensor.flatten(0, 1) for tensor in together]
            outputs, final = (part.unflatten(0, (info.batch_size, -1)) for part in _apply(options, *flat))
        return (outputs, final, None), (0, 0, None)


def _forward(
    options: _Options, x: Tensor, mask: Tensor | None, initial: Tensor, *weights: Tensor | None
) -> tuple[Tensor, Tensor, _Tape]:
    """The outputs, the final state, and the tape."""
    (*runs, B, T, inputs), H = x.shape, initial.shape[-1]
    outputs, final = x.new_empty(*runs, B, T, H), x.new_empty(initial.shape)
    compiled = kernel(options.cell)
    length = T * len(tape_entries(options.cell)) * H if options.keep else 1
    tape = _Tape(runs[0] if runs else 1, length, padded(B), dtype=x.dtype)
    workspace = torch.zeros(compiled.workspace("forward", B, inputs, H), dtype=x.dtype).numpy()
    read = _input_arrays((x, mask, initial, *weights), bool(runs))
    written = _output_arrays((outputs, final), bool(runs))
    compiled.call("forward", *read, *written, tape.array, workspace, options.reverse, options.keep)
    return outputs, final, tape


def _backward(
    options: _Options,
    wants_x: bool,
    tape: _Tape,
    d_outputs: Tensor,
    d_final: Tensor,
    x: Tensor,
    mask: Tensor | None,
    initial: Tensor,
    *others: Tensor | None,
) -> tuple[Tensor | None, ...]:
    """The gradients of x, of the initial state, and of the weights; the others are the weights and the outputs."""
    *weights, outputs = others
    zeros = (None if tensor is None else tensor.new_zeros(tensor.shape) for tensor in (initial, *weights))
    gradients = [x.new_empty(x.shape), *zeros]  # not empty_like, which keeps the order of dimensions in memory
    (*runs, B, _, inputs), H = x.shape, initial.shape[-1]
    compiled = kernel(options.cell)
    workspace = torch.zeros(compiled.workspace("backward", B, inputs, H), dtype=x.dtype).numpy()
    matrices = [w for name, w in zip(Weights._fields, weights, strict=True) if "bias" not in name]  # b has slope 1
    read = _input_arrays((d_outputs, d_final, x, mask, initial, *matrices, outputs), bool(runs))
    written = _output_arrays(gradients, bool(runs))
    compiled.call("backward", *read, tape.array, *written, workspace, options.reverse, wants_x)
    return tuple(gradients)


def _differentiable_backward(ctx: Any, d_outputs: Tensor, d_final: Tensor) -> tuple[Tensor | None, ...]:
    """The gradients by the eager backend, where they are to be differentiated themselves.

    By `torch.func.vjp`, which asks no tensor whether it requires a gradient: inside of `torch.func.jacrev` none does.
    """
    cell, reverse = ctx.options.cell, ctx.options.reverse
    x, mask, initial, *weights, _ = ctx.saved_tensors
    inputs = [x, initial, *weights]
    needed = [ctx.needs_input_grad[1], *ctx.needs_input_grad[3:]]

    def run(*variable: Tensor) -> tuple[Tensor, Tensor]:
        given = iter(variable)
        together = [mask, *(next(given) if wants else fixed for fixed, wants in zip(inputs, needed, strict=True))]
        stacked = tuple(None if tensor is None else 0 for tensor in together)
        return (torch.func.vmap(one, in_dims=stacked) if x.dim() == BATCHED else one)(*together)

    def one(mask: Tensor | None, x: Tensor, initial: Tensor, *weights: Tensor) -> tuple[Tensor, Tensor]:
        return unroll(cell, x, mask, initial, Weights(*weights), reverse)

    pull_back = torch.func.vjp(run, *(tensor for tensor, wants in zip(inputs, needed, strict=True) if wants))[1]
    gradients = iter(pull_back((d_outputs, d_final)))
    d_x, *others = (next(gradients) if wants else None for wants in needed)
    return None, d_x, None, *others


BATCHED = 4
"""The dimensions of x with those of its runs."""

_Sequence.forward.__signature__ = signature(_Sequence.forward)  # type: ignore[attr-defined]  # torch asks at each call


def _apply(options: _Options, *tensors: Tensor | None) -> tuple[Tensor, Tensor]:
    outputs, final, _ = _Sequence.apply(options, *tensors)  # type: ignore[no-untyped-call]
    return outputs, final


def _input_arrays(tensors: Sequence[Tensor | None], stacked: bool) -> list[np.ndarray[Any, Any]]:
    """What the kernel reads, in the form that it reads: C-contiguous, a copy where a tensor is not."""
    return _arrays(
        [tensor if tensor is None else tensor.detach().resolve_neg().contiguous() for tensor in tensors], stacked
    )


def _output_arrays(tensors: Sequence[Tensor | None], stacked: bool) -> list[np.ndarray[Any, Any]]:
    """What the kernel writes to: never a copy, in which the results would be lost."""
    assert all(tensor is None or tensor.is_contiguous() for tensor in tensors)
    return _arrays(tensors, stacked)


def _arrays(tensors: Sequence[Tensor | None], stacked: bool) -> list[np.ndarray[Any, Any]]:
    """With the runs in front; for what there is none of, an empty one."""
    arrays = [NOTHING if tensor is None else tensor.numpy() for tensor in tensors]
    return arrays if stacked else [array if array is NOTHING else array[None] for array in arrays]


NOTHING = np.empty((1, 0, 0), dtype=bool)


def compute_compiled(
    cell: type[Cell], x: Tensor, mask: Tensor | None, initial: Tensor, weights: Weights, reverse: bool
) -> tuple[Tensor, Tensor]:
    """What `unroll` computes, compiled."""
    return _apply(_Options(cell, reverse, torch.is_grad_enabled()), x, mask, initial, *weights)
