"""A cell or model of a user's own against the LSTM and the GRU of equal size, on the four tasks of the study `claims`."""

import re
from dataclasses import replace
from pathlib import Path

from ablations.models.variants import VARIANTS
from ablations.studies.claims import DEMO, RELEASE_SEED, SMOKE
from ablations.study import Range, Scale, Study
from ablations.study.file import load_own_variants

AGAINST = ("lstm", "gru")
"""What is compared to."""

SCALES = {"smoke": SMOKE, "demo": DEMO}
"""Their tasks and budgets are those of the study `claims`, so that the numbers can be read beside its."""


def scorecard_study(path: str) -> Study:
    """The study of a file's own cells and models. Raises `UserError` where the file has an error, or nothing of its own."""
    own = [replace(v, parent=None, change="", size=None, base=None) for v in load_own_variants(path)]
    names = " and ".join(variant.name for variant in own)
    return Study(
        name=f"try-{re.sub(r'[^a-z0-9_-]', '-', Path(path).stem.lower())}",
        question=f"How does {names} do beside LSTM and GRU of equal size?",
        variants=(*(VARIANTS[name] for name in AGAINST), *own),
        baseline=AGAINST[0],
        nuisance={"lr": Range(1e-3, 1e-1)},
        scales={name: Scale(tasks=scale.tasks, budget=scale.budget) for name, scale in SCALES.items()},
        seed=RELEASE_SEED,
    )
