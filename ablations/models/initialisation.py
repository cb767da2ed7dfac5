"""Random starts of recurrent layers that a network can have in place of their own."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ablations.models.recurrent import RecurrentLayer
from ablations.registry import look_up

INITIALISATIONS: dict[str, tuple[Callable[[Tensor], object], Callable[[Tensor], object]]] = {
    "orthogonal": (nn.init.xavier_uniform_, nn.init.orthogonal_),
    "xavier": (nn.init.xavier_uniform_, nn.init.xavier_uniform_),
    "identity": (nn.init.xavier_uniform_, nn.init.eye_),
}
"""What starts the input weights and the recurrent weights of each gate: Saxe et al. 2014, Glorot & Bengio 2010, and Le et
al. 2015, in this order."""


@torch.no_grad()
def initialise(layer: RecurrentLayer, name: str) -> None:
    """Starts a layer's matrices anew, gate by gate, by the initialisation of that name; its biases stay as they are."""
    of_inputs, of_states = look_up(INITIALISATIONS, name, "initialisation")
    if layer.bias.is_meta:  # there are no numbers, and torch would load its compiler
        return
    for gate in layer.weight.chunk(len(layer.cell.gates)):
        of_inputs(gate)
    if layer.recurrent_weight is not None:
        for gate in layer.recurrent_weight.chunk(len(layer.cell.connected())):
            of_states(gate)
