"""Renders the document as a PDF with Typst."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import typst

from reports.code_spans import code_typst
from reports.document import Block, Document, Formula, Heading, Note, Paragraph, Picture, Sample, Table
from reports.markup import MarkupError, checked_typst
from reports.page_one.blocks import PageOne, Strip
from reports.page_one.pdf import page_typst, strip_typst
from reports.references import References, references, stem

SIZES = ((6, 9.0), (9, 8.0), (100, 7.0))
"""(columns, points): the type size of a table with at most so many columns."""

MOST_ROWS = 150
"""Rows of a table that are printed, some pages; of more, the first ones. Tagged tables of thousands take gigabytes."""

ESCAPES = str.maketrans({chr(code): " " for code in range(32)} | {"\\": r"\\", '"': r"\""})
"""Replacements within a Typst string; control characters cannot be printed and become spaces."""

PREAMBLE = """
#set document(title: {title}, author: {author}, date: {date})
#set page(paper: "a4", margin: (x: 1.8cm, y: 1.6cm), numbering: "1 / 1")
#set text(size: 9.5pt, lang: "en")
#set par(justify: false, leading: 0.62em)
#set heading(numbering: "1.1")
#show heading.where(level: 1): set text(size: 15pt)
#show heading.where(level: 1): set block(above: 1.8em, below: 0.9em)
#show link: set text(fill: rgb("#0b57a4"))
#show figure.where(kind: table): set block(breakable: true)
#show figure.caption: set align(left)
#show figure.caption.where(kind: table): set block(sticky: true)
#show figure.caption: set text(size: 8.5pt)
#set table.cell(breakable: false)
#show table.cell.where(y: 0): set text(weight: "bold")
#set table(stroke: (x, y) => (bottom: if y == 0 {{ 0.8pt }} else {{ 0.3pt + luma(200) }}), inset: (x: 4pt, y: 3pt), align: left)
#let note(tone, colour, body) = block(stroke: (left: 3pt + colour), inset: (left: 8pt, y: 3pt), breakable: false)[
  #text(weight: "bold", fill: colour, tone) · #body]
// What fits on a page is not torn over two.
#let whole(body) = layout(size => {{
  let height = measure(block(width: size.width, body)).height
  block(width: 100%, breakable: height > size.height, body)
}})
"""

TITLE = """
#text(size: 17pt, weight: "bold", {title})

