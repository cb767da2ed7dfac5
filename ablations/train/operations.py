"""How many operations a setting's training takes, read from the shapes of its network: nothing is run.

`count_flops` runs a network to count them, which takes longer the longer its sequences are. This takes a millisecond, and
is what an estimate of time needs: within a kind of network, times grow as it does.
"""

from dataclasses import replace

from torch import nn

from ablations.models import Network
from ablations.models.sizes import count_parameters
from ablations.study import Setting

LONGER, WEIGHTS_OF_EACH_STEP = 64, 6
"""So many times the length, and more than so many times the weights: a network of one fixed length. A dilated one of 64 times
the length has six layers more."""


def operations(setting: Setting) -> float:
    """About the operations of the matrix products for one of the longest sequences of training, forward and backward.

    Each weight multiplies and adds once a step, and twice as often backward; a decoder's once a symbol, and those of a
    network with one fixed length once a sequence. A frozen weight has no gradient. A table of embeddings is looked up.
    """
    spec = setting.task.spec
    network = setting.network
    long, own = (
        count_parameters(setting.variant, replace(spec, length=length), setting.size)
        for length in (LONGER * spec.length, spec.length)
    )
    steps = 1 if long > WEIGHTS_OF_EACH_STEP * own else spec.length
    decoder = 0.0 if network.decoder is None else _products(network.decoder)
    return (_products(network) - decoder) * steps + decoder * spec.symbols


def _products(network: Network | nn.Module) -> float:
    """The operations that each of its weights takes part in once, forward and backward."""
    looked_up = {module.weight for module in network.modules() if isinstance(module, nn.Embedding)}
    weights = [weight for weight in network.parameters() if weight.dim() > 1 and weight not in looked_up]
    return float(sum((6 if weight.requires_grad else 2) * weight.numel() for weight in weights))
