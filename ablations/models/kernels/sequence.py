"""A cell over whole sequences as one operation of torch: differentiable, and batched over runs under `vmap`."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from ablations.models.cell import Cell
from ablations.models.kernels.compilation import kernel
from ablations.models.kernels.lanes import padded
from ablations.models.kernels.source import kept
from ablations.models.unrolled import Weights

POOL = 1 << 30
"""The bytes of free buffers that a process keeps."""


class _Pool:
    """Free buffers, kept because the pages of a fresh one cost more than what is computed with it."""

    def __init__(self) -> None:
        self.free: list[Tensor] = []

    def take(self, size: int, dtype: torch.dtype) -> Tensor:
        for index, buffer in enumerate(self.free):
            if buffer.numel() == size and buffer.dtype == dtype:
                return self.free.pop(index)
        return torch.empty(size, dtype=dtype)

    def give(self, buffer: Tensor) -> None:
        self.free.append(buffer)
        while sum(buffer.nbytes for buffer in self.free) > POOL:
            self.free.pop(0)


_pool = _Pool()


class _Kept:
    """What a forward pass keeps for the backward one; its buffer is free again once nobody holds it."""

    def __init__(self, *shape: int, dtype: torch.dtype) -> None:
        self.buffer = _pool.take(int(np.prod(shape)), dtype)
        self.array = self.buffer.view(shape).numpy()

    def __del__(self) -> None:
        _pool.give(self.buffer)


class _How(NamedTuple):
    """The arguments that are no tensors."""

    cell: type[Cell]
    reverse: bool
    keep: bool


class _Sequence(torch.autograd.Function):
    """All tensors have a dimension for the runs in front: x (R, B, T, I), mask (R, B, T) or (R, 0, 0), initial (R, S, B, H)."""

    @staticmethod
    def forward(how: _How, x: Tensor, mask: Tensor, initial: Tensor, *weights: Tensor) -> tuple[Tensor, Tensor, _Kept]:
        R, B, T, _ = x.shape
        H = initial.shape[-1]
        outputs, final = x.new_empty(R, B, T, H), torch.empty_like(initial)
        keeps = _Kept(R, T * len(kept(how.cell)) * H if how.keep else 1, padded(B), dtype=x.dtype)
        arguments = [_array(tensor) for tensor in (x, mask, initial, *weights, outputs, final)]
        compiled = kernel(how.cell)
        work = torch.zeros(compiled.work("forward", B, x.shape[3], H), dtype=x.dtype).numpy()
        compiled.call("forward", *arguments, keeps.array, work, how.reverse, how.keep)
        return outputs, final, keeps

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        how, *tensors = inputs
        outputs, _, keeps = output
        ctx.how, ctx.kept = how, keeps
        ctx.save_for_backward(*tensors, outputs)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_outputs: Tensor, d_final: Tensor, _: None) -> tuple[Tensor | None, ...]:
        x, mask, initial, *weights, outputs = ctx.saved_tensors
        gradients = [torch.empty_like(x), *(torch.zeros_like(tensor) for tensor in (initial, *weights))]
        needed = [w for name, w in zip(Weights._fields, weights, strict=True) if "bias" not in name]
        read = [_array(tensor) for tensor in (d_outputs, d_final, x, mask, initial, *needed, outputs)]
        written = [tensor.numpy() for tensor in gradients]
        wants_x = bool(ctx.needs_input_grad[1])
        compiled = kernel(ctx.how.cell)
        work = torch.zeros(compiled.work("backward", x.shape[1], x.shape[3], initial.shape[3]), dtype=x.dtype).numpy()
        compiled.call("backward", *read, ctx.kept.array, *written, work, ctx.how.reverse, wants_x)
        d_x, d_initial, *d_weights = gradients
        return None, d_x if wants_x else None, None, d_initial, *d_weights

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], how: _How, *tensors: Tensor) -> tuple[Any, Any]:
        def stacked(tensor: Tensor, dim: int | None) -> Tensor:
            tensor = tensor.expand(info.batch_size, *tensor.shape) if dim is None else tensor.movedim(dim, 0)
            return tensor.flatten(0, 1)

        pairs = zip(tensors, in_dims[1:], strict=True)
        outputs, final, _ = _apply(how, *(stacked(*pair) for pair in pairs))
        parts = (tensor.unflatten(0, (info.batch_size, -1)) for tensor in (outputs, final))
        return (*parts, None), (0, 0, None)


def _apply(how: _How, *tensors: Tensor) -> tuple[Tensor, Tensor, Any]:
    return _Sequence.apply(how, *tensors)  # type: ignore[no-untyped-call]


def _array(tensor: Tensor) -> np.ndarray[Any, Any]:
    return tensor.detach().contiguous().numpy()


def compute_compiled(
    cell: type[Cell], x: Tensor, mask: Tensor | None, initial: Tensor, weights: Weights, reverse: bool
) -> tuple[Tensor, Tensor]:
    """What `unroll` computes, compiled."""
    how = _How(cell, reverse, torch.is_grad_enabled())
    none = x.new_empty(1, 0, 0, dtype=torch.bool) if mask is None else mask.unsqueeze(0)
    tensors: Sequence[Tensor] = (x.unsqueeze(0), none, *(tensor.unsqueeze(0) for tensor in (initial, *weights)))
    outputs, final, _ = _apply(how, *tensors)
    return outputs.squeeze(0), final.squeeze(0)
