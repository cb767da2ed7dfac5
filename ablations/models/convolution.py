"""Convolutional networks over time: a plain one, and the dilated causal one of Bai, Kolter & Koltun (2018)."""

from math import ceil, log2

import torch
from torch import Tensor, nn
from torch.nn.functional import conv1d, pad
from torch.overrides import handle_torch_function, has_torch_function

from ablations.models.network import Network, last, zero_padding
from tasks import TaskSpec


def rectified_convolution(
    x: Tensor, weight: Tensor, bias: Tensor | None, dilation: int, sides: tuple[int, int], mask: Tensor | None
) -> Tensor:
    """ReLU of the convolution of x (n, C, T) between so many steps of zeros: (n, O, T'); 0 where the mask (n, T') is false.

    One function, since what trains many runs at once has it in one piece.
    """
    if has_torch_function((x, weight)):
        return handle_torch_function(rectified_convolution, (x, weight), x, weight, bias, dilation, sides, mask)
    y = conv1d(pad(x, sides), weight, bias, dilation=dilation).relu()
    return y if mask is None else torch.where(mask.unsqueeze(1), y, 0.0)


class _Rectified(nn.Conv1d):
    """A convolution and its ReLU, between so many steps of zeros."""

    def __init__(self, inputs: int, outputs: int, kernel: int, sides: tuple[int, int], dilation: int = 1) -> None:
        super().__init__(inputs, outputs, kernel, dilation=dilation)
        self.sides = sides

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return rectified_convolution(x, self.weight, self.bias, self.dilation[0], self.sides, mask)


class CNN(Network):
    """Two centred convolutions; a sequence that is answered once is summed up by the maximum over its steps.

    Every step sees `receptive_field` steps around it and nothing else; sequences may have any length.
    """

    causal = False
    kernel = 5
    receptive_field = 2 * (kernel - 1) + 1

    def __init__(self, spec: TaskSpec, size: int) -> None:
        super().__init__(spec)
        sides = (self.kernel // 2, self.kernel // 2)
        self.first = _Rectified(self.encoder.size, size, self.kernel, sides)
        self.second = _Rectified(size, size, self.kernel, sides)
        self.head = nn.Linear(size, spec.outputs)

    def forward_encoded(self, x: Tensor, mask: Tensor | None) -> Tensor:
        x = self.second(self.first(zero_padding(x, mask).mT, mask), mask).mT
        return self.head(x if self.spec.per_step else x.amax(1))  # ReLU: nothing is below the zeros of padding


class _CausalBlock(nn.Module):
    """Two causal convolutions of one dilation, beside a shortcut."""

    def __init__(self, inputs: int, size: int, kernel: int, dilation: int) -> None:
        super().__init__()
        past = ((kernel - 1) * dilation, 0)
        self.first = _Rectified(inputs, size, kernel, past, dilation)
        self.second = _Rectified(size, size, kernel, past, dilation)
        self.shortcut = nn.Conv1d(inputs, size, 1) if inputs != size else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.second(self.first(x)) + self.shortcut(x))


class TCN(Network):
    """The temporal convolutional network of Bai et al. (2018), without its weight norm and dropout.

    Residual blocks of two causal convolutions, dilation doubling from block to block, as many as it takes for the last
    step to see the longest training sequence whole.
    """

    causal = True
    kernel = 3

    def __init__(self, spec: TaskSpec, size: int) -> None:
        super().__init__(spec)
        self.levels = max(1, ceil(log2((spec.length - 1) / (2 * (self.kernel - 1)) + 1)))
        inputs = [self.encoder.size, *[size] * (self.levels - 1)]
        blocks = (_CausalBlock(width, size, self.kernel, 2**level) for level, width in enumerate(inputs))
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(size, spec.outputs)

    @property
    def receptive_field(self) -> int:
        """The number of steps, itself included, that an output depends on."""
        return 1 + 2 * (self.kernel - 1) * (2**self.levels - 1)

    def forward_encoded(self, x: Tensor, mask: Tensor | None) -> Tensor:
        x = self.blocks(x.mT).mT
        return self.head(x if self.spec.per_step else last(x, mask))
