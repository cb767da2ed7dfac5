"""A document as other programs see it: its page as a browser's parser, its PDF's source as Typst."""

from html.parser import HTMLParser
from pathlib import Path

import pytest
import typst

from reports.document import Document
from reports.pdf import to_pdf

FETCHING = ("src", "href", "xlink:href", "srcset", "data")
"""The attributes that make a browser fetch something, but for a link, which it follows when it is told to."""


class Page(HTMLParser):
    """What a page asks a browser to fetch or to run, where links lead, its text, and its pictures' descriptions."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: set[str] = set()
        self.fetched: list[str] = []
        self.links: list[str] = []
        self.text: list[str] = []
        self.pictures: list[str] = []
        self.comments: list[str] = []
        self.anchors: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.elements.add(tag)
        self.attributes.update(attributes)
        self.anchors += [attributes["id"]] if "id" in attributes else []
        addresses = [attributes[name] for name in FETCHING if name in attributes]
        (self.links if tag == "a" else self.fetched).extend(addresses)
        if attributes.get("role") == "img":
            self.pictures.append(attributes["aria-label"])

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


def pdf_source(document: Document, monkeypatch: pytest.MonkeyPatch) -> str:
    """The Typst source of the document, which is compiled too."""
    sources: list[str] = []
    compiled = typst.compile

    def compile_and_keep(source: Path | bytes, **options: str) -> bytes:
        sources.append(source.decode() if isinstance(source, bytes) else source.read_text(encoding="utf-8"))
        return compiled(source, **options)

    monkeypatch.setattr(typst, "compile", compile_and_keep)
    assert to_pdf(document).startswith(b"%PDF")
    return sources[-1]
