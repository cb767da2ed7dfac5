"""A study of your own: built-in variants on tasks, budgets and scales that you choose.

List the variants that there are, see what would run, run it, and write the report:

    ablate list ablations
    ablate run examples/own_study.py --dry-run
    ablate run examples/own_study.py
    ablate report examples/own_study.py

A scale may have any name. This study has a scale that no other one has:

    ablate run examples/own_study.py --scale long-gaps
    ablate report examples/own_study.py --scale long-gaps
"""

from ablations.study import VARIANTS, Budget, Range, Scale, Study
from tasks import TASKS

STUDY = Study(
    name="own_study",
    question="Can a GRU do with one gate, and does that depend on the gap?",
    # The scientific factors are the variants and, for each scale, the tasks: every variant is trained on every task.
    variants=(VARIANTS["gru"], VARIANTS["mgu"], VARIANTS["gru-no-reset"]),
    baseline="gru",
    # The nuisance factors are searched by Optuna, the fixed factors are the same for all. `own_search.py` shows further
    # ones than lr, clip (the limit of the gradient's norm) and weight_decay.
    nuisance={"lr": Range(1e-3, 1e-1), "clip": Range(0.1, 10.0)},
    fixed={"weight_decay": 0.0},
    optimiser="rmsprop",
    solved_at=0.98,  # the validation score at which a task counts as solved; no training stops there
    transferred=True,
    seed=1,
    scales={
        "smoke": Scale(  # some seconds, to see that it runs; its numbers mean nothing
            tasks={"gap-3": TASKS["france"](gap=3)},
            budget=Budget(
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
            ),
        ),
        "demo": Scale(  # about a minute on two cores
            tasks={"gap-5": TASKS["france"](gap=5), "gap-20": TASKS["france"](gap=20)},
            budget=Budget(
                trials=8,
                trials_per_round=4,
                search_seeds=2,
                replicates=6,
                steps=600,
                segments=6,
                batch=32,
                parameters=3000,
            ),
        ),
        "long-gaps": Scale(  # an hour or two
            tasks={"gap-50": TASKS["france"](gap=50, distractors=2), "copying": TASKS["copying"](delay=40, items=5)},
            budget=Budget(
                trials=16,
                trials_per_round=4,
                search_seeds=2,
                replicates=10,
                steps=3000,
                segments=10,
                batch=32,
                parameters=6000,
            ),
        ),
    },
)
