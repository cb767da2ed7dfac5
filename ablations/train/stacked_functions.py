"""torch's functions of a layer or a loss, computed for all runs of a cohort at once, faster than `vmap` of them does it.

What is written here is called with one run's tensors, under `vmap`, and has the arguments of torch's function.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from ablations.models.attention import additive_energies
from ablations.models.backends import has_compiler
from ablations.models.convolution import rectified_convolution
from ablations.train.stacked_attention import Energies
from ablations.train.stacked_convolution import Convolution, Peak
from ablations.train.stacked_operations import CrossEntropy, Embedding, Linear


class StackedFunctions(TorchFunctionMode):
    """Within it, under `vmap` over the runs, some functions are computed by what is written here.

    They give what torch's give, to rounding. Calls with options that nothing here knows are torch's own.
    """

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        replacement = REPLACEMENTS.get(function)
        result = NotImplemented if replacement is None else replacement(*args, **(kwargs or {}))
        return function(*args, **(kwargs or {})) if result is NotImplemented else result


def _linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Any:
    if not _is_stacked(weight) or x.dim() < 2:
        return NotImplemented
    outputs = Linear.apply(x.flatten(0, -2), weight, bias)  # type: ignore[no-untyped-call]
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
    if x.dim() != 3 or step != 1 or groups != 1:
        return NotImplemented
    span = (weight.shape[-1] - 1) * tap
    if isinstance(padding, str):
        sides = (span // 2, span - span // 2) if padding == "same" else (0, 0)
    else:
        sides = (padding[0] if isinstance(padding, tuple | list) else padding,) * 2
    return _convolve_between(x, weight, bias, tap, sides, is_rectified=False)


def _convolve_and_rectify(
    x: Tensor, weight: Tensor, bias: Tensor | None, dilation: int, sides: tuple[int, int], mask: Tensor | None
) -> Any:
    return _convolve_between(x, weight, bias, dilation, sides, is_rectified=True, mask=mask)


def _convolve_between(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    dilation: int,
    sides: tuple[int, int],
    is_rectified: bool,
    mask: Tensor | None = None,
) -> Any:
    """The convolution of x between so many steps of zeros."""
    span = (weight.shape[-1] - 1) * dilation
    columns = x.shape[0] * min(x.shape[-1], x.shape[-1] + sum(sides) - span)
    if not (_is_stacked(weight) and has_compiler() and x.dtype == weight.dtype and columns >= FEWEST_COLUMNS):
        return NotImplemented
    if sides[0] > span:
        x, sides = F.pad(x, sides), (0, 0)
    return Convolution.apply(x, weight, bias, dilation, sides, is_rectified, mask)  # type: ignore[no-untyped-call]


def _highest(x: Tensor, dim: Any = (), keepdim: bool = False) -> Any:
    is_over_steps = x.dim() == 3 and dim in (1, (1,)) and not keepdim
    if not (is_over_steps and _is_stacked(x) and has_compiler() and x.shape[0] >= FEWEST and x.stride(0) == 1):
        return NotImplemented
    return Peak.apply(x)  # type: ignore[no-untyped-call]


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
    outputs = Embedding.apply(weight, tokens.flatten())  # type: ignore[no-untyped-call]
    return outputs.unflatten(0, tokens.shape)


def _attend(queries: Tensor, keys: Tensor, weight: Tensor) -> Any:
    if not (_is_stacked(weight) and has_compiler() and queries.dtype == keys.dtype == weight.dtype):
        return NotImplemented
    return Energies.apply(queries, keys, weight.squeeze(0))  # type: ignore[no-untyped-call]


FEWEST_COLUMNS = 32
"""The least number of steps of all sequences that the compiled convolution takes: the columns of its widest tile."""

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
    losses, _ = CrossEntropy.apply(logits.transpose(0, 1).flatten(1), targets.flatten(), ignore_index)  # type: ignore[no-untyped-call]
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
    rectified_convolution: _convolve_and_rectify,
    Tensor.amax: _highest,
    torch.amax: _highest,
    F.embedding: _look_up,
    F.cross_entropy: _classify,
    additive_energies: _attend,
}
"""torch's function -> what computes it instead, or returns NotImplemented."""
