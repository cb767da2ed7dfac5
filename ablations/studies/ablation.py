"""What the ablation studies share: tasks and budgets at each scale, and the function that makes such a study."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ablations.models.variants import VARIANTS
from ablations.studies.claims import DEMO, PAPER, SMOKE, STANDARD
from ablations.study import Range, Scale, Study
from tasks.copying import Copying

SCALES: Mapping[str, Scale] = {
    "smoke": SMOKE,
    "demo": replace(DEMO, budget=replace(DEMO.budget, test=512)),
    "standard": replace(
        STANDARD, tasks={**STANDARD.tasks, "copying": Copying(delay=10, items=5, loss_over="all steps")}
    ),
    "paper": PAPER,
}
"""Those of the claims study, but for fewer test sequences at demo scale and an easier copying at standard scale."""


def ablation_study(name: str, question: str, variants: Sequence[str], tasks: Sequence[str]) -> Study:
    """A study of named variants against the first of them, each tuned, and each with its parent's hyperparameters."""
    return Study(
        name=name,
        question=question,
        variants=tuple(VARIANTS[variant] for variant in variants),
        baseline=variants[0],
        nuisance={"lr": Range(1e-3, 1e-1)},
        fixed={"clip": 1.0, "weight_decay": 0.0},
        transferred=True,
        scales={
            name: Scale(tasks={task: scale.tasks[task] for task in tasks}, budget=scale.budget)
            for name, scale in SCALES.items()
        },
    )
