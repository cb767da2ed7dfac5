"""Networks whose sequence layers are recurrent: the plain ones, one that attends, and one that is frozen."""

import torch
from torch import Tensor, nn

from ablations.models.network import Network, silence
from ablations.models.recurrent import Recurrent
from tasks import Interface


class RecurrentNetwork(Network):
    """Any cell, in one or both directions, in one or several layers, and a linear readout.

    A step is answered from its own state, a sequence from the state that each direction ends with.
    """

    def __init__(
        self, interface: Interface, size: int, cell: str = "lstm", bidirectional: bool = False, layers: int = 1
    ) -> None:
        super().__init__(interface)
        self.causal = not bidirectional
        self.recurrent = Recurrent(cell, self.encoder.size, size, bidirectional, layers)
        self.readout = nn.Linear(self.recurrent.output_size, interface.outputs)

    def answer(self, x: Tensor, mask: Tensor | None) -> Tensor:
        states = self.recurrent(x, mask)
        return self.readout(states if self.interface.per_step else self.recurrent.summary(states))


class AdditiveAttention(nn.Module):
    """The additive attention of Bahdanau, Cho & Bengio (2015), equation 6: e = v · tanh(W query + U key).

    queries (B, Q, D), keys (B, T, D), mask (B, T) -> weights (B, Q, T), zero on padding, each row summing to 1.
    """

    def __init__(self, width: int, size: int) -> None:
        super().__init__()
        self.query = nn.Linear(width, size)
        self.key = nn.Linear(width, size, bias=False)
        self.energy = nn.Linear(size, 1, bias=False)

    def forward(self, queries: Tensor, keys: Tensor, mask: Tensor | None) -> Tensor:
        hidden = torch.tanh(self.query(queries).unsqueeze(2) + self.key(keys).unsqueeze(1))
        energies = self.energy(hidden).squeeze(-1)
        if mask is not None:
            energies = torch.where(mask.unsqueeze(1), energies, -torch.inf)
        return energies.softmax(-1)


class AttentiveNetwork(Network):
    """A bidirectional network that looks at all its states before it answers, by additive attention.

    The query is a step's own state, or, for one answer per sequence, what both directions end with; the readout gets
    the query and the attended sum of states. `attention` gives the weights.
    """

    causal = False

    def __init__(self, interface: Interface, size: int, cell: str = "lstm") -> None:
        super().__init__(interface)
        self.recurrent = Recurrent(cell, self.encoder.size, size, bidirectional=True)
        width = self.recurrent.output_size
        self.attend = AdditiveAttention(width, size)
        self.readout = nn.Linear(2 * width, interface.outputs)

    def attention(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        """The weights (B, T, T), or (B, 1, T) where the sequence is answered once."""
        states = self.recurrent(self.encoder(inputs), mask)
        return self.attend(self._queries(states), states, mask)

    def answer(self, x: Tensor, mask: Tensor | None) -> Tensor:
        states = self.recurrent(x, mask)
        queries = self._queries(states)
        context = self.attend(queries, states, mask) @ silence(states, mask)
        outputs = self.readout(torch.cat([queries, context], dim=-1))
        return outputs if self.interface.per_step else outputs.squeeze(1)

    def _queries(self, states: Tensor) -> Tensor:
        return states if self.interface.per_step else self.recurrent.summary(states).unsqueeze(1)


class Reservoir(Network):
    """An echo state network (Jaeger 2001): random recurrent weights that never learn, and a readout that does.

    What random weights can do without training, and so the baseline that a trained network has to beat (Hochreiter &
    Schmidhuber 1997 ask for one). The recurrent weights have the spectral radius 0.95; embedding and input weights
    stay as they start.
    """

    causal = True
    spectral_radius = 0.95

    def __init__(self, interface: Interface, size: int) -> None:
        super().__init__(interface)
        self.recurrent = Recurrent("rnn", self.encoder.size, size)
        self.readout = nn.Linear(size, interface.outputs)
        for part in (self.encoder, self.recurrent):
            part.requires_grad_(False)
        weight = self.recurrent.forwards[0].recurrent_weight
        weight *= self.spectral_radius / torch.linalg.eigvals(weight).abs().max()

    def answer(self, x: Tensor, mask: Tensor | None) -> Tensor:
        states = self.recurrent(x, mask)
        return self.readout(states if self.interface.per_step else self.recurrent.summary(states))
