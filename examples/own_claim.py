"""A claim of your own, and the study that puts it to the test.

Run it, and write the report. The report begins with the verdict:

    ablate run examples/own_claim.py
    ablate report examples/own_claim.py
"""

from collections.abc import Sequence

from ablations.study import VARIANTS, Budget, Range, Scale, Study
from reports.claims import CLAIMS, Claim, Comparison
from reports.claims.comparison import MARGIN, skill_difference
from reports.estimates import Estimates
from tasks import TASKS


def compare(estimates: Estimates) -> Sequence[Comparison]:
    """The skill of the bidirectional LSTM minus that of the LSTM, paired by seed."""
    return [skill_difference(estimates, "bilstm", "lstm", "above", MARGIN)]


# Write the rule before you see a number, and do not change it afterwards.
CLAIMS["own-claim"] = Claim(
    sentence="An LSTM that reads in both directions tells bears from presidents better than one that reads forward.",
    comparison="Paired difference in skill on the task disambiguation, at equal parameters.",
    rule=f"Supported if most seeds have a difference above {MARGIN}, contradicted if most have one below (sign test).",
    parts=compare,
    variants=("bilstm", "lstm"),  # the runs that the report names as its evidence
    studies=("own_claim",),
    date="2026-11-27",  # of the rule
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
                replicates=10,  # six is the least that can decide; of ten, one may dissent
                steps=600,
                segments=6,
                batch=32,
                parameters=3000,
            ),
        ),
    },
)
