"""How sure, how fair, what failed, and how to run it again: each in a few short sentences."""

from datetime import datetime

import pandas as pd

from ablations.record.again import command_again
from reports.atlas import SIZES, measured_coverage
from reports.estimates import Estimates
from reports.method import missing_runs
from reports.page_one.solvers import usual_size
from reports.prose import counted, in_a_row
from reports.search_factors import sizes_are_searched
from reports.search_summary import TOO_FEW, windows

EDGES_NAMED = 2
"""The most best values at an end that the first page names; the table of windows has all."""


def origin(estimates: Estimates) -> str:
    """Date, commit, and how much was run where."""
    study = estimates.results.study
    provenance, replicates = study.provenance, len(study.replicates)
    return " · ".join(
        [
            date(provenance["started"]),
            f"commit {provenance['commit'][:7]}",
            f"{counted(len(study.settings), 'setting')}, {counted(replicates, 'replicate')}",
            f"{provenance['wall_seconds'] / 60:.1f} minutes on {_cores(provenance['cores'])}",
        ]
    )


def _cores(number: object) -> str:
    return f"{number} core{'' if number == 1 else 's'}"


def date(started: str) -> str:
    """The day of a time as ISO writes it.

    >>> date("2026-11-27T15:04:05+00:00")
    '27 November 2026'
    """
    return f"{datetime.fromisoformat(started):%-d %B %Y}"


def facts(estimates: Estimates) -> list[tuple[str, str]]:
    """Titles and texts; nothing of replicates or of a search that is not recorded."""
    study = estimates.results.study
    command = f"{command_again(study)}\n(of seed {study.plan['seed']})"
    sure = [("How sure?", _how_sure(estimates))] if study.replicates else []
    fair = [("How fair?", _how_fair(estimates))] if study.trials else []
    return [
        *sure,
        *fair,
        ("Failures", _failures(estimates)),
        ("Again", command),
    ]


def _how_sure(estimates: Estimates) -> str:
    """The number of seeds, and what intervals at the nearest smaller number of the seed atlas cover."""
    n = estimates.results.study.plan["budget"]["replicates"]
    known = max((size for size in SIZES if size <= n), default=None)
    seeds = f"{counted(n, 'seed')} a setting."
    if known is None:
        return f"{seeds} Fewer than {SIZES[0]} decide nothing."
    coverage = measured_coverage()
    typical, pooled = (
        coverage[coverage["interval"].str.startswith(start)]
        for start in ("typical", "mean over tasks, Welch–Satterthwaite: two")
    )
    least, average = typical[f"least, n = {known}"].min(), pooled[f"mean, n = {known}"].mean()
    return (
        f"{seeds} On 4,800 recorded scores, the bars of {known} seeds hold the truth: at least {least:.0f} % of those on one "
        f"task (typical runs), {average:.0f} % of those over several tasks (means)."
    )


def _how_fair(estimates: Estimates) -> str:
    """The size, the search, and how often its best value lies at an end of what was tried."""
    results = estimates.results
    budget, found = results.study.plan["budget"], windows(results)
    others = len(results.variants) - len(usual_size(estimates))
    size = f"About {budget['parameters']:,} parameters each"
    if others:
        size += f" ({counted(others, 'network')} {'has' if others == 1 else 'have'} another size)"
    if sizes_are_searched(results.study):
        size = "Sizes are searched"
    search = f"{counted(budget['trials'], 'trial')} on {counted(budget['search_seeds'], 'search seed')}"
    return f"{size}, {search}. {_edges(found)}".rstrip()


def _edges(found: pd.DataFrame) -> str:
    """Which best values lie at an end of those tried, and what that calls for; nothing where too few were tried to tell."""
    found = found[found["edge"] != TOO_FEW]
    at_edge = found[found["edge"] != ""]
    if found.empty:
        return ""
    lie = "lies" if len(at_edge) == 1 else "lie"
    count = f"{len(at_edge)} of {counted(len(found), 'best value')} {lie} at an end of those tried"
    if at_edge.empty:
        return f"{count}."
    which = [f"{row.factor} of {row.variant} on {row.task}" for row in at_edge.itertuples()]
    return f"{count} ({in_a_row(which, EDGES_NAMED)}): a wider range or more trials may find better ones there."


def _failures(estimates: Estimates) -> str:
    """Runs that diverged, are missing, or were refused."""
    results = estimates.results
    runs = (results.trials, results.replicates, results.transferred)
    diverged = sum(int((frame["status"] == "diverged").sum()) for frame in runs)
    refused = results.difficulty[results.difficulty["refused"]]
    by, missing = ", ".join(dict.fromkeys(refused["variant"])), missing_runs(results)
    return (
        f"{counted(diverged, 'run')} diverged, {missing} {'is' if missing == 1 else 'are'} missing; "
        f"{counted(len(refused), 'test')} on longer sequences {'was' if len(refused) == 1 else 'were'} refused"
        f"{f' (by {by})' if by else ''}."
    )
