"""What the ablation studies share: their tasks and budgets at each scale, and how one is made."""

from collections.abc import Mapping, Sequence

from ablations.models.variants import VARIANTS
from ablations.study import Budget, Range, Scale, Study
from tasks import Task
from tasks.adding import Adding
from tasks.copying import Copying
from tasks.disambiguation import Disambiguation
from tasks.france import France

TASKS: Mapping[str, Mapping[str, Task]] = {
    "smoke": {
        "copying": Copying(delay=3, items=2),
        "adding": Adding(length=6),
        "france": France(gap=4),
        "disambiguation": Disambiguation(),
    },
    "demo": {
        "copying": Copying(delay=6, items=5),
        "adding": Adding(length=20),
        "france": France(gap=20),
        "disambiguation": Disambiguation(),
    },
    "standard": {
        "copying": Copying(delay=10, items=5),
        "adding": Adding(length=50),
        "france": France(gap=48, distractors=2),
        "disambiguation": Disambiguation(lookahead=3),
    },
    "paper": {
        "copying": Copying(delay=100),
        "adding": Adding(length=200),
        "france": France(gap=200, distractors=4),
        "disambiguation": Disambiguation(lookahead=5),
    },
}

BUDGETS: Mapping[str, Budget] = {
    "smoke": Budget(
        trials=2, group=2, search_seeds=1, replicates=2, steps=40, segments=2, batch=16, parameters=3000,
        validation=64, test=128,
    ),
    "demo": Budget(
        trials=5, group=5, search_seeds=2, replicates=6, steps=900, segments=9, batch=32, parameters=3000,
        validation=128, test=512,
    ),
    "standard": Budget(
        trials=12, group=6, search_seeds=2, replicates=10, steps=2000, segments=10, batch=32, parameters=6000
    ),
    "paper": Budget(
        trials=48, group=12, search_seeds=3, replicates=29, steps=20000, segments=40, batch=50, parameters=16000
    ),
}  # fmt: skip


def ablation_study(name: str, question: str, variants: Sequence[str], tasks: Sequence[str]) -> Study:
    """A study of named variants against the first of them, each tuned, and each with its parent's hyperparameters."""
    return Study(
        name=name,
        question=question,
        variants=tuple(VARIANTS[variant] for variant in variants),
        baseline=variants[0],
        nuisance={"lr": Range(1e-3, 1e-1)},
        fixed={"clip": 1.0, "weight_decay": 0.0},
        frozen=True,
        scales={scale: Scale(tasks={t: TASKS[scale][t] for t in tasks}, budget=BUDGETS[scale]) for scale in TASKS},
    )
