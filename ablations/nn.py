"""Recurrent layers for scripts of your own, called as torch.nn's are and computed by the kernels.

In a script that says `from torch import nn`, one changed import is enough for one of its layers:

>>> import torch
>>> from ablations.nn import LSTM  # in place of torch.nn.LSTM
>>> outputs, (h_n, c_n) = LSTM(input_size=10, hidden_size=20)(torch.zeros(5, 3, 10))
>>> outputs.shape
torch.Size([5, 3, 20])

A `state_dict` of torch.nn loads, and the other way round. Where no kernel can run (other devices and kinds of floats, export
and trace, derivatives of a higher order or in forward mode) the same equations are computed step by step in torch; nobody has
to ask for it. `Recurrent` takes any cell, by its name or class.
"""

from ablations.models.torch_layers import GRU, LSTM, RNN, Recurrent

__all__ = ["GRU", "LSTM", "RNN", "Recurrent"]