#text(size: 10pt, {subtitle})
"""

OUTLINE = """
#layout(size => {
  set text(size: 8.5pt)
  let contents = outline(depth: 2, title: none)
  let height = measure(block(width: size.width * 48%, contents)).height
  block(height: height / 2 + 2em, columns(2, contents))
})
"""
"""The contents in two columns of the same height."""

COLOURS: Mapping[str, str] = {
    "supported": "#00694e",
    "contradicted": "#a8420f",
    "mixed": "#5b4a9e",
    "inconclusive": "#6b5900",
    "not run": "#555555",
    "warning": "#8a5a00",
}


def to_pdf(document: Document) -> bytes:
    """The PDF file, tagged and with an outline. The same document gives the same bytes.

    The first page has the document's front, if it has one; the contents come after it, and long tables at the end.
    """
    with tempfile.TemporaryDirectory() as folder:
        for block in document.blocks:
            if isinstance(block, Picture):
                (Path(folder) / f"{stem(block.name)}.svg").write_text(block.svg, encoding="utf-8")
        source = Path(folder) / "report.typ"
        source.write_text(_source(document), encoding="utf-8")
        return _compile(source)


def front_png(document: Document) -> bytes:
    """The first page as a picture, 1,190 pixels wide."""
    links = references(document)
    anchors = {id(block): links.anchors.get(place, "") for place, block in enumerate(document.blocks)}
    targets = [f"#metadata(none) <{anchor}>" for anchor in links.anchors.values()]  # what the page links to
    front = Typeset(links, anchors).front(document)
    source = "\n".join([_preamble(document), "#set page(numbering: none)", front, *targets])
    pages = typst.compile(source.encode(), font_paths=_fonts(), format="png", ppi=144)
    return pages if isinstance(pages, bytes) else pages[0]


def _source(document: Document) -> str:
    links = references(document)
    anchors = {id(block): links.anchors.get(place, "") for place, block in enumerate(document.blocks)}
    typeset = Typeset(links, anchors)
    sections = [_section([*map(typeset.block, section)], section[0]) for section in _sections(document.parts)]
    appendix = ['#pagebreak(weak: true)\n#heading(level: 1, "Appendix: long tables")'] if document.appendix else []
    return "\n".join([
        _preamble(document),
        typeset.front(document),
        "#pagebreak(weak: true)" if document.front and document.parts else "",
        OUTLINE if document.parts else "",
        *sections,
        *appendix,
        *map(typeset.table, document.appendix),
    ])  # fmt: skip


def _section(blocks: Sequence[str], first: Block) -> str:
    """The blocks below a heading, on one page if they fit, and on a new one if the heading says so."""
    page = "#pagebreak(weak: true)\n" if isinstance(first, Heading) and first.on_new_page else ""
    return f"{page}#whole[{chr(10).join(blocks)}]"


def _preamble(document: Document) -> str:
    day = document.day
    return PREAMBLE.format(
        title=_text(document.title),
        author=_text(document.author),
        date=f"datetime(year: {day.year}, month: {day.month}, day: {day.day})" if day else "none",
    )


def _sections(blocks: Sequence[Block]) -> Iterator[list[Block]]:
    """The blocks under each heading. A heading that only has sections stays with the first of them."""
    section: list[Block] = []
    for block in blocks:
        if isinstance(block, Heading) and any(not isinstance(each, Heading) for each in section):
            yield section
            section = []
        section.append(block)
    if section:
        yield section


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


def _lines_of(text: str) -> str:
    """A Typst string of several lines."""
    return ' + "\\n" + '.join(map(_text, text.splitlines())) or _text("")


@dataclass(frozen=True)
class Typeset:
    """Writes blocks as Typst source. `anchors` are those of the blocks by their identity."""

    links: References
    anchors: Mapping[int, str]

    def front(self, document: Document) -> str:
        """The title and what is before the first heading; a first page is made to fit on one sheet with what precedes it."""
        parts = [TITLE.format(title=code_typst(document.title, _text), subtitle=_text(document.subtitle))]
        for block in document.front:
            if isinstance(block, PageOne):
                parts = [page_typst(block, _text, "\n".join(parts))]
            else:
                parts.append(self.block(block))
        return "\n".join(parts)

    def block(self, block: Block) -> str:
        """A block where it stands; of a table that is printed in the appendix, where that is."""
        match block:
            case Heading(text, level):
                return f"#heading(level: {level}, {code_typst(text, _text)}) {self._label(block)}"
            case PageOne():
                return page_typst(block, _text, title="")
            case Strip():
                return strip_typst(block, _text)
            case Paragraph(text):
                return f"#par({self._linked(text)})"
            case Sample(text):
                return f"#text(size: 6.5pt, raw(block: true, {_lines_of(text)}))"
            case Note(text, tone):
                return f'#note({_text(tone)}, rgb("{COLOURS[tone]}"), {self._linked(text)})'
            case Formula():
                return _equation(block)
            case Picture():
                image = f'image("{stem(block.name)}.svg", width: 100%, alt: {_text(block.alt)})'
                return f"#figure({image}, caption: {self._linked(block.caption)}) {self._label(block)}"
            case Table():
                return self._pointer(block) if block.is_appended else self.table(block)

    def table(self, block: Table) -> str:
        """A table with all its rows: numbers on the right, texts on the left."""
        columns = block.content
        size = next(size for limit, size in SIZES if len(columns) <= limit)
        header = ", ".join(_text(column.name) for column in columns)
        aligned = ", ".join("right" if column.is_numeric else "left" for column in columns)
        rows = block.rows[:MOST_ROWS]
        cells = ", ".join(self._lines(cell) for row in rows for cell in row)
        caption = f"figure.caption(position: top, {self._linked(block.caption)})"
        table = f"table(columns: {len(columns)}, align: ({aligned},), table.header({header}), {cells})"
        figure = f"#figure({table}, kind: table, caption: {caption}) {self._label(block)}"
        if len(rows) == len(block.rows):
            return f"#whole[#set text(size: {size}pt)\n{figure}]"
        rest = f"The first {len(rows)} of {len(block.rows):,} rows. All of them are in tables/{stem(block.name)}.csv."
        return f"#[#set text(size: {size}pt)\n{figure}\n#par({_text(rest)})]"  # no page has room: nothing is measured

    def _pointer(self, block: Table) -> str:
        target = f"link(<{self.anchors[id(block)]}>, {code_typst(block.title, _text)})"
        return f'#par("In the appendix: " + {target} + " ({len(block.rows)} rows).")'

    def _label(self, block: Block) -> str:
        return f"<{self.anchors[id(block)]}>"

    def _lines(self, cell: str) -> str:
        """A cell's text, line by line."""
        return " + linebreak() + ".join(map(self._linked, cell.split("\n")))

    def _linked(self, text: str) -> str:
        """A text with its links. The files beside the report are no links here: a PDF is sent without them."""
        return code_typst(text, _text, self._pieces)

    def _pieces(self, text: str) -> str:
        return " + ".join(_link(*piece) for piece in self.links.split(text) if piece[0])


def _link(text: str, target: str) -> str:
    if target.startswith("#"):
        return f"link(<{target[1:]}>, {_text(text)})"
    return f"link({_text(target)}, {_text(text)})" if target.startswith("http") else _text(text)


def _equation(formula: Formula) -> str:
    """The equation, or its text if the record's Typst is not allowed or does not compile."""
    try:
        equation = f"#math.equation(block: true, alt: {_text(formula.alt)}, $ {checked_typst(formula.typst)} $)"
        typst.compile(equation.encode(), font_paths=_fonts())  # alone, so that a wrong one does not stop the report
    except (MarkupError, typst.TypstError):
        return f"#par({_text(formula.alt)})"
    return equation
