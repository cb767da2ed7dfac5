"""How sure, how fair, what failed, and how to run it again: each in a few short sentences."""

from datetime import datetime

from reports.atlas import SIZES, measured_coverage
from reports.estimates import Estimates
from reports.method import missing_runs
from reports.page_one.solvers import usual_size
from reports.search_factors import sizes_are_searched
from reports.search_summary import windows


def origin(estimates: Estimates) -> str:
    """Date, commit, and how much was run where."""
    study = estimates.results.study
    provenance, replicates = study.provenance, len(study.replicates)
    return " · ".join(
        [
            date(provenance["started"]),
            f"commit {provenance['commit'][:7]}",
            f"{len(study.settings)} settings, {replicates:,} replicates",
            f"{provenance['wall_seconds'] / 60:.1f} minutes on {provenance['cores']} cores",
        ]
    )


def date(started: str) -> str:
    """The day of a time as ISO writes it.

    >>> date("2026-11-27T15:04:05+00:00")
    '27 November 2026'
    """
    return f"{datetime.fromisoformat(started):%-d %B %Y}"


def facts(estimates: Estimates) -> list[tuple[str, str]]:
    """Titles and texts."""
    provenance = estimates.results.study.provenance
    command = f"{provenance['command']}\n(of seed {estimates.results.study.plan['seed']})"
    return [
        ("How sure?", _how_sure(estimates)),
        ("How fair?", _how_fair(estimates)),
        ("Failures", _failures(estimates)),
        ("Again", command),
    ]


def _how_sure(estimates: Estimates) -> str:
    """The number of seeds, and what intervals at the nearest smaller number of the seed atlas cover."""
    n = estimates.results.study.plan["budget"]["replicates"]
    known = max((size for size in SIZES if size <= n), default=None)
    seeds = f"{n} seeds a setting."
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
    edges = int((found["edge"] != "").sum())
    size = (
        f"About {budget['parameters']:,} parameters each{f' ({others} networks have another size)' if others else ''}"
    )
    if sizes_are_searched(results.study):
        size = "Sizes are searched"
    return (
        f"{size}, "
        f"{budget['trials']} trials on {budget['search_seeds']} search seeds. {edges} of {len(found)} best values lie at an end "
        "of those tried."
    )


def _failures(estimates: Estimates) -> str:
    """Runs that diverged, are missing, or were refused."""
    results = estimates.results
    runs = (results.trials, results.replicates, results.transferred)
    diverged = sum(int((frame["status"] == "diverged").sum()) for frame in runs)
    refused = results.difficulty[results.difficulty["refused"]]
    by = ", ".join(dict.fromkeys(refused["variant"]))
    return (
        f"{diverged} runs diverged, {missing_runs(results)} are missing; {len(refused)} tests on longer sequences were refused"
        f"{f' (by {by})' if by else ''}."
    )
