"""Which networks can follow a state, from parity to the permutations of five letters, at lengths that they have never seen."""

from collections.abc import Mapping
from dataclasses import replace

from ablations.models.variant import Variant
from ablations.models.variants import VARIANTS
from ablations.studies import claims
from ablations.study import Budget, Range, Scale, Study
from tasks import Task
from tasks.recognition import AnBn, Dyck
from tasks.word_problem import A5, S3, Modulo, Parity

RECURRENT = ("rnn", "lstm", "gru", "mingru", "mingru-signed")
WINDOWS = ("feedforward", "cnn", "tcn")
"""Networks that see so many steps and no more."""


def _tasks(parity: int, modulo: Modulo, s3: int, a5: int, anbn: int, dyck: int) -> Mapping[str, Task]:
    return {
        "parity": Parity(length=parity),
        "modulo": modulo,
        "s3": S3(length=s3),
        "a5": A5(length=a5),
        "anbn": AnBn(pairs=anbn),
        "dyck": Dyck(pairs=dyck),
    }


SMOKE = Scale(
    tasks=_tasks(parity=8, modulo=Modulo(length=6, modulus=3), s3=4, a5=4, anbn=6, dyck=6),
    budget=replace(claims.SMOKE.budget, far=(20, 50)),
)

# The networks of a limited window are controls: two tasks show that they are.
DEMO = Scale(
    tasks=_tasks(parity=40, modulo=Modulo(length=20, modulus=3), s3=16, a5=16, anbn=20, dyck=12),
    variants=dict.fromkeys(("modulo", "s3", "a5", "dyck"), RECURRENT),
    budget=replace(
        claims.DEMO.budget, search_seeds=1, steps=1_600, parameters=3_000, test=512, far=(100, 1_000, 10_000)
    ),
)

STANDARD = Scale(
    tasks=_tasks(parity=40, modulo=Modulo(length=40, modulus=5), s3=25, a5=25, anbn=50, dyck=25),
    budget=Budget(
        trials=8,
        trials_per_round=4,
        search_seeds=2,
        replicates=10,
        steps=4_800,
        segments=8,
        batch=32,
        parameters=10_000,
        far=(300, 1_000, 10_000),
    ),
)

# Lengths of training as in the papers: 40 in Delétang et al. (2023), 25 in Merrill et al. (2024), 100 in Weiss et al. (2018).
PAPER = Scale(
    tasks=_tasks(parity=40, modulo=Modulo(length=40, modulus=5), s3=25, a5=25, anbn=100, dyck=50),
    budget=replace(claims.PAPER.budget, far=(300, 1_000, 10_000)),
)

STUDY = Study(
    name="state_tracking",
    question="Which networks can follow a state, and do they still at lengths that they have never seen?",
    variants=(*(VARIANTS[name] for name in RECURRENT), *(Variant(name, name) for name in WINDOWS)),
    baseline="lstm",
    nuisance={"lr": Range(1e-3, 1e-1)},
    fixed={"clip": 1.0, "weight_decay": 0.0},
    scales={"smoke": SMOKE, "demo": DEMO, "standard": STANDARD, "paper": PAPER},
    seed=claims.RELEASE_SEED,
)
