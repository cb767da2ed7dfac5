"""The networks: cells as equations, recurrent layers, and models of whole tasks."""

from collections.abc import Callable
from functools import partial

from ablations.models.bag import BagOfWords
from ablations.models.cell import Cell
from ablations.models.cells import CELLS
from ablations.models.convolution import CNN, TCN
from ablations.models.feedforward import FeedForward
from ablations.models.network import LengthError, Network
from ablations.models.recurrent import Recurrent
from ablations.models.recurrent_models import AttentionModel, RecurrentModel, Reservoir

MODELS: dict[str, Callable[..., Network]] = {
    "feedforward": FeedForward,
    "cnn": CNN,
    "tcn": TCN,
    "recurrent": RecurrentModel,
    "birnn": partial(RecurrentModel, cell="rnn", direction="both"),
    "bilstm": partial(RecurrentModel, cell="lstm", direction="both"),
    "bigru": partial(RecurrentModel, cell="gru", direction="both"),
    "bilstm-attention": AttentionModel,
    "bag-of-words": BagOfWords,
    "reservoir": Reservoir,
}
"""Every model by name; called with the task's spec, the hidden size, and the model's own flags."""

__all__ = ["CELLS", "MODELS", "Cell", "LengthError", "Network", "Recurrent"]
