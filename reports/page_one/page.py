"""Puts page one together."""

from collections.abc import Mapping

from reports.claims import Verdict
from reports.estimates import Estimates
from reports.page_one.answer import answer
from reports.page_one.blocks import PageOne, Solvers, Strip
from reports.page_one.facts import facts, origin
from reports.page_one.solvers import solvers
from reports.page_one.verdict_strip import tally, verdict_strip


def page_one(estimates: Estimates, verdicts: Mapping[str, Verdict]) -> PageOne:
    """The first page of a study's report; of a record without a run, no more than that it is one."""
    if not estimates.results.study.has_runs:
        return PageOne(origin(estimates), answer(estimates), "", Strip([]), Solvers([], [], 0), [])
    return PageOne(
        origin(estimates),
        answer(estimates),
        tally(verdicts),
        verdict_strip(verdicts),
        solvers(estimates),
        facts(estimates),
    )
