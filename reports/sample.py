"""Puts a report into the repository as a sample: its PDF, its first page, its figures, and its answer into the README.

python -m reports.sample REPORT DOCS README
"""

import re
import shutil
import sys
from io import BytesIO
from pathlib import Path

import typst
from PIL import Image

from reports.page_one.markdown import FILE, PICTURE

ANSWER = re.compile(r"(?<=<!-- answer: made by `make sample` -->\n).*?(?=<!-- /answer -->)", re.DOTALL)
"""What the README says was found, between two comments."""

SHARP, COLOURS = 144, 128
"""Pixels per inch of a figure, and the colours of a picture: a repository stays small. The PDF has the figures as drawings."""

ONE_FIGURE = b"""
#set page(width: auto, height: auto, margin: 4pt)
#image(bytes(sys.inputs.svg), format: "svg")
"""


def put_sample(report: Path, folder: Path, readme: Path) -> None:
    """Replaces the sample in a folder, and the answer in the README, by those of a report."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("report.pdf", FILE):
        shutil.copyfile(report / name, folder / name)
    _write_small(folder / PICTURE, (report / PICTURE).read_bytes())
    (folder / "figures").mkdir()
    for figure in sorted((report / "figures").glob("*.svg")):
        inputs = {"svg": figure.read_text(encoding="utf-8")}
        pages = typst.compile(ONE_FIGURE, format="png", ppi=SHARP, sys_inputs=inputs)
        _write_small(folder / "figures" / f"{figure.stem}.png", pages if isinstance(pages, bytes) else pages[0])
    text = readme.read_text(encoding="utf-8")
    answer = answer_of((report / FILE).read_text(encoding="utf-8"))
    readme.write_text(ANSWER.sub(lambda _: answer, text), encoding="utf-8")


def _write_small(path: Path, png: bytes) -> None:
    """Writes a picture with few colours; figures and text need no more."""
    with Image.open(BytesIO(png)) as picture:
        picture.convert("P", palette=Image.Palette.ADAPTIVE, colors=COLOURS).save(path, optimize=True)


def answer_of(page: str) -> str:
    """The answer and the count of verdicts of a first page in Markdown, as a quotation.

    >>> print(answer_of("# Why?\\n\\n1 May · commit\\n\\nTake **gru**.\\n\\nNot **rnn**.\\n\\n## 1 supported\\n\\n| a |"), end="")
    > Take **gru**. Not **rnn**.
    >
    > Of the textbook's claims: 1 supported.
    """
    head, _, rest = page.partition("\n## ")
    sentences = " ".join(head.strip().split("\n\n")[2:])
    return f"> {sentences}\n>\n> Of the textbook's claims: {rest.partition(chr(10))[0]}.\n"


if __name__ == "__main__":
    put_sample(*map(Path, sys.argv[1:]))
