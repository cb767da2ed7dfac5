"""Convolutional networks over time: a plain one, and the dilated causal one of Bai, Kolter & Koltun (2018)."""

from math import ceil, log2

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from ablations.models.network import Network, last, zero_padding
from tasks import TaskSpec


class CNN(Network):
    """Two centred convolutions; a sequence that is answered once is summed up by the maximum over its steps.

    Every step sees `receptive_field` steps around it and nothing else; sequences may have any length.
    """

    causal = False
    kernel = 5
    receptive_field = 2 * (kernel - 1) + 1

    def __init__(self, spec: TaskSpec, size: int) -> None:
        super().__init__(spec)
        self.first = nn.Conv1d(self.encoder.size, size, self.kernel, padding="same")
        self.second = nn.Conv1d(size, size, self.kernel, padding="same")
        self.head = nn.Linear(size, spec.outputs)

    def forward_encoded(self, x: Tensor, mask: Tensor | None) -> Tensor:
        for convolution in (self.first, self.second):
            x = convolution(zero_padding(x, mask).mT).relu().mT
        if not self.spec.per_step:
            x = zero_padding(x, mask).amax(1)  # ReLU: nothing is below the zeros of padding
        return self.head(x)


class _CausalBlock(nn.Module):
    """Two causal convolutions of one dilation, beside a shortcut."""

    def __init__(self, inputs: int, size: int, kernel: int, dilation: int) -> None:
        super().__init__()
        self.past = (kernel - 1) * dilation
        self.first = nn.Conv1d(inputs, size, kernel, dilation=dilation)
        self.second = nn.Conv1d(size, size, kernel, dilation=dilation)
        self.shortcut = nn.Conv1d(inputs, size, 1) if inputs != size else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y = self.first(pad(x, (self.past, 0))).relu()
        y = self.second(pad(y, (self.past, 0))).relu()
        return torch.relu(y + self.shortcut(x))


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
