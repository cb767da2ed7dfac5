"""The networks: cells as equations, recurrent layers, and models of whole tasks."""

from collections.abc import Callable
from functools import partial

from ablations.models.cell import Cell
from ablations.models.cells import CELLS
from ablations.models.convolution import CNN, TCN
from ablations.models.feedforward import FeedForward
from ablations.models.network import LengthError, Network
from ablations.models.recurrent import Recurrent
from ablations.models.recurrent_networks import AttentiveNetwork, RecurrentNetwork, Reservoir

MODELS: dict[str, Callable[..., Network]] = {
    "feedforward": FeedForward,
    "cnn": CNN,
    "tcn": TCN,
    "recurrent": RecurrentNetwork,
    "birnn": partial(RecurrentNetwork, cell="rnn", direction="both"),
    "bilstm": partial(RecurrentNetwork, cell="lstm", direction="both"),
    "bigru": partial(RecurrentNetwork, cell="gru", direction="both"),
    "bilstm-attention": AttentiveNetwork,
    "reservoir": Reservoir,
}
"""Every model by name; called with the task's interface, the hidden size, and the model's own flags."""

__all__ = ["CELLS", "MODELS", "Cell", "LengthError", "Network", "Recurrent"]
