"""What training costs: seconds and operations per sequence of each cell, at several hidden sizes.

R runs, here one; P parameters.
"""

from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter
from typing import Literal

from ablations.models.sizes import count_parameters, solve_size
from ablations.models.variant import Variant
from ablations.study import Budget, Costs, Setting
from ablations.train.batches import training_batches
from ablations.train.cohort import Cohort, Run
from ablations.train.evaluation import count_flops
from ablations.train.metrics import Curve
from ablations.train.training import Training
from tasks.adding import Adding

STEPS = 2
"""Training steps in each timed round. A first round is not reported: it compiles."""

COUNTED = (2, 3)
"""The lengths of which operations are counted. At 2, a sequence has a first and a last step, which can be unlike others."""

View = Literal["equal hidden size", "equal parameters"]


@dataclass(frozen=True)
class Cost:
    """One measurement: a cell at a hidden size, in one of two views; `row` is the reference's hidden size."""

    cell: str
    view: View
    row: int
    hidden: int
    parameters: int
    flops_per_sequence: float
    seconds_per_sequence: Curve


class _Timed:
    """A training of one cell, to be timed a few steps at a time."""

    def __init__(self, cell: str, hidden: int, costs: Costs, seed: int) -> None:
        variant = Variant(cell, "recurrent", {"cell": cell})
        task = Adding(length=costs.length)
        setting = Setting("adding", task, variant, hidden)
        budget = Budget(
            trials=1,
            trials_per_round=1,
            search_seeds=1,
            replicates=1,
            steps=10**6,
            segments=1,
            batch=costs.batch,
            parameters=1,
        )
        run = Run("replicate", 0, seed=0, lr=1e-3, clip=1.0, weight_decay=0.0)
        self.cohort = Cohort(setting, budget, "adam", seed, (run,))
        self.parameters = count_parameters(variant, task.spec, hidden)
        self._training = Training(self.cohort)
        self._batches = list(
            training_batches(
                task.at(costs.length), [partial(self.cohort.generator, run, "train")], 0, STEPS, costs.batch
            )
        )
        self.time_round()

    def time_round(self) -> float:
        """Seconds per sequence of `STEPS` training steps: forward, backward and optimiser."""
        start = perf_counter()
        for batch in self._batches:
            self._training.train_step(batch)
        return (perf_counter() - start) / (STEPS * self.cohort.budget.batch)


def measure(costs: Costs, seed: int) -> list[Cost]:
    """Times all cells at all hidden sizes in both views, on the adding problem, in one thread.

    In each round every cell is timed once, so that a slow moment of the machine meets all of them.
    """
    points = [(view, row, cell) for view in _VIEWS for row in costs.hidden for cell in costs.cells]
    trainings = {point: _Timed(point[2], _hidden(*point, costs), costs, seed) for point in points}
    rounds = [{point: training.time_round() for point, training in trainings.items()} for _ in range(costs.rounds)]
    return [
        Cost(
            cell,
            view,
            row,
            training.cohort.setting.size,
            training.parameters,
            flops(training.cohort, costs.length),
            tuple((number, seconds[view, row, cell]) for number, seconds in enumerate(rounds)),
        )
        for (view, row, cell), training in trainings.items()
    ]


def flops(cohort: Cohort, length: int) -> float:
    """The operations for a sequence of that length, counted on short ones: each step more adds the same number."""
    shorter, longer = (
        count_flops(replace(cohort, setting=replace(cohort.setting, task=Adding(length=steps)))) for steps in COUNTED
    )
    return shorter + (longer - shorter) * (length - COUNTED[0])


_VIEWS: tuple[View, View] = ("equal hidden size", "equal parameters")


def _hidden(view: View, row: int, cell: str, costs: Costs) -> int:
    if view == "equal hidden size":
        return row
    spec = Adding(length=costs.length).spec
    reference = Variant(costs.reference, "recurrent", {"cell": costs.reference})
    return solve_size(Variant(cell, "recurrent", {"cell": cell}), spec, count_parameters(reference, spec, row))
