"""A record may come from anywhere: nothing in it is obeyed by a browser, by Typst or by matplotlib."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from builders.fake_record import EQUATIONS, World, fake_study
from builders.rendered import Page, pdf_source

from ablations.models import CELLS
from ablations.models.equations import equations
from reports.document import Document, Formula, Heading, Note, Paragraph, Table
from reports.html import to_html
from reports.markup import MarkupError, checked_mathml, checked_typst
from reports.pdf import to_pdf
from reports.write import write

HOSTILE = '<b>x</b> & "q" \'#$_*@[]`{}% \\u0041 </script> --\\'
MORE_HOSTILE = ("$x$ and $\\frac{$", "--><script>alert(1)</script>", "bell\x07")
TINY = World(tasks=("adding",), variants=("rnn",), parents={}, diverged=(), costs=False)
MATHML = [
    "<script>alert(1)</script>",
    '<math display="block"><mi>h</mi></math><script>alert(1)</script>',
    "<math><mi><script>alert(1)</script></mi></math>",
    '<math onclick="alert(1)"><mi>h</mi></math>',
    '<math><mi href="javascript:alert(1)">h</mi></math>',
    '<math><annotation-xml encoding="text/html"><img src="x" onerror="alert(1)"/></annotation-xml></math>',
    "<math><mi>h",
    "</main><iframe src='//elsewhere'>",
    '<!DOCTYPE math [<!ENTITY e "<script>alert(1)</script>">]><math><mi>&e;</mi></math>',
    "<math><mrow><math><mi>h</mi></math></mrow></math>",
    "<mi>h</mi>",
    "",
]
TYPST = [
    '#read("/etc/passwd")',
    'a $ #panic("obeyed") $ b',
    '#eval("1")',
    "calc(1)",
    'image("x.png")',
    'op("a" + #sys.version)',
    '"\\" + #panic() + \\""',
    "a \\ #b",
    "a // b",
    "x1",
]
WRONG_TYPST = ["frac(a", "frac(a, b, c)", "_ a", "a_", "(" * 3000 + ")" * 3000]


def page_of(mathml: str) -> tuple[str, Page]:
    """A page with one equation, as HTML and as a browser sees it."""
    html = to_html(Document("t", "t", [Formula(mathml, "", "the equation as text")]))
    return html, Page(html)


@pytest.mark.parametrize("mathml", MATHML)
def test_mathml_that_is_no_equation_is_shown_as_text(mathml: str) -> None:
    _, benign = page_of(EQUATIONS[0]["mathml"])
    html, page = page_of(mathml)
    assert page.elements < benign.elements
    assert page.attributes <= benign.attributes
    assert page.fetched == benign.fetched == []
    assert html.count("<script") == 2  # the page's own: its data, and what sorts tables
    assert "the equation as text" in page.text
    assert "math" not in page.elements


@pytest.mark.parametrize("source", [*TYPST, *WRONG_TYPST])
def test_typst_that_is_no_equation_is_shown_as_text(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    written = pdf_source(Document("t", "t", [Formula("", source, 'the "equation" as text')]), monkeypatch)
    assert '#par("the \\"equation\\" as text")' in written
    assert "#math.equation" not in written
    assert source not in written


@pytest.mark.parametrize("source", TYPST)
def test_code_in_typst_is_never_compiled(source: str) -> None:
    with pytest.raises(MarkupError):
        checked_typst(source)


def test_a_hostile_equation_passes_through_both_reports(tmp_path: Path) -> None:
    study = fake_study(TINY)
    equation = {**EQUATIONS[0], "text": "the equation as text", "mathml": MATHML[0], "typst": TYPST[0]}
    hostile = replace(study, settings=tuple(replace(s, equations=(equation,)) for s in study.settings))
    html, pdf = write(hostile, tmp_path / "report")
    text = html.read_text(encoding="utf-8")
    assert "the equation as text" in Page(text).text
    assert "alert(1)" not in text
    assert pdf.read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("name", CELLS)
def test_the_equations_of_every_cell_are_typeset_unchanged(name: str) -> None:
    for equation in equations(CELLS[name]):
        assert checked_mathml(equation.mathml) == equation.mathml
        assert checked_typst(equation.typst) == equation.typst


def test_equations_are_typeset_in_both_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {"math", "msub"} <= page_of(EQUATIONS[0]["mathml"])[1].elements
    formula = Formula("", EQUATIONS[0]["typst"], "a")
    assert "$ h_(t) = tanh (b_(h)) $" in pdf_source(Document("t", "t", [formula]), monkeypatch)


@pytest.mark.parametrize("text", ["a < b", "a & b", "«a»", "θ′"])
def test_text_within_mathml_is_escaped_and_kept(text: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;")
    assert Page(checked_mathml(f"<math><mi>{escaped}</mi></math>")).text == [text]


def test_hostile_text_is_shown_and_not_obeyed() -> None:
    blocks = [Heading(HOSTILE), Paragraph(HOSTILE), Note(HOSTILE, "warning")]
    table = Table("t", pd.DataFrame({HOSTILE: [HOSTILE]}), HOSTILE)
    document = Document(HOSTILE, HOSTILE, [*blocks, table])
    html = to_html(document)
    assert "<b>x</b>" not in html
    assert Page(html).text.count(HOSTILE) >= 6
    assert to_pdf(document).startswith(b"%PDF")


@pytest.mark.parametrize("character", ["\x07", "\n", "\ue000", "\U000f0000"])
def test_characters_that_cannot_be_printed_do_not_stop_the_pdf(character: str) -> None:
    assert to_pdf(Document("title", f"before{character}after", [Paragraph(character)])).startswith(b"%PDF")


@pytest.mark.filterwarnings("ignore:Glyph 7 ")  # the bell cannot be drawn
@pytest.mark.parametrize(
    "name",
    [HOSTILE, *(pytest.param(name, marks=pytest.mark.long) for name in MORE_HOSTILE)],
)
def test_a_hostile_variant_name_passes_through_the_whole_report(tmp_path: Path, name: str) -> None:
    study = fake_study(World(tasks=("france",), variants=("lstm", name), parents={name: "lstm"}))
    html, pdf = write(study, tmp_path / "report")
    page = Page(html.read_text(encoding="utf-8"))
    assert name in page.text
    assert not page.comments
    assert "alert(1)" not in "".join(path.read_text(encoding="utf-8") for path in tmp_path.rglob("*.svg"))
    assert pdf.read_bytes().startswith(b"%PDF")
