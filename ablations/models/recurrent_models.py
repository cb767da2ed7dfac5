"""Networks whose sequence layers are recurrent: the plain ones, one that attends, and one that is frozen."""

from typing import Any, Literal

import torch
from torch import Tensor, nn

from ablations.errors import UserError
from ablations.models.attention import Weights, attention
from ablations.models.cell import Cell
from ablations.models.cells import CELLS
from ablations.models.decoder import Decoder, Memory
from ablations.models.initialisation import initialise
from ablations.models.network import Network, mean, zero_padding
from ablations.models.recurrent import Merge, Recurrent, RecurrentLayer
from ablations.registry import check_known, look_up
from tasks import TaskSpec

Pooling = Literal["last", "mean", "max"]
"""What one answer per sequence is read from."""


class RecurrentModel(Network):
    """Any cell, in either direction or both, in one or several layers, and a linear readout, or a decoder of that cell.

    direction: "forward", "backward" or "both"; the two are concatenated, or summed by `merge`.
    pooling: what one answer per sequence is read from: the "last" state of each direction, or the "mean" or "max" of
        its states over the steps.
    forget_bias: what the forget gate's bias starts from in place of the cell's own, a number; or "chrono", by which
        memories last from one step to the longest sequence (Tallec & Ollivier 2018).
    dropout: the share of the outputs that training leaves out between two layers.
    initialisation: what the layers' matrices start from in place of the usual: "orthogonal", "xavier" or "identity".
    """

    start_flags = frozenset({"forget_bias", "initialisation"})

    @classmethod
    def is_causal(cls, **flags: Any) -> bool:
        return flags.get("direction", "forward") == "forward"

    @classmethod
    def cell_of(cls, **flags: Any) -> type[Cell]:
        return look_up(CELLS, flags.get("cell", "lstm"), "cell")

    def __init__(
        self,
        spec: TaskSpec,
        size: int,
        cell: str = "lstm",
        direction: Literal["forward", "backward", "both"] = "forward",
        merge: Merge = "concatenate",
        layers: int = 1,
        pooling: Pooling = "last",
        forget_bias: float | Literal["chrono"] | None = None,
        dropout: float = 0.0,
        initialisation: str | None = None,
    ) -> None:
        super().__init__(spec)
        check_known(("forward", "backward", "both"), direction, "direction")
        check_known(("last", "mean", "max"), pooling, "pooling")
        if pooling != "last" and (spec.per_step or spec.symbols):
            raise UserError(f"pooling {pooling!r} needs a task with one answer per sequence")
        self.causal = self.is_causal(direction=direction)
        self.pooling = pooling
        both, reverse = direction == "both", direction == "backward"
        self.recurrent = Recurrent(cell, self.encoder.size, size, both, layers, reverse, merge, dropout)
        if spec.symbols:
            self.decoder = Decoder(spec, cell, self.recurrent.output_size, size)
        else:
            self.head = nn.Linear(self.recurrent.output_size, spec.outputs)
        for part in self.modules():
            if isinstance(part, RecurrentLayer):
                if initialisation is not None:
                    initialise(part, initialisation)
                if forget_bias is not None:
                    start_forget_gate(part, forget_bias, spec.length)

    def forward_encoded(self, x: Tensor, mask: Tensor | None) -> Tensor:
        states, final = self.recurrent.forward_with_state(x, mask)
        return self.head(states if self.spec.per_step else pool(states, final, mask, self.pooling))

    def read(self, x: Tensor, mask: Tensor | None) -> Memory:
        return memory_of(self.recurrent, x, mask)


def memory_of(recurrent: Recurrent, x: Tensor, mask: Tensor | None) -> Memory:
    """What recurrent layers hold of encoded inputs x (B, T, D): all their states, and what each direction ends with."""
    states, final = recurrent.forward_with_state(x, mask)
    return Memory(zero_padding(states, mask), final, mask)


def pool(states: Tensor, final: Tensor, mask: Tensor | None, pooling: Pooling) -> Tensor:
    """One vector (B, D) for a sequence: its `final` state, or the mean or maximum of its states (B, T, D)."""
    if pooling == "last":
        return final
    if pooling == "mean":
        return mean(states, mask)
    return (states if mask is None else torch.where(mask.unsqueeze(-1), states, -torch.inf)).amax(1)


