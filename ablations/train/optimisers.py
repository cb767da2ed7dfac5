"""Optimisers on the stacked parameters of runs: torch.optim's arithmetic with coefficients of each run.

Adam, clipped and with weight decay, is one compiled function where there is a compiler.

R runs, P parameters of each.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from ablations.models.backends import has_compiler

Moments = dict[str, Tensor]
Update = Callable[[Tensor, Tensor, Moments, int], Tensor]
"""(parameters (R, P), gradients (R, P), moments, number of the step from 1) -> direction (R, P); updates the moments.

The parameters then move by −lr · direction.
"""


def sgd(theta: Tensor, gradient: Tensor, moments: Moments, step: int) -> Tensor:
    """Plain gradient descent, as torch.optim.SGD."""
    return gradient


def rmsprop(theta: Tensor, gradient: Tensor, moments: Moments, step: int) -> Tensor:
    """As torch.optim.RMSprop(alpha=0.99, eps=1e-8)."""
    square = moments.setdefault("square", torch.zeros_like(theta))
    square.mul_(0.99).addcmul_(gradient, gradient, value=0.01)
    return gradient / square.sqrt().add_(1e-8)


def adam(theta: Tensor, gradient: Tensor, moments: Moments, step: int) -> Tensor:
    """As torch.optim.Adam(betas=(0.9, 0.999), eps=1e-8)."""
    mean = moments.setdefault("mean", torch.zeros_like(theta))
    square = moments.setdefault("square", torch.zeros_like(theta))
    mean.lerp_(gradient, 0.1)
    square.mul_(0.999).addcmul_(gradient, gradient, value=0.001)
    root = square.div(1 - 0.999**step).sqrt_().add_(1e-8)
    return mean.div(1 - 0.9**step).div_(root)


def adamw(theta: Tensor, gradient: Tensor, moments: Moments, step: int) -> Tensor:
    """The direction of Adam; what makes it torch.optim.AdamW is that `update` takes the weight decay from the parameters."""
    return adam(theta, gradient, moments, step)


OPTIMISERS: dict[str, Update] = {"adam": adam, "adamw": adamw, "rmsprop": rmsprop, "sgd": sgd}
"""Every optimiser by name."""


def clip_by_norm(gradient: Tensor, limit: Tensor) -> Tensor:
    """Each run's gradient (R, P), scaled down to the norm limit of its run (R,), as torch's clip_grad_norm_.

    >>> clip_by_norm(torch.tensor([[3.0, 4.0], [0.3, 0.4]]), torch.tensor([1.0, 1.0]))
    tensor([[0.6000, 0.8000],
            [0.3000, 0.4000]])
    """
    norm = torch.linalg.vector_norm(gradient, dim=1)
    return gradient * (limit / (norm + 1e-6)).clamp(max=1).unsqueeze(1)


@torch.no_grad()
def update(
    optimiser: str,
    theta: Tensor,
    gradient: Tensor,
    moments: Moments,
    step: int,
    lr: Tensor,
    limit: Tensor,
    decay: Tensor,
    momentum: Tensor | None = None,
) -> None:
    """One step, counted from 1, of all runs: changes theta (R, P) and the moments in place.

    Each run's gradient (R, P) is clipped to the norm limit of its run, then its weight decay is added; AdamW takes its decay
    from the parameters instead (Loshchilov & Hutter 2019). lr, limit, decay and momentum are (R,); without a momentum none
    is kept.
    """
    if optimiser == "adamw":
        theta *= (1 - lr * decay).unsqueeze(1)
        decay = torch.zeros_like(decay)
    if optimiser in ("adam", "adamw") and has_compiler():
        _compiled_adam(theta, gradient, moments, step, lr, limit, decay)
        return
    gradient = clip_by_norm(gradient, limit) + decay.unsqueeze(1) * theta
    direction = OPTIMISERS[optimiser](theta, gradient, moments, step)
    if momentum is not None:
        velocity = moments.setdefault("velocity", torch.zeros_like(theta))
        direction = velocity.mul_(momentum.unsqueeze(1)).add_(direction)
    theta -= lr.unsqueeze(1) * direction


def _compiled_adam(
    theta: Tensor, gradient: Tensor, moments: Moments, step: int, lr: Tensor, limit: Tensor, decay: Tensor
) -> None:
    from ablations.models.kernels.compilation import training_kernel  # Numba takes a second to import

    mean, square = (moments.setdefault(name, torch.zeros_like(theta)) for name in ("mean", "square"))
    arrays = [tensor.numpy() for tensor in (theta, gradient.contiguous(), mean, square, lr, limit, decay)]
    training_kernel().call("adam", *arrays, 1 - 0.9**step, 1 - 0.999**step)
