"""Code in a text: what stands between two backticks, as docstrings and Markdown have it."""

import re
from collections.abc import Callable, Iterator

from markupsafe import Markup, escape

CODE = re.compile(r"`([^`\n]+)`")


def code_spans(text: str) -> Iterator[tuple[str, bool]]:
    """The pieces of a text, none of them empty, and whether each is code. A backtick without a second one is text.

    >>> [*code_spans("`ablate run` goes on, as ` does.")]
    [('ablate run', True), (' goes on, as ` does.', False)]
    """
    pieces = enumerate(CODE.split(text))
    yield from ((piece, bool(k % 2)) for k, piece in pieces if piece)


def code_html(text: str, plain: Callable[[str], Markup] = escape) -> Markup:
    """A text whose code is set as such; `plain` makes HTML of what is none.

    >>> print(code_html("a < `b < c`"))
    a &lt; <code>b &lt; c</code>
    """
    code = Markup("<code>{}</code>").format
    return Markup("").join(code(piece) if is_code else plain(piece) for piece, is_code in code_spans(text))


def code_typst(text: str, quote: Callable[[str], str], plain: Callable[[str], str] | None = None) -> str:
    """The same as an expression of Typst; `quote` makes a string of a text."""
    plain = plain or quote
    return (
        " + ".join(f"raw({quote(piece)})" if is_code else plain(piece) for piece, is_code in code_spans(text)) or '""'
    )
