"""A search of your own: six factors of three kinds, one of them under a condition, and which of them matter.

Every setting is searched by itself: Optuna proposes, the best trial is replicated. Trials of one round whose networks,
batches and optimisers are alike train side by side, the others beside them. The report's last figure says which factors
matter:

    ablate run examples/own_search.py
    ablate report examples/own_search.py
"""

from optuna.distributions import IntDistribution

from ablations.study import VARIANTS, Budget, Choice, Range, Scale, Study
from tasks import TASKS

STUDY = Study(
    name="own_search",
    question="Which factors decide whether an LSTM or a GRU learns to copy?",
    variants=(VARIANTS["lstm"], VARIANTS["gru"]),
    baseline="lstm",
    # A factor is one of the training (lr, clip, weight_decay, momentum, warmup, schedule, curriculum, optimiser, batch), the
    # model's size (hidden, or parameters), or a flag of the variants' models (layers, dropout, initialisation, ...).
    nuisance={
        "lr": Range(1e-3, 1e-1),  # numbers, logarithmic unless log=False
        "hidden": Range(8, 32),  # whole numbers, as both ends are
        "layers": IntDistribution(1, 2),  # any of Optuna's distributions will do
        "dropout": Range(0.0, 0.4, log=False, where={"layers": 2}),  # drawn only where there are two layers
        "optimiser": Choice(["adam", "adamw", "rmsprop"]),
        "curriculum": Choice(["logarithmic", "growing", "nominal"]),
    },
    fixed={"weight_decay": 0.01},  # clip, which is not named, is 1
    sampler="tpe",  # or "random", "qmc", "gp", or an object: optuna.samplers.TPESampler(...)
    pruner="clear",  # or "median", "hyperband", "none", or an object: optuna.pruners.PatientPruner(...)
    scales={
        "smoke": Scale(  # some seconds, to see that it runs; its numbers mean nothing
            tasks={"copying": TASKS["copying"](delay=2, items=2)},
            budget=Budget(
                trials=8,
                trials_per_round=4,
                search_seeds=1,
                replicates=2,
                steps=8,
                segments=2,
                batch=8,
                parameters=600,
                validation=32,
                test=64,
            ),
        ),
        "demo": Scale(  # about a minute on two cores
            tasks={"copying": TASKS["copying"](delay=8, items=3)},
            budget=Budget(
                trials=60,
                trials_per_round=12,
                search_seeds=1,
                replicates=6,
                steps=300,
                segments=3,
                batch=32,
                parameters=3000,
            ),
        ),
    },
)
