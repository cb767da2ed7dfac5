"""Page one as Markdown: the description of the MLflow experiment, and a file to be quoted from."""

from collections.abc import Iterator, Sequence

from reports.estimates import SOLVED
from reports.page_one.blocks import SIGNS, PageOne, Solvers, StripRow
from reports.page_one.legends import SOLVERS, STRIP, solvers_title
from reports.page_one.numbers import in_words

FILE = "page-one.md"
PICTURE = "page-one.png"
"""The names of the first page as text and as a picture, beside the report."""


def page_markdown(title: str, page: PageOne) -> str:
    """The whole first page, with tables in place of pictures."""
    facts = [f"**{title}** {text}" for title, text in page.facts]
    return "\n\n".join([f"# {title}", page.origin, *page.answer, *_tables(page), *facts]) + "\n"


def _tables(page: PageOne) -> Iterator[str]:
    if page.tally:
        yield f"## {page.tally}"
    if page.strip.rows:
        yield _table(["verdict", "claim", "because", "decided by"], [_row(row) for row in page.strip.rows])
        yield STRIP
    if page.solvers.groups:
        yield f"## {solvers_title(page.solvers.seeds)}"
        names = [f"{name} ({note})" for name, note in page.solvers.columns]
        yield _table(["", *names], list(_solver_rows(page.solvers)))
        yield "  \n".join([SOLVERS, *page.solvers.legend])


def _row(row: StripRow) -> list[str]:
    decided = in_words(row.measurement) if row.measurement else ""
    return [f"{SIGNS[row.tone]} {row.word}", row.title, row.text, decided]


def _solver_rows(solvers: Solvers) -> Iterator[list[str]]:
    for title, rows in solvers.groups:
        if title:
            yield [f"*{title}*", *[""] * len(solvers.columns)]
        for row in rows:
            yield [row.name, *(_count(skills) for skills in row.cells)]


def _count(skills: Sequence[float] | None) -> str:
    return "–" if skills is None else f"{sum(skill > SOLVED for skill in skills)}/{len(skills)}"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |" for line in lines
    )
