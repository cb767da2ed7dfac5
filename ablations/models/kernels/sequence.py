"""A cell over whole sequences as one operation of torch: differentiable, and batched over runs under `vmap`.

R runs, B sequences, T steps, I inputs, H units, S states, N = `padded(B)` columns.
"""

from collections.abc import Sequence
from inspect import signature
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ablations.models.cell import Cell
from ablations.models.eager import Weights, unroll
from ablations.models.kernels import buffers, opaque
from ablations.models.kernels.compilation import kernel
from ablations.models.kernels.lanes import padded
from ablations.models.kernels.source import tape_entries
from ablations.models.transforms import is_batched, is_forward_mode


class _Tape:
    """What a forward pass saves for the backward one, in a buffer of the pool: (R, T·K·H, N)."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor


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
        outputs, final, tape = opaque.call(_forward, options, x, mask, initial, *weights)
        return outputs, final, _Tape(tape)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        options, x, mask, *tensors = inputs
        outputs, _, tape = output
        ctx.options = options
        # The tape too, so that whoever watches what is saved, as activation checkpointing does, can let go of it.
        ctx.save_for_backward(tape and tape.tensor, x, mask, *tensors, outputs)

    @staticmethod
    def backward(ctx: Any, d_outputs: Tensor, d_final: Tensor, _: None) -> tuple[Tensor | None, ...]:
        # Compiled code would lose what is attached to the gradients: a graph, tangents, or a batch of them.
        if torch.is_grad_enabled() or is_forward_mode() or is_batched(d_outputs) or is_batched(d_final):
            return _differentiable_backward(ctx, d_outputs, d_final)
        wants_x = bool(ctx.needs_input_grad[1])
        d_x, *others = opaque.call(_backward, ctx.options, wants_x, d_outputs, d_final, *ctx.saved_tensors)
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
) -> tuple[Tensor, Tensor, Tensor]:
    """The outputs, the final state, and the tape."""
    (*runs, B, T, inputs), H = x.shape, initial.shape[-1]
    outputs, final = x.new_empty(*runs, B, T, H), x.new_empty(initial.shape)
    compiled = kernel(options.cell)
    length = T * len(tape_entries(options.cell)) * H if options.keep else 1
    tape = buffers.take((runs[0] if runs else 1, length, padded(B)), x.dtype)
    workspace = torch.zeros(compiled.workspace("forward", B, inputs, H), dtype=x.dtype).numpy()
    read = _input_arrays((x, mask, initial, *weights), bool(runs))
    written = _output_arrays((outputs, final), bool(runs))
    compiled.call("forward", *read, *written, tape.numpy(), workspace, options.reverse, options.keep)
    return outputs, final, tape


def _backward(
    options: _Options,
    wants_x: bool,
    d_outputs: Tensor,
    d_final: Tensor,
    tape: Tensor,
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
    compiled.call("backward", *read, tape.contiguous().numpy(), *written, workspace, options.reverse, wants_x)
    return tuple(gradients)


def _differentiable_backward(ctx: Any, d_outputs: Tensor, d_final: Tensor) -> tuple[Tensor | None, ...]:
    """The gradients by the eager backend, where they are to be differentiated themselves.

    By `torch.func.vjp`, which asks no tensor whether it requires a gradient: inside of `torch.func.jacrev` none does.
    """
    cell, reverse = ctx.options.cell, ctx.options.reverse
    _, x, mask, initial, *weights, _ = ctx.saved_tensors
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
