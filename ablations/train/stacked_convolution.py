"""Convolution over time on the stacked tensors of all runs, with its gradients, compiled.

R runs, n sequences, T steps, T' of the output, C channels, O outputs, k taps.
"""

from math import inf
from typing import Any

import torch
from torch import Tensor

from ablations.models.kernels import opaque
from ablations.train.stacked_operations import Stacked, compiled

Sides = tuple[int, int]
"""The steps of zeros before the first step, at most those between the first tap and the last, and after the last step."""


class Convolution(Stacked):
    """x (R, n, C, T), weight (R, O, C, k), bias (R, O) or None, mask (R, n, T') or None -> (R, n, O, T').

    If `is_rectified`, what is below zero becomes zero, and so does what the mask hides; else there is no mask.
    In memory the sequences of the output are side by side, so that the next convolution finds its input as it needs it.
    """

    @staticmethod
    def forward(
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        dilation: int,
        sides: Sides,
        is_rectified: bool,
        mask: Tensor | None,
    ) -> Tensor:
        return opaque.call(_convolve, x, weight, bias, dilation, sides, is_rectified, mask)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        x, weight, _, *ctx.options, _ = inputs
        ctx.save_for_backward(x, weight, output)

    @staticmethod
    def backward(ctx: Any, d_y: Tensor) -> tuple[Tensor | None, ...]:
        needs_x, _, needs_bias, *_ = ctx.needs_input_grad
        d_x, d_weight, d_bias = opaque.call(_convolve_gradient, d_y, *ctx.saved_tensors, *ctx.options, needs_x)
        return d_x, d_weight, d_bias if needs_bias else None, None, None, None, None


def _convolve(
    x: Tensor, weight: Tensor, bias: Tensor | None, dilation: int, sides: Sides, is_rectified: bool, mask: Tensor | None
) -> Tensor:
    (R, n, C, T), (_, outputs, _, k) = x.shape, weight.shape
    after = T + sum(sides) - (k - 1) * dilation
    y = x.new_empty(R, outputs, after * n)
    bias = weight.new_zeros(R, outputs) if bias is None else bias
    floor = 0.0 if is_rectified else -inf
    shown = weight.new_ones(R, after * n) if mask is None else mask.mT.to(weight.dtype).flatten(1)
    steps, is_last = _steps(x)
    frame = _frames(C, x, y, weight, dilation)
    compiled("convolve", steps, weight, bias, dilation * n, sides[0] * n, n, is_last, floor, shown, frame, y)
    return y.view(R, outputs, after, n).permute(0, 3, 1, 2)


def _convolve_gradient(
    d_y: Tensor, x: Tensor, weight: Tensor, y: Tensor, dilation: int, sides: Sides, is_rectified: bool, needs_x: bool
) -> tuple[Tensor | None, Tensor, Tensor]:
    (R, n, C, T), outputs = x.shape, weight.shape[1]
    (steps, is_last), d_y, y = _steps(x), _side_by_side(d_y), _side_by_side(y)
    d_weight, d_bias = torch.empty_like(weight, memory_format=torch.contiguous_format), weight.new_zeros(R, outputs)
    d_x = torch.empty_like(steps if needs_x else steps[:0])
    frames = _frames(2 * C + outputs, x, y, weight, dilation)
    options = dilation * n, sides[0] * n, n, is_last, is_rectified, frames
    constants = weight.new_zeros(C), weight.new_ones(T * n)
    compiled("convolve_gradient", d_y, y, steps, weight, *constants, *options, d_weight, d_bias, d_x)
    if not needs_x:
        return None, d_weight, d_bias
    return (
        d_x.view(R, n, T, C).mT if is_last else d_x.view(R, C, T, n).permute(0, 3, 1, 2),
        d_weight,
        d_bias,
    )


def _steps(x: Tensor) -> tuple[Tensor, bool]:
    """x (R, n, C, T) as (R, C, T·n) if that is how it lies in memory, else (R, n·T, C); and whether channels come last."""
    is_last = not x.permute(0, 2, 3, 1).is_contiguous()
    return (x.mT.contiguous().flatten(1, 2) if is_last else _side_by_side(x)), is_last


def _side_by_side(x: Tensor) -> Tensor:
    """x (R, n, C, T) as (R, C, T·n)."""
    return x.permute(0, 2, 3, 1).contiguous().flatten(2)


def _frames(rows: int, x: Tensor, y: Tensor, weight: Tensor, dilation: int) -> Tensor:
    """Scratch memory: rows that hold all steps before or after the convolution, and the zeros around them."""
    from ablations.models.kernels.frames import frame_width  # Numba takes a second to import
    from ablations.models.kernels.lanes import padded

    n, span = x.shape[1], (weight.shape[3] - 1) * dilation
    return x.new_empty(rows, frame_width(max(x.shape[3] * n, padded(y.shape[2])) + span * n))


class Peak(Stacked):
    """x (R, n, T, C) -> (R, n, C), the largest over the steps. In memory the sequences of x are side by side, n of them."""

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return opaque.call(_peak, x)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(output, *inputs)

    @staticmethod
    def backward(ctx: Any, d_peaks: Tensor) -> Tensor:
        return opaque.call(_peak_gradient, d_peaks, *ctx.saved_tensors)


def _peak(x: Tensor) -> Tensor:
    R, n, _, C = x.shape
    peaks = x.new_empty(R, C, n)
    compiled("peak", x.permute(0, 3, 2, 1), peaks)
    return peaks.mT


def _peak_gradient(d_peaks: Tensor, peaks: Tensor, x: Tensor) -> Tensor:
    rows = x.permute(0, 3, 2, 1).contiguous()
    d_x = torch.empty_like(rows)
    compiled("peak_gradient", d_peaks.mT, peaks.mT, rows, d_x)
    return d_x.permute(0, 3, 2, 1)
