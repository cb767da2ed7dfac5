"""What a reader of page one has to know, in one line each; the same in all formats."""

from reports.estimates import SOLVED

STRIP = (
    "Green: the side on which the claim holds; bar: the 95 % interval of what decides it; line: the limit; n: seeds, seeds on "
    "several tasks, or timed rounds. Mixed, k of m: of the m parts and tasks that a claim is about, k hold and others do not."
)
SOLVERS = (
    "Skill is 0 for guessing and 1 for perfection, at the hardest difficulty of training; solved: above "
    f"{SOLVED}. A dash: not run."
)


def solvers_title(seeds: int) -> str:
    """The heading of who solves what."""
    return f"Who solves what: seeds that solve a task, of {seeds} (dots: each seed's skill, from 0 to 1)"
