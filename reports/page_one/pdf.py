"""Page one as Typst, on one sheet. Texts go in as strings, in which nothing is markup."""

from collections.abc import Callable, Iterator, Sequence

from reports.code_spans import code_typst
from reports.estimates import SOLVED
from reports.page_one.blocks import SIGNS, PageOne, SolverRow, Solvers, Strip, StripRow, Tone
from reports.page_one.cells import cell_colours
from reports.page_one.legends import SOLVERS, STRIP, solvers_title
from reports.page_one.numbers import in_numbers, in_words, label
from reports.page_one.sparks import dots_svg, interval_svg

Quote = Callable[[str], str]
"""Makes a Typst string of a text."""

CHIPS: dict[Tone, str] = {
    "supported": "#00694e",
    "contradicted": "#a8420f",
    "mixed": "#5b4a9e",
    "inconclusive": "#6b5900",
    "not run": "#555555",
    "warning": "#8a5a00",
}
QUIET = "luma(28%)"


def page_typst(page: PageOne, quote: Quote, title: str) -> str:
    """The whole first page below its title, made smaller where it would not fit on one sheet."""
    answer = " + linebreak() + ".join(_bold(sentence, quote) for sentence in page.answer)
    parts = [
        title,
        f"#text(size: 8pt, fill: {QUIET}, {quote(page.origin)})",
        f'#block(stroke: (left: 3pt + rgb("#0b57a4")), inset: (left: 10pt, y: 4pt), text(size: 11pt, {answer}))',
        *_verdicts(page, quote),
        *(_solvers(page.solvers, quote) if page.solvers.groups else ()),
        *([_facts(page.facts, quote)] if page.facts else ()),
    ]
    return ON_ONE_SHEET.replace("BODY", "\n".join(parts))


ON_ONE_SHEET = """
#let page-one = [
BODY
]
#layout(room => {
  let sizes = range(0, 10).map(k => 1 - 0.05 * k)
  let fits = sizes.filter(f => measure(block(width: room.width / f, page-one)).height * f <= room.height)
  let f = if fits.len() > 0 { fits.first() } else { sizes.last() }
  scale(f * 100%, origin: top + left, reflow: true, block(width: room.width / f, page-one))
})
"""


def _verdicts(page: PageOne, quote: Quote) -> Iterator[str]:
    if page.tally:
        yield f'#block(above: 10pt, below: 5pt, text(size: 11pt, weight: "bold", {quote(page.tally)}))'
    if page.strip.rows:
        yield strip_typst(page.strip, quote)
        yield f"#text(size: 7pt, fill: {QUIET}, {quote(STRIP)})"


def strip_typst(strip: Strip, quote: Quote) -> str:
    """Rows of verdicts or measurements."""
    cells = ", ".join(cell for row in strip.rows for cell in _row(row, quote))
    return (
        "#grid(columns: (76pt, 1fr, 146pt), inset: (x: 4pt, y: 2.6pt), align: horizon, "
        f"stroke: (bottom: 0.3pt + luma(200)), {cells})"
    )


def _row(row: StripRow, quote: Quote) -> Iterator[str]:
    chip = f'text(size: 7.5pt, weight: "bold", fill: white, {quote(f"{SIGNS[row.tone]} {row.word}")})'
    yield f'box(fill: rgb("{CHIPS[row.tone]}"), radius: 2pt, inset: (x: 4pt, y: 2.4pt), {chip})'
    title = f'text(size: 8.5pt, weight: "bold", {code_typst(row.title, quote)})'
    title = f"link(<{row.anchor}>, {title})" if row.anchor else title
    text = f" + linebreak() + text(size: 7pt, fill: {QUIET}, {code_typst(row.text, quote)})" if row.text else ""
    yield f"par(leading: 0.45em, {title}{text})"
    if row.measurement is None:
        yield "[]"
        return
    value, rest = in_numbers(row.measurement)
    picture = _image(interval_svg(row.measurement), "138pt", in_words(row.measurement), quote)
    numbers = f'text(weight: "bold", {quote(value)})'
    yield (
        f"stack(spacing: 2pt, {picture}, text(size: 6.5pt, par(leading: 0.4em, "
        f"{quote(label(row))} + {numbers} + {quote(rest)})))"
    )


def _solvers(block: Solvers, quote: Quote) -> Iterator[str]:
    title = quote(solvers_title(block.seeds))
    yield f'#block(above: 9pt, below: 4pt, text(size: 10pt, weight: "bold", {title}))'
    columns = len(block.columns) + 1
    head = ", ".join(
        f'par(leading: 0.4em, text(weight: "bold", {quote(name)}) + linebreak() + text(size: 6.5pt, fill: {QUIET}, '
        f"{quote(note)}))"
        for name, note in block.columns
    )
    rows = ", ".join(row for title, rows in block.groups for row in _group(title, rows, columns, quote))
    yield (
        f"#text(size: 7.5pt, table(columns: (auto,) + (1fr,) * {columns - 1}, stroke: 1pt + white, inset: (x: 3pt, y: 1.9pt), "
        f"align: (left + horizon,) + (center + horizon,) * {columns - 1}, table.header([], {head}), {rows}))"
    )
    lines = " + linebreak() + ".join(code_typst(line, quote) for line in [SOLVERS, *block.legend])
    yield f"#block(above: 4pt)[#set par(leading: 0.4em)\n#text(size: 6.5pt, fill: {QUIET}, {lines})]"


def _group(title: str, rows: Sequence[SolverRow], columns: int, quote: Quote) -> Iterator[str]:
    if title:
        yield f"table.cell(colspan: {columns}, text(size: 6.5pt, fill: {QUIET}, {quote(title.upper())}))"
    for row in rows:
        note = f" + text(size: 6.5pt, fill: {QUIET}, {quote(' ' + row.note)})" if row.note else ""
        yield ", ".join([f"text({quote(row.name)}){note}", *(_cell(skills, quote) for skills in row.cells)])


def _cell(skills: Sequence[float] | None, quote: Quote) -> str:
    if skills is None:
        return "[–]"
    solved = sum(skill > SOLVED for skill in skills)
    background, ink = cell_colours(solved / len(skills))
    dots = f"box({_image(dots_svg(skills, ink), '40pt', 'skill of each seed', quote)})"
    count = f'text(weight: "bold", fill: rgb("{ink}"), {quote(f"{solved}/{len(skills)} ")})'
    return f'table.cell(fill: rgb("{background}"), {count} + {dots})'


def _facts(facts: Sequence[tuple[str, str]], quote: Quote) -> str:
    boxes = ", ".join(
        f'block(fill: luma(245), radius: 3pt, inset: 5pt, width: 100%, height: 100%, text(weight: "bold", {quote(title)}) + '
        f"linebreak() + {' + linebreak() + '.join(code_typst(line, quote) for line in text.splitlines())})"
        for title, text in facts
    )
    return (
        f"#block(above: 8pt)[#set text(size: 7pt)\n#set par(leading: 0.45em)\n#grid(columns: (1fr,) * {len(facts)}, "
        f"column-gutter: 5pt, rows: (52pt,), {boxes})]"
    )


def _bold(sentence: str, quote: Quote) -> str:
    parts = enumerate(code_typst(part, quote) for part in sentence.split("**"))
    return " + ".join(f"strong({part})" if k % 2 else part for k, part in parts)


def _image(svg: str, width: str, alt: str, quote: Quote) -> str:
    return f'image(bytes({quote(svg)}), format: "svg", width: {width}, alt: {quote(alt)})'
