"""Page one as HTML; its style is in templates/page_one.css."""

from collections.abc import Sequence
from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from reports.code_spans import code_html
from reports.estimates import SOLVED
from reports.page_one import legends
from reports.page_one.blocks import SIGNS, PageOne, Strip
from reports.page_one.cells import cell_colours
from reports.page_one.numbers import in_numbers, in_words, label
from reports.page_one.sparks import dots_svg, interval_svg


def page_html(page: PageOne) -> Markup:
    """The whole first page."""
    return _macros("page", page)


def strip_html(strip: Strip) -> Markup:
    """Rows of verdicts or measurements."""
    return _macros("strip", strip)


def _macros(name: str, block: PageOne | Strip) -> Markup:
    """What one of the template's macros makes of a block. Every text is escaped."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {
        "bold": _bold,
        "marked": code_html,
        "interval": lambda measurement: Markup(interval_svg(measurement)),
        "in_words": in_words,
        "label": label,
        "value": lambda measurement: in_numbers(measurement)[0],
        "rest": lambda measurement: in_numbers(measurement)[1],
        "cell": _cell,
    }
    environment.globals |= {"signs": SIGNS, "legends": legends}
    source = files("reports").joinpath("templates/page_one.html").read_text(encoding="utf-8")
    macro = getattr(environment.from_string(source).module, name)
    return Markup(macro(block))


def _bold(sentence: str) -> Markup:
    """A sentence whose names between two asterisks are bold, and whose code is set as such."""
    parts = enumerate(map(code_html, sentence.split("**")))
    return Markup("").join(Markup("<b>{}</b>").format(part) if k % 2 else part for k, part in parts)


def _cell(skills: Sequence[float] | None) -> Markup:
    if skills is None:
        return Markup('<td class="absent">–</td>')
    solved = sum(skill > SOLVED for skill in skills)
    background, ink = cell_colours(solved / len(skills))
    dots = Markup(dots_svg(skills, ink))
    style = f"background:{background};color:{ink}"
    return Markup('<td style="{}"><b>{}/{}</b> {}</td>').format(style, solved, len(skills), dots)
