"""How much the seed matters: 200 replicates of six cells, from which the intervals of the reports are put to the test."""

from dataclasses import replace

from ablations.models.variants import VARIANTS
from ablations.studies.claims import DEMO, SMOKE
from ablations.study import Range, Scale, Study

STUDY = Study(
    name="atlas",
    question="How much do the scores of a network vary from seed to seed, and do intervals of a few seeds cover the truth?",
    variants=tuple(VARIANTS[name] for name in ("lstm", "rnn", "gru", "mgu", "mingru", "slstm")),
    baseline="lstm",
    nuisance={"lr": Range(1e-3, 1e-1)},
    fixed={"clip": 1.0, "weight_decay": 0.0},
    scales={
        "smoke": Scale(tasks=SMOKE.tasks, budget=replace(SMOKE.budget, replicates=12)),
        "demo": Scale(tasks=DEMO.tasks, budget=replace(DEMO.budget, replicates=200, steps=1200)),
    },
    seed=20261127,  # with which reports/atlas.csv was made
)
