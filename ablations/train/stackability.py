"""Which networks can be trained for all runs at once, by `vmap`; the others are run one by one, which takes longer."""

from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.utils._pytree import tree_map

from ablations.models import Network
from ablations.models.variant import Variant
from ablations.study.own import is_own
from ablations.train.stacked_functions import StackedFunctions
from tasks import TaskSpec

STEPS = 4
"""The most steps of the sequences of a trial."""


@lru_cache(maxsize=256)
def is_stackable(variant: Variant, spec: TaskSpec, size: int) -> bool:
    """Whether `vmap` can run the network: built-in ones, and own ones for which it has succeeded on two small sequences.

    What it cannot: torch.nn's LSTM, GRU and RNN, `.item()`, and branches on what is in a tensor.
    """
    if not is_own(variant):
        return True
    network = variant.build(spec, size, seed=0)
    if any(isinstance(module, nn.RNNBase) for module in network.modules()):
        return False
    inputs, told = _inputs(spec), network.told(torch.zeros(2, max(1, spec.symbols), dtype=torch.int64))
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        return _succeeds(network, inputs, told, stacked=True) or not _succeeds(network, inputs, told, stacked=False)


def _inputs(spec: TaskSpec) -> Tensor:
    steps = min(spec.length, STEPS)
    return torch.zeros(2, steps, dtype=torch.int64) if spec.vocabulary else torch.randn(2, steps, spec.features)


def _succeeds(network: Network, inputs: Tensor, told: dict[str, Tensor], stacked: bool) -> bool:
    """Whether the network takes some sequences, as one of two runs or alone. If not even alone, training will say why."""
    tensors = {
        name: tensor.detach().clone() for name, tensor in [*network.named_parameters(), *network.named_buffers()]
    }
    arguments = tensors, (inputs, torch.ones(inputs.shape[:2], dtype=torch.bool)), told

    def call(own: dict[str, Tensor], batch: tuple[Tensor, ...], told: dict[str, Tensor]) -> Tensor:
        return functional_call(network, own, batch, told)

    try:
        if stacked:
            with StackedFunctions():
                vmap(call, randomness="different")(*tree_map(lambda each: torch.stack([each] * 2), arguments))
        else:
            call(*arguments)
    except Exception:  # whatever the author's code, or torch, does
        return False
    return True
