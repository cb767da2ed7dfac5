"""The document as one HTML file that needs nothing else."""

from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from reports.document import Document, Heading


def to_html(document: Document) -> str:
    """The whole page; every text is escaped, only figures and equations are taken as they are."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["trusted"] = Markup
    template = environment.from_string(files("reports").joinpath("templates/report.html").read_text("utf-8"))
    headings = [(place, block) for place, block in enumerate(document.blocks) if isinstance(block, Heading)]
    return template.render(document=document, headings=headings, kind=lambda block: type(block).__name__)
