"""A cell of your own: a simple RNN in which each unit learns how much of its state to keep.

Train it, write its report, and read its equations:

    ablate run examples/own_cell.py
    ablate report examples/own_cell.py
    ablate show examples/own_cell.py
"""

from types import SimpleNamespace

from ablations.models import CELLS
from ablations.models.cell import Functions, Value
from ablations.models.rnn import RNN
from ablations.study import Budget, Range, Scale, Study, Variant
from tasks import TASKS


class LeakyRNN(RNN):
    """A simple RNN with a leak: each unit keeps a share k of its state, and it learns k."""

    name = "rnn-leaky"
    parent, change = RNN, "a learnt leak for each unit"
    vectors = ("p",)  # one weight vector of H numbers; the gates are those of RNN

    @staticmethod
    def step(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Value]:
        k = f.sigmoid(v.p)
        return {"k": k, "h": k * s.h + (1 - k) * f.tanh(a.h)}


CELLS[LeakyRNN.name] = LeakyRNN

STUDY = Study(
    name="own_cell",
    question="Does a learnt leak help a simple recurrent network to add?",
    variants=(
        Variant("rnn", "recurrent", {"cell": "rnn"}),
        Variant("rnn-leaky", "recurrent", {"cell": "rnn-leaky"}, parent="rnn", change=LeakyRNN.change),
    ),
    baseline="rnn",
    nuisance={"lr": Range(1e-3, 1e-1)},  # what Optuna searches, for each variant on each task
    transferred=True,  # train the ablation a second time, with the best learning rate of its parent
    scales={
        "smoke": Scale(  # some seconds, to see that it runs; its numbers mean nothing
            tasks={"adding": TASKS["adding"](length=6)},
            budget=Budget(
                trials=2,
                trials_per_round=1,
                search_seeds=1,
                replicates=2,
                steps=20,
                segments=2,
                batch=8,
                parameters=200,
                validation=32,
                test=64,
            ),
        ),
        "demo": Scale(  # about a minute on two cores
            tasks={"adding": TASKS["adding"](length=20)},
            budget=Budget(
                trials=6,
                trials_per_round=3,
                search_seeds=2,
                replicates=6,
                steps=1000,
                segments=10,
                batch=32,
                parameters=3000,
            ),
        ),
    },
)
