"""torch's functions of a layer or a loss, computed for all runs of a cohort at once, faster than `vmap` of them does it.

R runs, N vectors of each, I inputs, O outputs, K classes, V words, D numbers of a word, T steps, C channels, k taps.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from ablations.models.backends import has_compiler
from ablations.models.kernels import opaque


class StackedFunctions(TorchFunctionMode):
    """Within it, under `vmap` over the runs, some functions are computed by what is written here.

    They give what torch's give, to rounding. Calls with options that nothing here knows are torch's own.
    """

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        replacement = REPLACEMENTS.get(function)
        result = NotImplemented if replacement is None else replacement(*args, **(kwargs or {}))
        return function(*args, **(kwargs or {})) if result is NotImplemented else result


class _Stacked(torch.autograd.Function):
    """A function of stacked tensors (R, …); under `vmap` over the runs it is called with one run's."""

    @classmethod
    def vmap(cls, info: Any, in_dims: tuple[int | None, ...], *inputs: Any) -> tuple[Any, Any]:
        stacked = [_stacked(value, dim, info.batch_size) for value, dim in zip(inputs, in_dims, strict=True)]
        outputs = cls.apply(*stacked)  # type: ignore[no-untyped-call]
        return outputs, (0,) * len(outputs) if isinstance(outputs, tuple) else 0


def _stacked(value: Any, dim: int | None, runs: int) -> Any:
    if not isinstance(value, Tensor):
        return value
    return value.expand(runs, *value.shape) if dim is None else value.movedim(dim, 0)


NARROW = 16
"""Below this many outputs a product is faster the other way round, where its rows are long."""


def _products(a: Tensor, b: Tensor) -> Tensor:
    """The R products of a (R, N, I) and b (R, I, O), by NumPy: its BLAS takes half the time of torch's at these sizes."""
    return opaque.call(_multiply, a, b)


def _multiply(a: Tensor, b: Tensor) -> Tensor:
    with np.errstate(all="ignore"):  # a run that diverges overflows, and is seen to
        return torch.from_numpy(np.matmul(a.detach().numpy(), b.detach().numpy()))


