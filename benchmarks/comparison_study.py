"""The study that the suite and the user's script both carry out, as a file for `ablate run`.

No trial is pruned: all are of the first round, and in this narrow range of learning rates none is clearly worse than the
median one. Their draws are the same for both cells. There is no second round, so that no sampler is waited for.
"""

from ablations.models.variant import Variant
from ablations.study import Budget, Range, Scale, Study
from tasks.adding import Adding

BUDGET = Budget(
    trials=8,
    trials_per_round=8,
    search_seeds=1,
    replicates=6,
    steps=1000,
    segments=4,
    batch=32,
    parameters=6000,
)

STUDY = Study(
    name="comparison",
    question="What does the same study cost?",
    variants=tuple(Variant(cell, "recurrent", {"cell": cell}) for cell in ("lstm", "gru")),
    baseline="lstm",
    nuisance={"lr": Range(3e-3, 4e-3)},
    scales={"demo": Scale(tasks={"adding": Adding(length=50)}, budget=BUDGET)},
    sampler="random",
)
