"""Renders the document as one HTML file that needs no other file and asks no host for anything."""

import json
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from functools import partial
from hashlib import sha256
from importlib.resources import files
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reports.code_spans import code_html
from reports.document import Document, Formula, Heading, Picture
from reports.explorer import Explorer
from reports.latex import ESCAPES
from reports.markup import MarkupError, checked_mathml
from reports.page_one.html import page_html, strip_html
from reports.references import FILE, References, references, stem

STYLES = ("base.css", "page_one.css", "tables.css", "explorer.css")
SCRIPTS = ("page.js", "tables.js", "explorer.js")
"""The files of `templates/styles` and `templates/scripts` that the page contains, in this order."""

INERT = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}
"""Characters that could end a script, as JSON writes them otherwise. Inside JSON they are only in strings."""

OWN_ID = re.compile(r'\bid="|href="#|url\(#')
"""What stands before an id in an SVG."""


def to_html(document: Document) -> str:
    """The whole page. Every text is escaped for its place; figures are drawn by this package, and equations are checked.

    A block is rendered by `templates/blocks/<its class, in small letters>.html`.
    """
    links = references(document)
    environment = Environment(
        loader=PackageLoader("reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"figure": _figure, "equation": _equation, "stem": stem, "ident": id, "tables": FILE.findall}
    environment.filters |= {"page_one": page_html, "strip": strip_html}
    environment.filters["linked"] = lambda text: code_html(text, partial(_linked, links))
    environment.filters["marked"] = code_html
    script = _all("scripts", SCRIPTS)
    return environment.get_template("report.html").render(
        document=document,
        anchors={id(block): links.anchors.get(place, "") for place, block in enumerate(document.blocks)},
        kind=lambda block: type(block).__name__.lower(),
        contents=_contents(document, links.anchors),
        styles=Markup(_all("styles", STYLES)),
        script=Markup(script),
        digest=b64encode(sha256(script.encode()).digest()).decode(),
        data=Markup(_json(_data(document.explorer))),
    )


def _all(folder: str, names: Sequence[str]) -> str:
    """Files of a folder of the templates, one after the other."""
    place = files("reports").joinpath("templates", folder)
    return "\n".join(place.joinpath(name).read_text(encoding="utf-8") for name in names)


def _contents(document: Document, anchors: Mapping[int, str]) -> list[dict[str, Any]]:
    """The parts of the document, each with its text, anchor and sections."""
    parts: list[dict[str, Any]] = []
    for place, block in enumerate(document.blocks):
        if not isinstance(block, Heading):
            continue
        entry = {"text": block.text, "anchor": anchors[place], "sections": []}
        (parts if block.level == 1 or not parts else parts[-1]["sections"]).append(entry)
    return parts


def _linked(links: References, text: str) -> Markup:
    return Markup("").join(_link(*piece) for piece in links.split(text))


def _link(text: str, target: str) -> Markup:
    return Markup('<a href="{}">{}</a>').format(target, text) if target else Markup.escape(text)


def _data(explorer: Explorer | None) -> dict[str, Any]:
    """What the page's script reads: the tables of the explorer by column, and how LaTeX is escaped."""
    data: dict[str, Any] = {"latex": ESCAPES}
    if explorer:
        tables = {"replicates": explorer.replicates, "curves": explorer.curves, "pairs": explorer.pairs}
        data |= {name: _by_column(frame) for name, frame in tables.items()}
    return data


def _by_column(frame: pd.DataFrame) -> dict[str, list[Any]]:
    """The columns as lists; what is no number is null, for JSON has no other word."""
    return {str(name): frame[name].astype(object).where(frame[name].notna(), None).tolist() for name in frame}


def _json(data: Mapping[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":")).translate(INERT)


def _figure(picture: Picture) -> Markup:
    """The figure's SVG, with ids of its own: texts of the record are paths in it, not text (`style.as_svg`)."""
    return Markup(OWN_ID.sub(rf"\g<0>{stem(picture.name)}_", picture.svg))


def _equation(formula: Formula) -> Markup:
    """The equation's MathML, or its text if the record's MathML is not allowed."""
    try:
        return Markup(checked_mathml(formula.mathml))
    except MarkupError:
        return Markup("<p>{}</p>").format(formula.alt)
