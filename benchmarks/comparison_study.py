"""The study that the suite and the user's script both carry out, as a file for `ablate run`.

No run stops early: `solved_at` is above every score, and the pruner waits for as many finished trials as one round,
which is all of them. All trials are of the first group, whose draws are the same for both cells.
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
    nuisance={"lr": Range(1e-3, 1e-2)},
    scales={"demo": Scale(tasks={"adding": Adding(length=50)}, budget=BUDGET)},
    solved_at=2.0,
)