def _affine(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """x (R, N, I), weight (R, O, I), bias (R, O) -> (R, N, O)."""
    is_narrow = weight.shape[1] < NARROW
    outputs = _products(weight, x.mT).mT if is_narrow else _products(x, weight.mT)
    return outputs if bias is None else outputs.add_(bias.unsqueeze(1))


class _Linear(_Stacked):
    """x (R, N, I), weight (R, O, I), bias (R, O) or None -> (R, N, O)."""

    @staticmethod
    def forward(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return _affine(x, weight, bias)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(*inputs[:2])

    @staticmethod
    def backward(ctx: Any, d_outputs: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        d_x = _products(d_outputs, weight) if ctx.needs_input_grad[0] else None
        return d_x, _products(d_outputs.mT, x), d_outputs.sum(1) if ctx.needs_input_grad[2] else None


class _Convolution(_Stacked):
    """x (R, n, T + (k − 1) · dilation, C), weight (R, O, C, k), bias (R, O) or None -> (R, n, T, O), as a product.

    Its second output are the windows (R, n·T, k·C) of x, a row for each step.
    """

    @staticmethod
    def forward(x: Tensor, weight: Tensor, bias: Tensor | None, dilation: int) -> tuple[Tensor, Tensor]:
        (R, n, steps, C), k = x.shape, weight.shape[-1]
        x, T = x.contiguous(), steps - (k - 1) * dilation
        windows = x.as_strided((R, n, T, k, C), (n * steps * C, steps * C, C, dilation * C, 1)).reshape(R, n * T, k * C)
        return _affine(windows, weight.mT.flatten(2), bias).unflatten(1, (n, T)), windows

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        x, weight, _, ctx.dilation = inputs
        ctx.shape = x.shape
        ctx.save_for_backward(weight, output[1])
        ctx.mark_non_differentiable(output[1])

    @staticmethod
    def backward(ctx: Any, d_outputs: Tensor, _: Any) -> tuple[Tensor | None, ...]:
        (weight, windows), k = ctx.saved_tensors, ctx.saved_tensors[0].shape[-1]
        T, rows = d_outputs.shape[2], d_outputs.flatten(1, 2)
        d_weight = _products(rows.mT, windows).unflatten(2, (k, -1)).mT
        d_bias = rows.sum(1) if ctx.needs_input_grad[2] else None
        if not ctx.needs_input_grad[0]:
            return None, d_weight, d_bias, None
        d_windows = _products(rows, weight.mT.flatten(2)).view(*ctx.shape[:2], T, k, -1)
        d_x = rows.new_zeros(ctx.shape)
        for tap in range(k):
            d_x[:, :, tap * ctx.dilation :][:, :, :T] += d_windows[:, :, :, tap]
        return d_x, d_weight, d_bias, None


class _Embedding(_Stacked):
    """weight (R, V, D), tokens (R, N) -> (R, N, D)."""

    @staticmethod
    def forward(weight: Tensor, tokens: Tensor) -> Tensor:
        return opaque.call(_embed, weight, tokens)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.shape = inputs[0].shape
        ctx.save_for_backward(inputs[1])

    @staticmethod
    def backward(ctx: Any, d_outputs: Tensor) -> tuple[Tensor | None, ...]:
        return opaque.call(_embed_gradient, d_outputs, *ctx.saved_tensors, ctx.shape[1]), None


class _CrossEntropy(_Stacked):
    """logits (R, K, N), targets (R, N) -> losses (R, N) in nats, 0 where the target is `ignored`; and log Σ exp."""

    @staticmethod
    def forward(logits: Tensor, targets: Tensor, ignored: int) -> tuple[Tensor, Tensor]:
        return opaque.call(_cross_entropy, logits, targets, ignored)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        logits, targets, ctx.ignored = inputs
        ctx.save_for_backward(logits, targets, output[1])
        ctx.mark_non_differentiable(output[1])

    @staticmethod
    def backward(ctx: Any, d_losses: Tensor, _: Any) -> tuple[Tensor | None, ...]:
        return opaque.call(_cross_entropy_gradient, d_losses, *ctx.saved_tensors, ctx.ignored), None, None


def _embed(weight: Tensor, tokens: Tensor) -> Tensor:
    outputs = weight.new_empty(*tokens.shape, weight.shape[2])
    if not _compiled("embed", weight, tokens, outputs):
        raise IndexError(f"a token is no row of an embedding of {weight.shape[1]} rows")
    return outputs


def _embed_gradient(d_outputs: Tensor, tokens: Tensor, words: int) -> Tensor:
    d_weight = d_outputs.new_zeros(d_outputs.shape[0], words, d_outputs.shape[2])
    _compiled("embed_gradient", d_outputs, tokens, d_weight)
    return d_weight


def _cross_entropy(logits: Tensor, targets: Tensor, ignored: int) -> tuple[Tensor, Tensor]:
    losses, normaliser = logits.new_empty(targets.shape), logits.new_empty(targets.shape)
    if not _compiled("cross_entropy", logits, targets, ignored, losses, normaliser):
        raise IndexError(f"a target is none of {logits.shape[1]} classes")
    return losses, normaliser


def _cross_entropy_gradient(
    d_losses: Tensor, logits: Tensor, targets: Tensor, normaliser: Tensor, ignored: int
) -> Tensor:
    d_logits = torch.empty_like(logits, memory_format=torch.contiguous_format)
    _compiled("cross_entropy_gradient", logits, targets, ignored, normaliser, d_losses.clone(), d_logits)
    return d_logits


def _compiled(name: str, *arguments: Any) -> Any:
    """Calls a compiled function with C-contiguous arrays. What it writes to must be contiguous already."""
    from ablations.models.kernels.compilation import training_kernel  # Numba takes a second to import

    arrays = (a.detach().contiguous().numpy() if isinstance(a, Tensor) else a for a in arguments)
    return training_kernel().call(name, *arrays)


def _linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Any:
    if not _is_stacked(weight) or x.dim() < 2:
        return NotImplemented
    outputs = _Linear.apply(x.flatten(0, -2), weight, bias)  # type: ignore[no-untyped-call]
    return outputs.unflatten(0, x.shape[:-1])


def _convolve(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    step, tap = (value[0] if isinstance(value, tuple | list) else value for value in (stride, dilation))
    if not _is_stacked(weight) or x.dim() != 3 or step != 1 or groups != 1:
        return NotImplemented
    span = (weight.shape[-1] - 1) * tap
    if isinstance(padding, str):
        sides = (span // 2, span - span // 2) if padding == "same" else (0, 0)
    else:
        sides = (padding[0] if isinstance(padding, tuple | list) else padding,) * 2
    steps = F.pad(x.mT, (0, 0, *sides)) if any(sides) else x.mT
    return _Convolution.apply(steps, weight, bias, tap)[0].mT  # type: ignore[no-untyped-call]


def _look_up(
    tokens: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Any:
    is_plain = padding_idx is None and max_norm is None and not scale_grad_by_freq and not sparse
    if not (is_plain and _is_stacked(weight) and has_compiler()):
        return NotImplemented
    outputs = _Embedding.apply(weight, tokens.flatten())  # type: ignore[no-untyped-call]
    return outputs.unflatten(0, tokens.shape)


FEWEST = 16
"""The least number of answers that the compiled cross-entropy takes: the lanes of its widest vector."""


def _classify(
    logits: Tensor,
    targets: Tensor,
    weight: Tensor | None = None,
    size_average: None = None,
    ignore_index: int = -100,
    reduce: None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    is_plain = weight is None and not label_smoothing and size_average is None and reduce is None
    fits = targets.dtype == torch.int64 and targets.numel() >= FEWEST and logits.dim() == targets.dim() + 1
    if not (is_plain and fits and _is_stacked(logits) and has_compiler()):
        return NotImplemented
    losses, _ = _CrossEntropy.apply(logits.transpose(0, 1).flatten(1), targets.flatten(), ignore_index)  # type: ignore[no-untyped-call]
    if reduction == "none":
        return losses.view(targets.shape)
    return losses.sum() / (targets != ignore_index).sum() if reduction == "mean" else losses.sum()


def _is_stacked(tensor: Tensor) -> bool:
    """Whether the tensor is one run's part of the runs' float tensors on the CPU, in one `vmap` and no more."""
    levels = torch._C._functorch.get_interpreter_stack() or ()
    is_part = len(levels) == 1 and torch._C._functorch.is_batchedtensor(tensor)
    return is_part and tensor.device.type == "cpu" and tensor.dtype in (torch.float32, torch.float64)


REPLACEMENTS: Mapping[Any, Callable[..., Any]] = {
    F.linear: _linear,
    F.conv1d: _convolve,
    F.embedding: _look_up,
    F.cross_entropy: _classify,
}
"""torch's function -> what computes it instead, or returns NotImplemented."""