@torch.no_grad()
def start_forget_gate(layer: RecurrentLayer, bias: float | Literal["chrono"], length: int) -> None:
    """Starts the forget gate's bias from a number in place of the cell's own; or by the chrono rule, for sequences of
    up to that length: the forget gate's from log u, u uniform in [1, length − 1], and the input gate's from minus that.
    """
    if isinstance(bias, str):
        check_known(("chrono",), bias, "forget_bias")
    needed = {"f", "i"} if bias == "chrono" else {"f"}
    names = layer.cell.gates_with()
    if missing := needed.difference(names):
        raise UserError(f"forget_bias {bias!r} needs a cell with gate {sorted(missing)[0]}; {layer.cell.name} has none")
    if bias != "chrono":
        layer.shift_biases({"f": bias - layer.cell.biases().get("f", 0.0)})
        return
    if layer.bias.is_meta:  # there are no numbers, and a logarithm would load torch's compiler
        return
    gates = dict(zip(names, layer.bias.chunk(len(names)), strict=True))
    gates["f"].copy_(torch.empty(layer.hidden_size).uniform_(1, max(2, length - 1)).log())
    gates["i"].copy_(-gates["f"])


class AttentionModel(Network):
    """A bidirectional network that looks at all its states before it answers, by additive attention.

    The query is a step's own state, or, for one answer per sequence, what both directions end with; the readout gets
    the query and the attended sum of states. Where answers are written, the decoder attends. `attention` gives the weights.
    weights: "learned", or "uniform": all states alike, so that what choosing adds can be told from what states add.
    """

    causal = False

    @classmethod
    def cell_of(cls, **flags: Any) -> type[Cell]:
        return look_up(CELLS, flags.get("cell", "lstm"), "cell")

    def __init__(self, spec: TaskSpec, size: int, cell: str = "lstm", weights: Weights = "learned") -> None:
        super().__init__(spec)
        self.recurrent = Recurrent(cell, self.encoder.size, size, bidirectional=True)
        width = self.recurrent.output_size
        if spec.symbols:
            self.decoder = Decoder(spec, cell, width, size, weights)
        else:
            self.attend = attention(weights, width, width, size)
            self.head = nn.Linear(2 * width, spec.outputs)

    def attention(self, inputs: Tensor, mask: Tensor | None = None, prefix: Tensor | None = None) -> Tensor:
        """The weights (B, T, T), or (B, 1, T) where the sequence is answered once, or (B, U, T) after a prefix (B, U)."""
        memory = self.read(self.encoder(inputs), mask)
        if self.decoder is not None and self.decoder.attend is not None and prefix is not None:
            return self.decoder.attend(self.decoder.states(memory, prefix), memory.states, mask)
        return self.attend(self._queries(memory), memory.states, mask)

    def forward_encoded(self, x: Tensor, mask: Tensor | None) -> Tensor:
        memory = self.read(x, mask)
        queries = self._queries(memory)
        context = self.attend(queries, memory.states, mask) @ memory.states
        outputs = self.head(torch.cat([queries, context], dim=-1))
        return outputs if self.spec.per_step else outputs.squeeze(1)

    def read(self, x: Tensor, mask: Tensor | None) -> Memory:
        return memory_of(self.recurrent, x, mask)

    def _queries(self, memory: Memory) -> Tensor:
        return memory.states if self.spec.per_step else memory.final.unsqueeze(1)


class Reservoir(Network):
    """An echo state network (Jaeger 2001): random recurrent weights that never learn, and a readout that does.

    What random weights can do without training, and so the baseline that a trained network has to beat (Hochreiter &
    Schmidhuber 1997 ask for one). The recurrent weights have the spectral radius 0.95; embedding and input weights
    stay as they start.
    """

    causal = True
    spectral_radius = 0.95

    @classmethod
    def cell_of(cls, **flags: Any) -> type[Cell]:
        return CELLS["rnn"]

    def __init__(self, spec: TaskSpec, size: int) -> None:
        super().__init__(spec)
        self.recurrent = Recurrent("rnn", self.encoder.size, size)
        self.head = nn.Linear(size, spec.outputs)
        for part in (self.encoder, self.recurrent):
            part.requires_grad_(False)
        weight = self.recurrent.get_parameter("layers.0.0.recurrent_weight")
        if not weight.is_meta:  # on the meta device there are no numbers, see `Variant.shapes`
            weight.mul_(self.spectral_radius / torch.linalg.eigvals(weight).abs().max())

    def forward_encoded(self, x: Tensor, mask: Tensor | None) -> Tensor:
        states, final = self.recurrent.forward_with_state(x, mask)
        return self.head(states if self.spec.per_step else final)
