"""Checks the markup of a record's equations. A record may come from anywhere, so only what is listed here is allowed."""

import re
from html import escape
from xml.etree.ElementTree import ParseError, XMLParser

MATHML: dict[str, dict[str, str]] = {
    "math": {"display": "block"},
    **{element: {} for element in ("mrow", "mi", "mn", "mo", "msub", "msup", "mfrac")},
}
"""The MathML elements that equations are made of, each with the attributes that it may have."""

TYPST_NAMES = frozenset({"sigma", "tanh", "exp", "log", "sqrt", "sin", "cos", "abs", "max", "frac", "op"})
"""The functions and signs of equations in Typst. Any other name of two or more letters is refused."""

TYPST_TOKEN = re.compile(
    r"""(?P<name>[^\W\d_][^\W_]*)         # a letter, or a name from the list above
      | "[^"\\]*"                          # a word in upright letters
      | \d+(?:\.\d+)?                     # a number
      | [ ()\[\],=+−\-⊙_^«»]              # signs, _ before an index, ^ before an exponent""",
    re.VERBOSE,
)
"""Neither `#`, which begins code, nor `$`, which ends the equation, nor a backslash."""


class MarkupError(ValueError):
    """An equation's markup holds something that is not allowed."""


def checked_mathml(source: str) -> str:
    """Parses the MathML and writes it anew.

    Raises `MarkupError` if it is not well-formed XML, or has an element or an attribute that is not in `MATHML`.

    >>> checked_mathml('<math display="block"><mi>a</mi><mo>&lt;</mo><mn>1</mn></math>')
    '<math display="block"><mi>a</mi><mo>&lt;</mo><mn>1</mn></math>'
    """
    rewriter = _Rewriter()
    parser = XMLParser(target=rewriter)
    try:
        parser.feed(source)
        parser.close()
    except ParseError as error:
        raise MarkupError(f"not XML: {error}") from error
    return "".join(rewriter.parts)


class _Rewriter:
    """Target of an XML parser: writes the elements and texts that the parser reads, and refuses what is not allowed."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    def start(self, element: str, attributes: dict[str, str]) -> None:
        is_root = not self.parts
        if element not in MATHML or (element == "math") != is_root or not attributes.items() <= MATHML[element].items():
            raise MarkupError(f"<{element}> with the attributes {attributes} is not allowed")
        pairs = "".join(f' {name}="{escape(value)}"' for name, value in attributes.items())
        self.parts.append(f"<{element}{pairs}>")

    def data(self, text: str) -> None:
        self.parts.append(escape(text, quote=False))

    def end(self, element: str) -> None:
        self.parts.append(f"</{element}>")

    def doctype(self, name: str, public: str | None, system: str | None) -> None:
        raise MarkupError("a document type is not allowed")  # it could define entities


def checked_typst(source: str) -> str:
    """Returns the Typst unchanged. Raises `MarkupError` if it holds anything but letters, signs and `TYPST_NAMES`.

    >>> checked_typst('h_(t) = op("relu") (W_(h) x_(t))')
    'h_(t) = op("relu") (W_(h) x_(t))'
    """
    position = 0
    while position < len(source):
        token = TYPST_TOKEN.match(source, position)
        name = token["name"] if token else None
        if not token or (name and len(name) > 1 and name not in TYPST_NAMES):
            raise MarkupError(f"{source[position : position + 20]!r} is not allowed")
        position = token.end()
    return source
