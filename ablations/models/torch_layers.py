"""Layers that are called as torch.nn's recurrent layers are, and computed as all others here: `ablations.nn`.

B sequences, T steps, I inputs, H units, D directions, S states of a cell.
"""

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from ablations.errors import UserError
from ablations.models import gru, lstm, rnn
from ablations.models.backends import backend_of, compute
from ablations.models.cell import Cell
from ablations.models.eager import Weights
from ablations.models.recurrent import RecurrentLayer, cell_of, recurrent_layers, whole_sizes
from ablations.models.sequences import Given, Sequences
from ablations.models.transforms import is_autocast, is_tracing

State = Tensor | tuple[Tensor, ...]
"""The state of all layers and directions, each (L·D, B, H) or (L·D, H): one tensor, or a tuple where a cell has several."""


class _Called:
    """What makes of layers over (B, T, I) a module that is called as torch.nn's recurrent layers are."""

    cell: type[Cell]
    input_size: int
    hidden_size: int
    num_layers: int
    batch_first: bool
    dropout: float
    bidirectional: bool
    training: bool

    def forward(self, input: Given, hx: State | None = None) -> tuple[Given, State]:
        """The outputs of all steps in the form of the input, and the final state, as torch.nn's layers return them.

        Raises ValueError or RuntimeError, as they do, where a shape or a kind of floats does not fit.
        """
        sequences = Sequences.of(input, self.batch_first)
        if not is_tracing():  # there, sizes are tensors
            self._check(sequences.x, [] if hx is None else self._states(hx), sequences.is_single)
        initial = None if hx is None else torch.stack([sequences.initial(state) for state in self._states(hx)], 1)
        x = sequences.x
        finals: list[Tensor] = []
        directions = (False, True) if self.bidirectional else (False,)
        for depth in range(self.num_layers):
            if depth and self.dropout and self.training:
                x = sequences.dropped_out(x, self.dropout)
            read = []
            for reverse in directions:
                start = None if initial is None else initial[len(finals)]
                outputs, final = self._read(depth, reverse, x, sequences.mask, start)
                read.append(outputs)
                finals.append(final)
            x = torch.cat(read, -1) if self.bidirectional else read[0]
        states = tuple(sequences.final(state) for state in torch.stack(finals, 1).unbind(0))
        return sequences.in_given_form(x), states if len(states) > 1 else states[0]

    def _read(
        self, depth: int, reverse: bool, x: Tensor, mask: Tensor | None, initial: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Outputs (B, T, H) and final state (S, B, H) of one layer and direction."""
        raise NotImplementedError

    def _dtype(self) -> torch.dtype:
        """The weights' kind of floats."""
        raise NotImplementedError

    def _states(self, hx: State) -> tuple[Tensor, ...]:
        """The user's state as a tuple of one tensor for each of the cell's states."""
        names, given = self.cell.state, (hx,) if isinstance(hx, Tensor) else tuple(hx)
        if len(given) != len(names) or (len(names) > 1 and isinstance(hx, Tensor)):
            wanted = f"a tuple ({', '.join(f'{name}_0' for name in names)})" if len(names) > 1 else "one tensor"
            got = "a tensor" if isinstance(hx, Tensor) else f"{len(given)} of them"
            raise UserError(f"hx must be {wanted}, got {got}")
        return given

    def _check(self, x: Tensor, states: Sequence[Tensor], is_single: bool) -> None:
        if x.shape[-1] != self.input_size:
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got {x.shape[-1]}"
            )
        if x.shape[1] == 0:
            raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
        if x.dtype != self._dtype() and not is_autocast(x.device.type):
            raise ValueError(
                f"RNN input dtype ({x.dtype}) does not match weight dtype ({self._dtype()}). "
                f"Convert input: input.to({self._dtype()}), or convert model: model.to({x.dtype})"
            )
        for state in states:
            self._check_state(state, x, is_single)

    def _check_state(self, state: Tensor, x: Tensor, is_single: bool) -> None:
        dimensions = 2 if is_single else 3
        if state.dim() != dimensions:
            batch = "unbatched 2-D" if is_single else "batched 3-D"
            raise RuntimeError(f"For {batch} input, hx should also be {dimensions}-D but got {state.dim()}-D tensor")
        layers = self.num_layers * (2 if self.bidirectional else 1)
        expected = (layers, self.hidden_size) if is_single else (layers, x.shape[0], self.hidden_size)
        if state.shape != expected:
            raise RuntimeError(f"Expected hidden size {expected}, got {list(state.shape)}")
        if state.dtype != x.dtype and not is_autocast(x.device.type):
            raise ValueError(f"hx must be {x.dtype} as the input is, got {state.dtype}")


