"""What the ablation studies share: tasks and budgets at each scale, and the function that makes such a study."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ablations.models.sizes import count_parameters
from ablations.models.variant import Variant
from ablations.models.variants import VARIANTS
from ablations.studies.claims import DEMO, PAPER, RELEASE_SEED, SMOKE, STANDARD
from ablations.study import Range, Scale, Study
from tasks import TaskSpec
from tasks.copying import Copying

SCALES: Mapping[str, Scale] = {
    "smoke": SMOKE,
    "demo": replace(DEMO, budget=replace(DEMO.budget, test=512)),
    "standard": replace(STANDARD, tasks={**STANDARD.tasks, "copying": Copying(delay=10, items=5, loss_over="recall")}),
    "paper": PAPER,
}
"""Those of the claims study, but for fewer test sequences at demo scale and an easier copying at standard scale."""


def ablation_study(name: str, question: str, variants: Sequence[str], tasks: Sequence[str]) -> Study:
    """A study of named variants against the first of them, in three views.

    Each is tuned at the parameter count of the budget. Each ablation is also tuned at its parent's hidden size, where that
    is another one; and it is trained at the parameter count with its parent's hyperparameters. At the parent's hidden size
    it is tuned only, so that an ablation costs two searches and three times the replicates at most.
    """
    named = {variant: VARIANTS[variant] for variant in variants}
    spec = SMOKE.tasks[tasks[0]].spec
    pairs = [(variant, named[variant.parent]) for variant in named.values() if variant.parent in named]
    return Study(
        name=name,
        question=question,
        variants=(*named.values(), *(a.at_hidden_of(parent) for a, parent in pairs if _sizes_differ(a, parent, spec))),
        baseline=variants[0],
        nuisance={"lr": Range(1e-3, 1e-1)},
        fixed={"clip": 1.0, "weight_decay": 0.0},
        transferred=True,
        seed=RELEASE_SEED,
        scales={
            label: Scale(tasks={task: scale.tasks[task] for task in tasks}, budget=scale.budget)
            for label, scale in SCALES.items()
        },
    )


def _sizes_differ(ablation: Variant, parent: Variant, spec: TaskSpec) -> bool:
    """Whether an ablation has another number of parameters than its parent at an equal hidden size."""
    return count_parameters(ablation, spec, 8) != count_parameters(parent, spec, 8)
