"""Three more cells of your own: two from papers, as equations, and one with layer normalisation, as a model.

    ablate run examples/own_cells.py
    ablate report examples/own_cells.py

To see one of them beside LSTM and GRU on four tasks, on one page: ablate try examples/own_cells.py
"""

from types import SimpleNamespace

import torch
from torch import Tensor, nn

from ablations.models import CELLS, MODELS, Cell, Network
from ablations.models.cell import Functions, Value
from ablations.models.gate import Gate
from ablations.models.network import last
from ablations.study import VARIANTS, Budget, Range, Scale, Study, Variant
from tasks import TASKS, TaskSpec


class LightGRU(Cell):
    """The light GRU (Ravanelli et al. 2018) without its batch normalisation: no reset gate, and a candidate by relu."""

    name = "gru-light"
    gates = (Gate("z"), Gate("n"))
    parent, change = CELLS["gru"], "no reset gate, relu candidate"

    @staticmethod
    def step(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Value]:
        z, n = f.sigmoid(a.z), f.relu(a.n)
        return {"z": z, "n": n, "h": z * s.h + (1 - z) * n}


class Oscillators(Cell):
    """A coupled oscillatory RNN (Rusch & Mishra 2021): each unit swings, with a frequency and a damping that it learns."""

    name = "cornn"
    gates = (Gate("u", feedback=False),)
    state = ("h", "velocity")
    vectors = ("frequency", "damping")

    @staticmethod
    def step(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Value]:
        force = f.tanh(a.u) - f.softplus(v.frequency) * s.h - f.softplus(v.damping) * s.velocity
        velocity = s.velocity + 0.2 * force
        return {"velocity": velocity, "h": s.h + 0.2 * velocity}


CELLS |= {cell.name: cell for cell in (LightGRU, Oscillators)}


class NormalisedGRU(Network):
    """A GRU whose gates are normalised over the units at each step (layer normalisation, Ba et al. 2016).

    The equations of a cell work on each unit by itself, so this is a model: the loop over the steps is written out.
    """

    causal = True

    def __init__(self, spec: TaskSpec, size: int) -> None:
        super().__init__(spec)
        self.size = size
        self.inputs = nn.Linear(self.encoder.size, 3 * size)
        self.recurrent = nn.Linear(size, 3 * size, bias=False)
        self.norms = nn.ModuleList(nn.LayerNorm(size) for _ in range(3))
        self.head = nn.Linear(size, spec.outputs)

    def forward_encoded(self, x: Tensor, mask: Tensor | None) -> Tensor:
        h = x.new_zeros(len(x), self.size)
        states = []
        for step in self.inputs(x).unbind(1):
            (r, z, n), (r_h, z_h, n_h) = step.chunk(3, -1), self.recurrent(h).chunk(3, -1)
            r, z = (torch.sigmoid(norm(a + b)) for norm, a, b in zip(self.norms, (r, z), (r_h, z_h), strict=False))
            h = (1 - z) * torch.tanh(self.norms[2](n + r * n_h)) + z * h
            states.append(h)
        outputs = self.head(torch.stack(states, dim=1))
        return outputs if self.spec.per_step else last(outputs, mask)  # causal: what follows an end changes nothing


MODELS["gru-layer-norm"] = NormalisedGRU

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
DEMO = Budget(  # some minutes on two cores: the loop over the steps takes its time
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
    name="own_cells",
    question="Which change to a GRU helps it to add: fewer gates, swinging units, or layer normalisation?",
    variants=(
        VARIANTS["gru"],
        Variant("gru-light", "recurrent", {"cell": "gru-light"}, parent="gru", change=LightGRU.change),
        Variant("cornn", "recurrent", {"cell": "cornn"}),
        Variant("gru-layer-norm", "gru-layer-norm", parent="gru", change="gates normalised over the units"),
    ),
    baseline="gru",
    nuisance={"lr": Range(1e-3, 1e-1)},
    scales={
        "smoke": Scale(tasks={"adding": TASKS["adding"](length=6)}, budget=SMOKE),
        "demo": Scale(tasks={"adding": TASKS["adding"](length=20)}, budget=DEMO),
    },
)