class _Twin(_Called, nn.RNNBase):
    """A layer of torch.nn, with its parameters and their start, whose `forward` runs by one of our cells."""

    def flatten_parameters(self) -> None:
        """Does nothing: it is for a GPU library that these layers do not call."""

    def extra_repr(self) -> str:
        """What torch.nn's says, and the backend that computes the layer where its weights are now."""
        weight = cast(Tensor, self.weight_ih_l0)
        return f"{super().extra_repr()}, backend={backend_of(self.cell, weight.device.type, weight.dtype)}"

    def _dtype(self) -> torch.dtype:
        return cast(Tensor, self.weight_ih_l0).dtype

    def _read(
        self, depth: int, reverse: bool, x: Tensor, mask: Tensor | None, initial: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        if initial is None:
            initial = x.new_zeros(len(self.cell.state), x.shape[0], self.hidden_size)
        return compute(self.cell, x, mask, initial, self._weights(f"l{depth}{'_reverse' * reverse}"), reverse)

    def _weights(self, name: str) -> Weights:
        """The parameters of that layer and direction. Of its two biases a cell has one, but for gates whose parts stand apart."""
        weight, recurrent = getattr(self, f"weight_ih_{name}"), getattr(self, f"weight_hh_{name}")
        rows, joined = (
            self.hidden_size * len(names) for names in (self.cell.gates_with(), self.cell.gates_with(recurrent="added"))
        )
        if self.bias:
            bias, recurrent_bias = getattr(self, f"bias_ih_{name}"), getattr(self, f"bias_hh_{name}")
        else:
            bias = recurrent_bias = weight.new_zeros(rows)
        if joined == rows:
            return Weights(weight, recurrent, bias + recurrent_bias, None, None, None)
        both = torch.cat([bias[:joined] + recurrent_bias[:joined], bias[joined:]])  # those gates are torch.nn's last
        return Weights(weight, recurrent, both, recurrent_bias[joined:], None, None)


class LSTM(_Twin, nn.LSTM):  # type: ignore[misc]  # the signature of forward is torch.nn's own
    """`torch.nn.LSTM`, computed by the kernels: the same arguments, parameters, results and start.

    `proj_size` is refused with a `UserError`.

    >>> layer = LSTM(3, 4, num_layers=2, batch_first=True)
    >>> outputs, (h_n, c_n) = layer(torch.zeros(5, 7, 3))
    >>> outputs.shape, h_n.shape, c_n.shape
    (torch.Size([5, 7, 4]), torch.Size([2, 5, 4]), torch.Size([2, 5, 4]))
    >>> nn.LSTM(3, 4, num_layers=2).load_state_dict(layer.state_dict())
    <All keys matched successfully>
    >>> layer
    LSTM(3, 4, num_layers=2, batch_first=True, backend=kernel)
    """

    cell = lstm.LSTM

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.proj_size:
            raise UserError(f"proj_size={self.proj_size} is not available in ablations.nn; torch.nn.LSTM has it")


class GRU(_Twin, nn.GRU):  # type: ignore[misc]  # the signature of forward is torch.nn's own
    """`torch.nn.GRU`, computed by the kernels: the same arguments, parameters, results and start.

    >>> outputs, h_n = GRU(3, 4, bidirectional=True)(torch.zeros(7, 5, 3))
    >>> outputs.shape, h_n.shape
    (torch.Size([7, 5, 8]), torch.Size([2, 5, 4]))
    """

    cell = gru.GRU


class RNN(_Twin, nn.RNN):  # type: ignore[misc]  # the signature of forward is torch.nn's own
    """`torch.nn.RNN`, computed by the kernels: the same arguments, parameters, results and start.

    >>> RNN(3, 4, nonlinearity="relu")(torch.zeros(7, 3))[0].shape
    torch.Size([7, 4])
    """

    @property
    def cell(self) -> type[Cell]:  # type: ignore[override]
        """By the nonlinearity."""
        return rnn.RNNRelu if self.mode == "RNN_RELU" else rnn.RNN


class Recurrent(_Called, nn.Module):
    """Any cell, by its name or class, with the arguments and results of torch.nn's recurrent layers.

    Its parameters and their start are those of the cell, in `layers[depth][direction]`. The state is a tensor, or a tuple
    with one for each of the cell's states where it has several.

    >>> layer = Recurrent("lstm-peepholes", 3, 4, bidirectional=True)
    >>> outputs, (h_n, c_n) = layer(torch.zeros(7, 5, 3))
    >>> outputs.shape, c_n.shape
    (torch.Size([7, 5, 8]), torch.Size([2, 5, 4]))
    >>> outputs, h_n = Recurrent(gru.MGU, 3, 4, batch_first=True)(torch.zeros(5, 7, 3))
    """

    def __init__(
        self,
        cell: str | type[Cell],
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        input_size, hidden_size, num_layers = whole_sizes(
            input_size=input_size, hidden_size=hidden_size, num_layers=num_layers
        )
        if not bias:
            raise UserError("bias=False is not available for cells: every gate has one; torch.nn's own layers take it")
        if not 0 <= dropout <= 1:
            raise UserError(f"dropout must be a probability, got {dropout!r}")
        self.cell, self.input_size, self.hidden_size, self.num_layers = (
            cell_of(cell),
            input_size,
            hidden_size,
            num_layers,
        )
        self.batch_first, self.dropout, self.bidirectional = batch_first, dropout, bidirectional
        directions = (False, True) if bidirectional else (False,)
        sizes = [input_size, *[hidden_size * len(directions)] * (num_layers - 1)]
        self.layers = recurrent_layers(cell, sizes, hidden_size, directions)
        self.to(device=device, dtype=dtype)

    def flatten_parameters(self) -> None:
        """Does nothing; torch.nn's layers have it."""

    def _dtype(self) -> torch.dtype:
        return self._layer(0, reverse=False).weight.dtype

    def _read(
        self, depth: int, reverse: bool, x: Tensor, mask: Tensor | None, initial: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        return self._layer(depth, reverse)(x, mask, initial)

    def _layer(self, depth: int, reverse: bool) -> RecurrentLayer:
        directions: Sequence[RecurrentLayer] = self.layers[depth]  # type: ignore[assignment]
        return directions[int(reverse)]
