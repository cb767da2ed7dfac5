"""What is read and written does not depend on the locale."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEXT_CALLS = {"open": 1, "read_text": 0, "write_text": 1}
"""What reads or writes text, and after how many arguments the encoding is one."""
MODULES = [path for room in ("tasks", "ablations", "reports", "benchmarks") for path in (ROOT / room).rglob("*.py")]


NO_TEXT = ("tokenize.open", "Image.open")
"""Calls of these names that read what the file declares, or no text."""


def _without_encoding(text: str) -> list[int]:
    """The lines with a call that takes the encoding of the locale."""
    lines = []
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call) or ast.unparse(node.func) in NO_TEXT:
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        binary = any(isinstance(part, ast.Constant) and "b" in str(part.value) for part in node.args)
        given = len(node.args) > TEXT_CALLS.get(name, 0) or any(word.arg == "encoding" for word in node.keywords)
        if name in TEXT_CALLS and not given and not (name == "open" and binary):
            lines.append(node.lineno)
    return lines


def test_text_is_read_and_written_as_utf_8() -> None:
    lines = {str(path.relative_to(ROOT)): _without_encoding(path.read_text(encoding="utf-8")) for path in MODULES}
    assert not {path: found for path, found in lines.items() if found}


def test_a_call_without_an_encoding_would_be_seen() -> None:
    assert _without_encoding("open('x')\nPath('x').read_text()\np.write_text('y')\nopen('x', 'rb')") == [1, 2, 3]
    assert not _without_encoding(
        "open('x', encoding='utf-8')\np.read_text('utf-8')\np.write_text('y', encoding='utf-8')"
    )
