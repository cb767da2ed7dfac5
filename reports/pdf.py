"""Renders the document as a PDF with Typst."""

import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import typst

from reports.document import Block, Document, Formula, Heading, Note, Paragraph, Picture, Table
from reports.markup import MarkupError, checked_typst
from reports.page_one.blocks import PageOne, Strip
from reports.page_one.pdf import page_typst, strip_typst

SIZES = ((6, 9.0), (9, 8.0), (100, 7.0))
"""(columns, points): the type size of a table with at most so many columns."""

ESCAPES = str.maketrans({chr(code): " " for code in range(32)} | {"\\": r"\\", '"': r"\""})
"""Replacements within a Typst string; control characters cannot be printed and become spaces."""

PREAMBLE = """
#set document(title: {title}, date: none)
#set page(paper: "a4", margin: (x: 1.8cm, y: 1.6cm), numbering: "1 / 1")
#set text(size: 9.5pt, lang: "en")
#set par(justify: false, leading: 0.62em)
#set heading(numbering: "1.1")
#show heading.where(level: 1): set text(size: 15pt)
#show heading.where(level: 1): set block(above: 1.8em, below: 0.9em)
#show figure.where(kind: table): set block(breakable: true)
#show figure.caption: set align(left)
#show figure.caption.where(kind: table): set block(sticky: true)
#show figure.caption: set text(size: 8.5pt)
#set table.cell(breakable: false)
#show table.cell.where(y: 0): set text(weight: "bold")
#set table(stroke: (x, y) => (bottom: if y == 0 {{ 0.8pt }} else {{ 0.3pt + luma(200) }}), inset: (x: 4pt, y: 3pt), align: left)
#let note(tone, colour, body) = block(stroke: (left: 3pt + colour), inset: (left: 8pt, y: 3pt), breakable: false)[
  #text(weight: "bold", fill: colour, tone) · #body]
"""

TITLE = """
#text(size: 17pt, weight: "bold", {title})

#text(size: 10pt, {subtitle})
"""

COLOURS: Mapping[str, str] = {
    "supported": "#00694e",
    "contradicted": "#a8420f",
    "mixed": "#5b4a9e",
    "inconclusive": "#6b5900",
    "not run": "#555555",
    "warning": "#8a5a00",
}


def to_pdf(document: Document) -> bytes:
    """The PDF file, tagged and with an outline. The same document gives the same bytes."""
    with tempfile.TemporaryDirectory() as folder:
        for block in document.blocks:
            if isinstance(block, Picture):
                (Path(folder) / f"{block.name}.svg").write_text(block.svg, encoding="utf-8")
        contents = "#pagebreak(weak: true)\n#outline(depth: 2)"
        parts = [PREAMBLE.format(title=_text(document.title)), _front(document), contents, *map(_block, document.parts)]
        source = Path(folder) / "report.typ"
        source.write_text("\n".join(parts), encoding="utf-8")
        return _compile(source)


def _front(document: Document) -> str:
    """The title and what is before the first heading; a first page is made to fit on one sheet with them."""
    head = [TITLE.format(title=_text(document.title), subtitle=_text(document.subtitle))]
    for block in document.front:
        if isinstance(block, PageOne):
            return page_typst(block, _text, "\n".join(head))
        head.append(_block(block))
    return "\n".join(head)


def _compile(source: Path) -> bytes:
    """A PDF/UA-1; or a plain PDF if no font of this machine has some character, which PDF/UA-1 forbids."""
    try:
        return typst.compile(source, font_paths=_fonts(), pdf_standards="ua-1")
    except typst.TypstError:
        return typst.compile(source, font_paths=_fonts())


@cache
def _fonts() -> typst.Fonts:
    """Typst's own fonts and those of this machine; to look for them takes longer than to typeset an equation."""
    return typst.Fonts()


def _text(text: str) -> str:
    """A Typst string, in which nothing is markup or code."""
    return f'"{text.translate(ESCAPES)}"'


def _block(block: Block) -> str:
    match block:
        case Heading(text, level, anchor, on_new_page):
            page, label = "#pagebreak(weak: true)\n" * on_new_page, f" <{anchor}>" if anchor else ""
            return f"{page}#heading(level: {level}, {_text(text)}){label}"
        case Paragraph(text):
            return f"#par({_text(text)})"
        case Note(text, tone):
            return f'#note({_text(tone)}, rgb("{COLOURS[tone]}"), {_text(text)})'
        case PageOne():
            return page_typst(block, _text, title="")
        case Strip():
            return strip_typst(block, _text)
        case Formula():
            return _equation(block)
        case Picture():
            image = f'image("{block.name}.svg", width: 100%, alt: {_text(block.alt)})'
            return f"#figure({image}, caption: {_text(block.caption)})"
        case Table():
            return _table(block)


def _equation(formula: Formula) -> str:
    """The equation, or its text if the record's Typst is not allowed or does not compile."""
    try:
        equation = f"#math.equation(block: true, alt: {_text(formula.alt)}, $ {checked_typst(formula.typst)} $)"
        typst.compile(equation.encode(), font_paths=_fonts())  # alone, so that a wrong one does not stop the report
    except (MarkupError, typst.TypstError):
        return f"#par({_text(formula.alt)})"
    return equation


def _table(block: Table) -> str:
    columns = len(block.columns)
    size = next(size for limit, size in SIZES if columns <= limit)
    header = ", ".join(map(_text, block.columns))
    cells = ", ".join(_lines(cell) for row in block.rows for cell in row)
    caption = f"figure.caption(position: top, {_text(block.caption)})"
    table = f"table(columns: {columns}, table.header({header}), {cells})"
    return f"#[#set text(size: {size}pt)\n#figure({table}, kind: table, caption: {caption})]"


def _lines(cell: str) -> str:
    """A cell's text, line by line."""
    return " + linebreak() + ".join(map(_text, cell.split("\n")))
