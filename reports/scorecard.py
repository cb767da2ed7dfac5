"""The scorecard: on one page, how a cell or model does beside others of equal size, task by task."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
from scipy import stats

from ablations.record.schema import StudyRecord
from reports.alarm import check_ceilings
from reports.claims.comparison import MARGIN, Comparison, skill_difference
from reports.comparison import microseconds
from reports.compose import AUTHOR, record_pages
from reports.document import Block, Document, Formula, Paragraph
from reports.estimates import Estimates
from reports.html import to_html
from reports.page_one.blocks import Measurement, PageOne, Strip, StripRow, Tone
from reports.page_one.facts import facts, origin
from reports.page_one.markdown import FILE, PICTURE, page_markdown
from reports.page_one.solvers import solver_table, solvers
from reports.page_one.verdict_strip import measurement
from reports.pdf import front_png, to_pdf
from reports.prose import counted, in_a_row, in_prose
from reports.result_tables import ResultTables
from reports.statistics.decision import ALPHA, FEWEST
from reports.write import without_formulas

WORDS: dict[str, Tone] = {
    "better": "supported",
    "worse": "contradicted",
    "as good": "mixed",
    "undecided": "inconclusive",
    "not learnt": "inconclusive",
    "out of reach": "inconclusive",
    "not run": "not run",
}
"""What can be said of a network beside another on one task, and the tone in which it is shown."""

FUTURE = "its answer depends on what comes later, and both read from left to right"


def rule(seeds: int) -> str:
    """How the words come about, with so many seeds.

    >>> rule(10).partition(" (")[0]
    "Better: at least 9 of 10 seeds have a skill more than 0.02 above the other's"
    """
    if seeds < FEWEST:
        return f"{counted(seeds, 'seed')} for each network decide nothing: at least {FEWEST} are needed."
    needed = int(stats.binom.isf(ALPHA, seeds, 0.5)) + 1
    return (
        f"Better: at least {needed} of {seeds} seeds have a skill more than {MARGIN} above the other's (sign test, "
        f"{100 * ALPHA:g} %, paired by seed); worse: at least {needed} have one more than {MARGIN} below; as good: at least "
        f"{needed} are not that far above, and at least {needed} not that far below; undecided: none of these. A task that "
        "neither has learnt decides nothing."
    )


def scorecard(estimates: Estimates, against: Sequence[str]) -> PageOne:
    """The page. Networks that are not among those compared `against` are what is tried."""
    own = [variant for variant in estimates.results.variants if variant not in against]
    rows = [row for variant in own for other in against for row in _rows(estimates, variant, other)]
    words = [row.word for row in rows]
    tally = " · ".join(f"{words.count(word)} {word}" for word in WORDS if word in words)
    answers = [_answer(estimates, variant, against) for variant in own]
    return PageOne(origin(estimates), answers, tally, Strip(rows), solvers(estimates), facts(estimates))


def word_of(estimates: Estimates, variant: str, other: str, task: str) -> tuple[str, Comparison]:
    """What can be said of a network beside another on a task, by the rules of the claims; and what decides it."""
    above = skill_difference(estimates, variant, other, "above", MARGIN, [task], of=f"on {task}")
    below = skill_difference(estimates, variant, other, "below", -MARGIN, [task], of=f"on {task}")
    if above.verdict == "supported":
        return "better", above
    if below.verdict == "supported":
        return "worse", below
    if above.verdict == "contradicted" and below.verdict == "contradicted":
        return "as good", above
    if above.unlearnt:
        return "out of reach" if _needs_future(estimates, task, (variant, other)) else "not learnt", above
    return "not run" if above.verdict == "not run" else "undecided", above


def _needs_future(estimates: Estimates, task: str, variants: Sequence[str]) -> bool:
    """Whether a task's answer depends on what comes later, and none of these networks reads it."""
    settings = [s for s in estimates.results.study.settings if s.task == task and s.variant in variants]
    return all(
        s.causal and s.references.get("causal", s.references["perfect"]) < s.references["perfect"] for s in settings
    )


