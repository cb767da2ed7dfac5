"""A model of your own: a recurrent network whose states are normalised before they are read.

The equations of a cell work on each unit by itself. What looks at all units at once, as layer normalisation does, is
written as a model: an ordinary module. Train it beside the same network without it, and write the report:

    ablate run examples/own_model.py
    ablate report examples/own_model.py
"""

from typing import Any

from torch import Tensor, nn

from ablations.models import CELLS, MODELS, Cell, Network, Recurrent
from ablations.study import Budget, Range, Scale, Study, Variant
from tasks import TASKS, TaskSpec


class NormalisedModel(Network):
    """A recurrent layer of any cell, layer normalisation (Ba et al. 2016) of its states, and a linear head."""

    causal = True  # what it says of a step depends on nothing that comes later

    @classmethod
    def cell_of(cls, **flags: Any) -> type[Cell]:
        """Which cell's equations run, so that the report can print them. A model without cells leaves this out."""
        return CELLS[flags.get("cell", "gru")]

    # A model is called with the task's spec, the hidden size, and flags of its own. The size is chosen by the study, so
    # that the model has as many parameters as the budget says.
    def __init__(self, spec: TaskSpec, size: int, cell: str = "gru") -> None:
        super().__init__(spec)  # makes self.encoder: tokens to vectors; feature vectors stay as they are
        self.recurrent = Recurrent(cell, self.encoder.size, size)
        self.norm = nn.LayerNorm(size)
        self.head = nn.Linear(size, spec.outputs)

    def forward_encoded(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """x (B, T, D) -> outputs (B, T, K) where the task asks at every step, else (B, K)."""
        states, last = self.recurrent.forward_with_state(x, mask)
        return self.head(self.norm(states if self.spec.per_step else last))


MODELS["normalised"] = NormalisedModel

STUDY = Study(
    name="own_model",
    question="Does it help a GRU if its states are normalised before they are read?",
    variants=(
        Variant("gru", "recurrent", {"cell": "gru"}),
        Variant("gru-normalised", "normalised", {"cell": "gru"}, parent="gru", change="states normalised when read"),
    ),
    baseline="gru",
    nuisance={"lr": Range(1e-3, 1e-1)},
    scales={
        "smoke": Scale(  # some seconds, to see that it runs; its numbers mean nothing
            tasks={"copying": TASKS["copying"](delay=2, items=2)},
            budget=Budget(
                trials=2,
                trials_per_round=1,
                search_seeds=1,
                replicates=2,
                steps=20,
                segments=2,
                batch=8,
                parameters=600,
                validation=32,
                test=64,
            ),
        ),
        "demo": Scale(  # about a minute on two cores
            tasks={"copying": TASKS["copying"](delay=6, items=5), "adding": TASKS["adding"](length=20)},
            budget=Budget(
                trials=6,
                trials_per_round=3,
                search_seeds=2,
                replicates=6,
                steps=900,
                segments=9,
                batch=32,
                parameters=3000,
            ),
        ),
    },
)
