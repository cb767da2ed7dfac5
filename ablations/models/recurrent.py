"""Recurrent layers: a cell over time, in either direction or both, in one or several layers."""

from collections.abc import Iterable, Mapping
from math import sqrt
from operator import index
from typing import Literal, SupportsIndex

import torch
from torch import Tensor, nn

from ablations.errors import UserError
from ablations.models.backends import backend_of, compute
from ablations.models.cell import Cell
from ablations.models.cell_check import check_cell
from ablations.models.cells import CELLS
from ablations.models.eager import Weights, quantities
from ablations.models.transforms import is_autocast, is_tracing
from ablations.registry import check_known, look_up

Merge = Literal["concatenate", "sum"]
"""How what two directions say becomes one."""


def cell_of(cell: str | type[Cell]) -> type[Cell]:
    """The cell of that name, or the class itself. Raises `UserError` where it is neither.

    >>> cell_of("gru")
    <class 'ablations.models.gru.GRU'>
    """
    if isinstance(cell, str):
        return look_up(CELLS, cell, "cell")
    if not (isinstance(cell, type) and issubclass(cell, Cell)):
        raise UserError(f"cell must be the name of a cell or a subclass of Cell, got {cell!r}")
    return cell


class RecurrentLayer(nn.Module):
    """One cell over time in one direction: x (B, T, I) -> outputs (B, T, H) and the final state (S, B, H).

    Its parameters are those of `Weights`, None where the cell has no use for one. They start uniform in ±1/√H as
    torch.nn's do, biases shifted by what the cell asks for; where its recurrent weights start from the identity, its
    biases start from zero (Le et al. 2015).
    """

    weight: Tensor
    recurrent_weight: Tensor | None
    bias: Tensor
    recurrent_bias: Tensor | None
    vectors: Tensor | None
    feedback_weight: Tensor | None

    def __init__(self, cell: str | type[Cell], input_size: int, hidden_size: int, reverse: bool = False) -> None:
        super().__init__()
        self.cell = cell_of(cell)
        check_cell(self.cell)
        self.hidden_size = H = hidden_size
        self.reverse = reverse
        gates, fed = len(self.cell.gates), len(self.cell.gates_with(feedback=True))
        self._register("weight", gates * H, input_size)
        self._register("recurrent_weight", len(self.cell.connected()) * H, H)
        self._register("bias", gates * H)
        self._register("recurrent_bias", len(self.cell.gates_with(recurrent="apart")) * H)
        self._register("vectors", len(self.cell.vectors), H)
        self._register("feedback_weight", fed * H, fed * H)
        self.reset_parameters()

    def _register(self, name: str, *shape: int) -> None:
        """A parameter of that shape, or none where that is empty."""
        values = torch.empty(shape)
        self.register_parameter(name, nn.Parameter(values) if values.numel() else None)

    @torch.no_grad()
    def reset_parameters(self) -> None:
        if self.bias.is_meta:  # there are no numbers, and torch would load its compiler
            return
        bound = 1 / sqrt(self.hidden_size)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)
        if self.cell.start == "identity" and self.recurrent_weight is not None:
            for block in self.recurrent_weight.chunk(len(self.cell.connected())):
                nn.init.eye_(block)
            nn.init.zeros_(self.bias)
        self.shift_biases(self.cell.biases())

    @torch.no_grad()
    def shift_biases(self, shifts: Mapping[str, float | Tensor]) -> None:
        """Adds to the biases of some gates a number, or a number for each unit."""
        for gate, bias in zip(self.cell.gates, self.bias.chunk(len(self.cell.gates)), strict=True):
            bias += shifts.get(gate.name, 0.0)

    def forward(self, x: Tensor, mask: Tensor | None = None, initial: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Outputs (B, T, H) and the final state (S, B, H); where mask (B, T) is false the state stands still.

        Raises ValueError where a shape or a kind of number does not fit.
        """
        if not is_tracing():  # there, sizes are tensors
            self._check(x, mask, initial)
        if initial is None:
            initial = x.new_zeros(len(self.cell.state), x.shape[0], self.hidden_size)
        return compute(self.cell, x, mask, initial, self._weights, self.reverse)

    def quantities(self, x: Tensor) -> dict[str, Tensor]:
        """What the cell's equations name at each step of x (B, T, I) without padding: name -> (B, T, H)."""
        self._check(x, None, None)
        return quantities(self.cell, x, self._weights, self.reverse)

    @property
    def _weights(self) -> Weights:
        return Weights(
            self.weight, self.recurrent_weight, self.bias, self.recurrent_bias, self.vectors, self.feedback_weight
        )

    def extra_repr(self) -> str:
        """The cell, the sizes, and the backend that computes it where the weights are now."""
        backend = backend_of(self.cell, self.weight.device.type, self.weight.dtype)
        direction = ", reverse=True" if self.reverse else ""
        return f"{self.cell.name!r}, {self.weight.shape[1]}, {self.hidden_size}{direction}, backend={backend}"

    def _check(self, x: Tensor, mask: Tensor | None, initial: Tensor | None) -> None:
        """A kernel would read what lies beside a tensor of another shape."""
        if x.dim() != 3 or x.shape[-1] != self.weight.shape[1]:
            raise ValueError(f"x must have the shape (B, T, {self.weight.shape[1]}), got {tuple(x.shape)}")
        if not x.shape[1]:
            raise ValueError(f"x must have at least one step, got the shape {tuple(x.shape)}")
        is_cast = is_autocast(x.device.type)
        if x.dtype != self.weight.dtype and not is_cast:
            raise ValueError(f"x must be {self.weight.dtype} as the weights are, got {x.dtype}")
        if mask is not None and (mask.shape != x.shape[:2] or mask.dtype != torch.bool):
            raise ValueError(f"mask must be bool of shape {tuple(x.shape[:2])}, got {mask.dtype} {tuple(mask.shape)}")
        state = (len(self.cell.state), x.shape[0], self.hidden_size)
        if initial is not None and (initial.shape != state or (initial.dtype != x.dtype and not is_cast)):
            raise ValueError(f"initial must be {x.dtype} of shape {state}, got {initial.dtype} {tuple(initial.shape)}")


MOST_LAYERS = 100
"""Layers of one stack; more were not meant."""


def recurrent_layers(
    cell: str | type[Cell], input_sizes: Iterable[int], hidden_size: int, directions: Iterable[bool]
) -> nn.ModuleList:
    """A list for each input size, of a layer for each direction: true reads the last step first."""
    return nn.ModuleList(
        nn.ModuleList(RecurrentLayer(cell, size, hidden_size, direction) for direction in directions)
        for size in input_sizes
    )


def whole_sizes(**sizes: int) -> list[int]:
    """The sizes as Python's own integers, which NumPy's are not. Raises `UserError` where one is none, or less than 1."""
    for name, size in sizes.items():
        if isinstance(size, bool) or not isinstance(size, SupportsIndex) or index(size) < 1:
            raise UserError(f"{name} must be an integer of at least 1, got {size!r}")
    return [index(size) for size in sizes.values()]


class Recurrent(nn.Module):
    """A stack of recurrent layers of one cell: x (B, T, D) -> outputs (B, T, H), or (B, T, 2H) in both directions.

    The cell is one of `CELLS` by its name, or the class of any.

    In `reverse`, a layer of one direction reads the last step first. Two directions' outputs are concatenated, or, by
    `merge`, summed. Where mask (B, T) is false, on the padding after a sequence, the state stands still.
    `dropout` is the share of the outputs that training leaves out between two layers.

    >>> layer = Recurrent("gru", input_size=3, hidden_size=4, bidirectional=True, layers=2)
    >>> layer(torch.zeros(2, 5, 3)).shape
    torch.Size([2, 5, 8])
    """

    def __init__(
        self,
        cell: str | type[Cell],
        input_size: int,
        hidden_size: int,
        bidirectional: bool = False,
        layers: int = 1,
        reverse: bool = False,
        merge: Merge = "concatenate",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        input_size, hidden_size, layers = whole_sizes(input_size=input_size, hidden_size=hidden_size, layers=layers)
        if layers > MOST_LAYERS:
            raise UserError(f"layers must be at most {MOST_LAYERS}, got {layers}")
        check_known(("concatenate", "sum"), merge, "merge")
        if merge != "concatenate" and not bidirectional:
            raise UserError(f"merge {merge!r} needs both directions")
        if not 0 <= dropout < 1 or (dropout and layers == 1):
            raise UserError(
                f"dropout acts between layers: it is 0 or more, below 1, and 0 in one layer; got {dropout!r}"
            )
        self.merge = merge
        self.dropout = nn.Dropout(dropout) if dropout else None
        self.output_size = hidden_size * (2 if bidirectional and merge == "concatenate" else 1)
        sizes = [input_size, *[self.output_size] * (layers - 1)]
        self.layers = recurrent_layers(cell, sizes, hidden_size, (False, True) if bidirectional else (reverse,))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """The outputs of all steps; `mask` is true on real steps, and the state stands still on all others."""
        outputs, _ = self.forward_with_state(x, mask)
        return outputs

    def forward_with_state(self, x: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The outputs, and what each direction of the last layer holds when it has read everything: (B, H or 2H)."""
        for number, layer in enumerate(self.layers):
            if number and self.dropout is not None:
                # Drawn step by step: padding that longer sequences of others ask for comes last, and changes no draw before.
                x = self.dropout(x.transpose(0, 1).contiguous()).transpose(0, 1)
            read = [direction(x, mask) for direction in layer.children()]
            x = self._merged([outputs for outputs, _ in read])
        return x, self._merged([state[0] for _, state in read])

    def _merged(self, parts: list[Tensor]) -> Tensor:
        if len(parts) == 1:
            return parts[0]
        return torch.cat(parts, dim=-1) if self.merge == "concatenate" else torch.stack(parts).sum(0)
