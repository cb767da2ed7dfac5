"""Puts a report into the repository as a sample: its PDF, its first page, some figures, and its answer into the README.

python -m reports.sample REPORT DOCS README
"""

import re
import shutil
import sys
from pathlib import Path

from reports.page_one.markdown import FILE, PICTURE

ANSWER = re.compile(r"(?<=<!-- answer: made by `make sample` -->\n).*?(?=<!-- /answer -->)", re.DOTALL)
"""What the README says was found, between two comments."""

SHOWN = ("score_matrix.svg", "difficulty.svg", "word_by_word.svg", "gates.svg", "search.svg", "attention_maps_1.svg")
"""The figures that are put beside the PDF, which has all: a repository stays small."""


def put_sample(report: Path, folder: Path, readme: Path) -> None:
    """Replaces the sample in a folder, and the answer in the README, by those of a report."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("report.pdf", FILE, PICTURE):
        shutil.copyfile(report / name, folder / name)
    (folder / "figures").mkdir()
    for name in SHOWN:
        shutil.copyfile(report / "figures" / name, folder / "figures" / name)
    text = readme.read_text(encoding="utf-8")
    answer = answer_of((report / FILE).read_text(encoding="utf-8"))
    readme.write_text(ANSWER.sub(lambda _: answer, text), encoding="utf-8")


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