def _rows(estimates: Estimates, variant: str, other: str) -> Iterator[StripRow]:
    for task in estimates.results.tasks:
        word, part = word_of(estimates, variant, other, task)
        text = FUTURE if word == "out of reach" else _seeds(part)
        yield StripRow(
            WORDS[word], word, f"{variant} beside {other} on {task}", text, "", _unclaimed(measurement(part))
        )


def _unclaimed(found: Measurement | None) -> Measurement | None:
    return replace(found, is_claimed=False) if found else None


def _seeds(part: Comparison) -> str:
    """How many seeds are on either side."""
    values = [float(value) for sample in part.samples.values() for value in sample.values]
    if not values:
        return "neither has solved its easiest form" if part.unlearnt else ""
    above, below = sum(v > MARGIN for v in values), sum(v < -MARGIN for v in values)
    seeds, are = counted(len(values), "seed"), "is" if above == 1 else "are"
    return f"of {seeds}, {above} {are} more than {MARGIN} better and {below} more than {MARGIN} worse"


def _answer(estimates: Estimates, variant: str, against: Sequence[str]) -> str:
    """One sentence about a network: where it is better or worse than the others, and what it takes to train."""
    tasks = estimates.results.tasks
    told = []
    for other in against:
        by_word: dict[str, list[str]] = {}
        for task in tasks:
            by_word.setdefault(word_of(estimates, variant, other, task)[0], []).append(task)
        said = [f"{word} on {in_a_row(by_word[word], len(tasks))}" for word in WORDS if word in by_word]
        told.append(f"beside {other} it is {', '.join(said)}")
    times = [
        f"{in_prose(microseconds(estimates, variant, tasks) / microseconds(estimates, other, tasks))} of {other}'s"
        for other in against
    ]
    return f"**{variant}**: {'; '.join(told)}. It takes {in_a_row(times, len(times))} training time."


def _equations(study: StudyRecord, against: Sequence[str]) -> Iterator[Block]:
    """The equations of what is tried, as they have run."""
    for setting in {s.variant: s for s in study.settings if s.variant not in against}.values():
        if setting.equations:
            yield Paragraph(f"{setting.variant} is, at each step, with weights W and R, biases b and inputs x:")
            yield from (Formula(e["mathml"], e["typst"], e["text"]) for e in setting.equations)


def write_scorecard(study: StudyRecord, folder: Path, against: Sequence[str]) -> tuple[Path, Path]:
    """Writes report.html and report.pdf, the page as Markdown and PNG, and its tables; returns the paths of the first two.

    Raises `CeilingPassedError` if a measurement lies beyond an exact ceiling.
    """
    estimates = Estimates(ResultTables(study))
    check_ceilings(estimates)
    page = scorecard(estimates, against)
    document = Document(
        study.plan["question"],
        rule(study.plan["budget"]["replicates"]),
        [page, *_equations(study, against)],
        AUTHOR,
        pages=record_pages(study),
    )
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "tables").mkdir(parents=True)
    rows = [(row.title, row.word, row.text) for row in page.strip.rows]
    tables = {"verdicts": pd.DataFrame(rows, columns=["comparison", "verdict", "seeds"])}
    tables |= {"replicates": estimates.results.replicates, "who_solves_what": solver_table(estimates)}
    for name, frame in tables.items():
        without_formulas(frame).to_csv(folder / "tables" / f"{name}.csv", index=False)
    (folder / FILE).write_text(page_markdown(document.title, page), encoding="utf-8")
    (folder / PICTURE).write_bytes(front_png(document))
    (folder / "report.html").write_text(to_html(document), encoding="utf-8")
    (folder / "report.pdf").write_bytes(to_pdf(document))
    return folder / "report.html", folder / "report.pdf"
