"""A claim of your own, and the study that puts it to the test.

Run it, and write the report. The report begins with the verdict:

    ablate run examples/own_claim.py
    ablate report examples/own_claim.py
"""

from collections.abc import Sequence

import numpy as np

from ablations.study import VARIANTS, Budget, Range, Scale, Study
from reports.claims import CLAIMS, Claim, Comparison
from reports.claims.claim import MARGIN, above, pooled_difference
from reports.result_tables import ResultTables
from tasks import TASKS


def compare(results: ResultTables, rng: np.random.Generator) -> Sequence[Comparison]:
    """The skill of the bidirectional LSTM minus that of the LSTM, paired by seed."""
    difference = pooled_difference(results, "bilstm", "lstm", rng)
    return [above("skill of the bidirectional LSTM minus that of the LSTM", difference, MARGIN)]


# Write the rule before you see a number, and do not change it afterwards.
CLAIMS["own-claim"] = Claim(
    sentence="An LSTM that reads in both directions tells bears from presidents better than one that reads forward.",
    comparison="Paired difference in skill on the task disambiguation, at equal parameters.",
    rule=f"Supported if the difference's whole interval is above {MARGIN}, contradicted if it is below.",
    parts=compare,
    variants=("bilstm", "lstm"),  # the runs that the report names as its evidence
    study="own_claim",
)

STUDY = Study(
    name="own_claim",
    question="Does an LSTM need the future to tell two senses of a word apart?",
    variants=(VARIANTS["lstm"], VARIANTS["bilstm"]),
    baseline="lstm",
    nuisance={"lr": Range(1e-3, 1e-1)},
    scales={
        "smoke": Scale(  # some seconds, to see that it runs; too few replicates for a verdict
            tasks={"disambiguation": TASKS["disambiguation"]()},
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
            tasks={"disambiguation": TASKS["disambiguation"](lookahead=3)},
            budget=Budget(
                trials=6,
                trials_per_round=3,
                search_seeds=2,
                replicates=6,
                steps=600,
                segments=6,
                batch=32,
                parameters=3000,
            ),
        ),
    },
)
