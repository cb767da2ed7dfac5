"""Two models of your own that are not recurrent networks: a small Transformer and a diagonal state-space layer.

    ablate run examples/own_models.py
    ablate report examples/own_models.py

To see them beside LSTM and GRU on four tasks, on one page: ablate try examples/own_models.py
"""

from math import log

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, softplus

from ablations.models import MODELS, Network
from ablations.models.network import last
from ablations.study import VARIANTS, Budget, Range, Scale, Study, Variant
from tasks import TASKS, TaskSpec


class Transformer(Network):
    """Causal self-attention layers (Vaswani et al. 2017), normalised before each part, with sinusoids for the positions."""

    causal = True

    def __init__(self, spec: TaskSpec, size: int, layers: int = 2, heads: int = 2) -> None:
        super().__init__(spec)
        self.heads, self.width = heads, heads * size  # any size can be divided among the heads
        self.enter = nn.Linear(self.encoder.size, self.width)
        self.blocks = nn.ModuleList(
            nn.ModuleDict(
                {
                    "norm": nn.LayerNorm(self.width),
                    "attend": nn.Linear(self.width, 3 * self.width),
                    "mix": nn.Linear(self.width, self.width),
                    "norm_2": nn.LayerNorm(self.width),
                    "widen": nn.Linear(self.width, 2 * self.width),
                    "narrow": nn.Linear(2 * self.width, self.width),
                }
            )
            for _ in range(layers)
        )
        self.head = nn.Linear(self.width, spec.outputs)

    def forward_encoded(self, x: Tensor, mask: Tensor | None) -> Tensor:
        x = self.enter(x) + self._positions(x)
        for block in self.blocks:
            assert isinstance(block, nn.ModuleDict)
            B, T, _ = x.shape
            parts = block["attend"](block["norm"](x)).view(B, T, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
            queries, keys, values = parts.unbind(0)  # each (B, heads, T, size)
            energies = queries @ keys.mT / queries.shape[-1] ** 0.5
            future = torch.ones(T, T, dtype=torch.bool).triu(1)  # padding comes last, and so is not seen either
            seen = energies.masked_fill(future, -torch.inf).softmax(-1) @ values
            x = x + block["mix"](seen.transpose(1, 2).reshape(B, T, -1))
            x = x + block["narrow"](gelu(block["widen"](block["norm_2"](x))))
        outputs = self.head(x)
        return outputs if self.spec.per_step else last(outputs, mask)

    def _positions(self, x: Tensor) -> Tensor:
        """Sines and cosines of all periods, (T, width): longer sequences than those of training have positions too."""
        periods = torch.exp(torch.arange(0, self.width, 2) * (-log(1000.0) / self.width))
        angles = torch.arange(x.shape[1]).unsqueeze(1) * periods
        return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)[:, : self.width]


class DiagonalStateSpace(Network):
    """A diagonal linear state-space layer as S4D (Gu et al. 2022): its states decay and turn, and do not depend on inputs.

    Real arithmetic: each state is a pair of numbers. The output of a step is the sum over all earlier inputs, weighted by a
    kernel over distances, which is computed at once.
    """

    causal = True
    states = 4  # pairs of numbers for each unit

    def __init__(self, spec: TaskSpec, size: int) -> None:
        super().__init__(spec)
        self.enter = nn.Linear(self.encoder.size, size)
        self.decay = nn.Parameter(torch.full((size, self.states), -3.0))  # softplus of it is the decay of a step
        self.frequency = nn.Parameter(torch.pi * torch.arange(self.states).repeat(size, 1) / 8)
        self.amplitudes = nn.Parameter(torch.randn(2, size, self.states) / self.states)
        self.mix = nn.Linear(size, 2 * size)
        self.norm = nn.LayerNorm(size)
        self.head = nn.Linear(size, spec.outputs)

    def forward_encoded(self, x: Tensor, mask: Tensor | None) -> Tensor:
        u = self.enter(x)
        T = x.shape[1]
        distance = torch.arange(T, dtype=x.dtype).view(-1, 1, 1)  # (T, 1, 1)
        envelope = torch.exp(-softplus(self.decay) * distance)
        turning = self.amplitudes[0] * torch.cos(self.frequency * distance) + self.amplitudes[1] * torch.sin(
            self.frequency * distance
        )
        kernel = (envelope * turning).sum(-1)  # (T, H): the weight of an input that many steps ago
        lags = torch.arange(T).view(-1, 1) - torch.arange(T)  # (T, T)
        weights = torch.where((lags >= 0).unsqueeze(-1), kernel[lags.clamp(min=0)], 0.0)  # (T, T, H)
        y = torch.einsum("tsh,bsh->bth", weights, u)
        gate, value = self.mix(gelu(y)).chunk(2, -1)
        outputs = self.head(self.norm(u + torch.sigmoid(gate) * value))
        return outputs if self.spec.per_step else last(outputs, mask)


MODELS |= {"transformer": Transformer, "s4d": DiagonalStateSpace}

SMOKE = Budget(  # some seconds, to see that it runs; its numbers mean nothing
    trials=2,
    trials_per_round=1,
    search_seeds=1,
    replicates=2,
    steps=20,
    segments=2,
    batch=8,
    parameters=1500,
    validation=32,
    test=64,
)
DEMO = Budget(  # some minutes on two cores
    trials=6,
    trials_per_round=3,
    search_seeds=2,
    replicates=6,
    steps=900,
    segments=9,
    batch=32,
    parameters=3000,
)

STUDY = Study(
    name="own_models",
    question="Do attention or a linear state-space layer remember as a GRU does?",
    variants=(VARIANTS["gru"], Variant("transformer", "transformer", {"layers": 1}), Variant("s4d", "s4d")),
    baseline="gru",
    nuisance={"lr": Range(1e-3, 1e-1)},
    scales={
        "smoke": Scale(tasks={"copying": TASKS["copying"](delay=2, items=2)}, budget=SMOKE),
        "demo": Scale(
            tasks={"copying": TASKS["copying"](delay=6, items=5), "adding": TASKS["adding"](length=20)}, budget=DEMO
        ),
    },
)
