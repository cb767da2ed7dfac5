"""Links: anchors that stay the same from report to report, and the phrases of a text that lead somewhere."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from unicodedata import normalize

from reports.document import Block, Document, Heading, Picture, Table

PHRASE = re.compile(r"“[^“”]+”|\btables/[\w.-]+\.csv|\b[0-9a-f]{8}\b|\b[\w.-]+ \(id \d+\)")
"""What may be a link: a quoted heading, the file of a table, the first letters of a run's id, an experiment with its id."""

FILE = re.compile(r"tables/[\w.-]+\.csv")

RESERVED = ("content", "contents", "explorer", "appendix")
"""The anchors of what is in the page whatever the blocks are."""


def slug(text: str) -> str:
    """A text as an anchor or the name of a file: small letters, digits and hyphens.

    >>> slug("Which network for what?"), slug("Fähigkeit: 10 %"), slug("⊙")
    ('which-network-for-what', 'fahigkeit-10', 'part')
    """
    plain = normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "part"


def stem(name: str) -> str:
    """The name of a table's or figure's file: no path, whatever the record says.

    >>> stem("score_matrix"), stem("theorem_../../x"), stem("..")
    ('score_matrix', 'theorem_.._.._x', '_')
    """
    plain = re.sub(r"[^\w.-]", "_", name)
    return plain if plain.strip(".") else "_"


@dataclass(frozen=True)
class References:
    """What leads where in a document. `anchors` has that of each heading, table and picture, by its place in the blocks."""

    anchors: Mapping[int, str]
    targets: Mapping[str, str]

    def split(self, text: str) -> Iterator[tuple[str, str]]:
        """The pieces of a text, each with the address or #anchor to which it leads; empty where it leads nowhere.

        >>> [*References({}, {"1d42b56f": "#run"}).split("see 1d42b56f.")]
        [('see ', ''), ('1d42b56f', '#run'), ('.', '')]
        """
        start = 0
        for match in PHRASE.finditer(text):
            target = self._target(match[0])
            if not target:
                continue
            quoted = match[0].startswith("“")
            first, last = match.start() + quoted, match.end() - quoted
            yield text[start:first], ""
            yield text[first:last], target
            start = last
        yield text[start:], ""

    def _target(self, phrase: str) -> str:
        target = self.targets.get(phrase.strip("“”").rstrip("."), "")
        return target or (phrase if FILE.fullmatch(phrase) else "")


def references(document: Document) -> References:
    """The anchors of a document and all phrases that lead to them, or to the pages that the document knows."""
    anchors = _anchors(document.blocks)
    headings = {
        block.text: f"#{anchors[place]}" for place, block in enumerate(document.blocks) if isinstance(block, Heading)
    }
    pages = {name: page for name, page in document.pages.items() if page.startswith(("http://", "https://"))}
    return References(anchors, headings | pages)


def _anchors(blocks: Sequence[Block]) -> dict[int, str]:
    """A unique anchor for each block that has one; the second of the same name gets a number."""
    anchors: dict[int, str] = {}
    taken = set(RESERVED)
    for place, block in enumerate(blocks):
        if wish := _wish(block):
            numbered = (f"{wish}-{number}" for number in count(2))
            anchors[place] = wish if wish not in taken else next(name for name in numbered if name not in taken)
            taken.add(anchors[place])
    return anchors


def _wish(block: Block) -> str:
    match block:
        case Heading():
            return slug(block.anchor or block.text)
        case Table():
            return f"table-{slug(block.name)}"
        case Picture():
            return f"figure-{slug(block.name)}"
        case _:
            return ""
