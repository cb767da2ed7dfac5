"""The verdicts of a study."""

from reports.claims import Verdict, claims_of
from reports.estimates import Estimates

INTRODUCTION = "claims"
"""The study of the claims of the introduction."""


def judge_claims(estimates: Estimates) -> dict[str, Verdict]:
    """The verdict on every claim that the study tests, by the claim's id.

    For a study without claims of its own: the verdicts on those claims of the introduction for which it has all numbers.
    """
    if claims := claims_of(estimates.results.study.name):
        return {name: claim.judge(estimates) for name, claim in claims.items()}
    verdicts = {name: claim.judge(estimates) for name, claim in claims_of(INTRODUCTION).items()}
    return {name: verdict for name, verdict in verdicts.items() if verdict.label != "not run" and _is_whole(verdict)}


def _is_whole(verdict: Verdict) -> bool:
    return all(part.verdict != "not run" for part in verdict.parts)
