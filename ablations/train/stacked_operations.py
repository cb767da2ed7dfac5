"""Layers and a loss on the stacked tensors of all runs, with their gradients: products, and compiled functions.

R runs, N vectors of each, I inputs, O outputs, K classes, V words, D numbers of a word.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ablations.models.kernels import opaque


class Stacked(torch.autograd.Function):
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


class Linear(Stacked):
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


class Embedding(Stacked):
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


class CrossEntropy(Stacked):
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
    if not compiled("embed", weight, tokens, outputs):
        raise IndexError(f"a token is no row of an embedding of {weight.shape[1]} rows")
    return outputs


def _embed_gradient(d_outputs: Tensor, tokens: Tensor, words: int) -> Tensor:
    d_weight = d_outputs.new_zeros(d_outputs.shape[0], words, d_outputs.shape[2])
    compiled("embed_gradient", d_outputs, tokens, d_weight)
    return d_weight


def _cross_entropy(logits: Tensor, targets: Tensor, ignored: int) -> tuple[Tensor, Tensor]:
    losses, normaliser = logits.new_empty(targets.shape), logits.new_empty(targets.shape)
    if not compiled("cross_entropy", logits, targets, ignored, losses, normaliser):
        raise IndexError(f"a target is none of {logits.shape[1]} classes")
    return losses, normaliser


def _cross_entropy_gradient(
    d_losses: Tensor, logits: Tensor, targets: Tensor, normaliser: Tensor, ignored: int
) -> Tensor:
    d_logits = torch.empty_like(logits, memory_format=torch.contiguous_format)
    compiled("cross_entropy_gradient", logits, targets, ignored, normaliser, d_losses.clone(), d_logits)
    return d_logits


def compiled(name: str, *arguments: Any) -> Any:
    """Calls a compiled function with C-contiguous arrays. What it writes to must be contiguous already."""
    from ablations.models.kernels.compilation import training_kernel  # Numba takes a second to import

    arrays = (a.detach().contiguous().numpy() if isinstance(a, Tensor) else a for a in arguments)
    return training_kernel().call(name, *arrays)
