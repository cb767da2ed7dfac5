"""Renders the document as one HTML file that needs no other file."""

from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from reports.document import Document, Formula, Heading, Picture
from reports.markup import MarkupError, checked_mathml
from reports.page_one.html import page_html, strip_html


def to_html(document: Document) -> str:
    """The whole page. Every text is escaped; figures are drawn by this package, and equations are checked."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"figure": _figure, "equation": _equation, "page_one": page_html, "strip": strip_html}
    template = environment.from_string(files("reports").joinpath("templates/report.html").read_text(encoding="utf-8"))
    headings = [(place, block) for place, block in enumerate(document.blocks) if isinstance(block, Heading)]
    styles = Markup(files("reports").joinpath("templates/page_one.css").read_text(encoding="utf-8"))
    return template.render(styles=styles, document=document, headings=headings, kind=lambda block: type(block).__name__)


def _figure(picture: Picture) -> Markup:
    """The figure's SVG as it is: texts of the record are paths in it, not text (`style.as_svg`)."""
    return Markup(picture.svg)


def _equation(formula: Formula) -> Markup:
    """The equation's MathML, or its text if the record's MathML is not allowed."""
    try:
        return Markup(checked_mathml(formula.mathml))
    except MarkupError:
        return Markup("<p>{}</p>").format(formula.alt)
