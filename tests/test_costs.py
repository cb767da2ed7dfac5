"""The measurement of costs: what is counted on short sequences is what a long one needs."""

import pytest

from ablations.models import CELLS
from ablations.models.variant import Variant
from ablations.study import Budget, Setting
from ablations.train.cohort import Cohort, Run
from ablations.train.costs import flops
from ablations.train.evaluation import count_flops
from tasks.adding import Adding

BUDGET = Budget(trials=1, trials_per_round=1, search_seeds=1, replicates=1, steps=1, segments=1, batch=1, parameters=1)


@pytest.mark.parametrize("cell", CELLS)
def test_operations_of_a_sequence_follow_from_those_of_short_ones(cell: str) -> None:
    variant = Variant(cell, "recurrent", {"cell": cell})
    for length in (2, 3, 5, 12):
        setting = Setting("adding", Adding(length=length), variant, 3)
        cohort = Cohort(setting, BUDGET, "adam", 0, (Run("replicate", 0, 0, 1e-3, 1.0, 0.0),))
        assert flops(cohort, length) == count_flops(cohort)
