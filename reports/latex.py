"""A table as LaTeX (booktabs)."""

from reports.document import Table

ESCAPES = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "[": "{[}", "]": "{]}", "−": "$-$", "∞": r"$\infty$", "–": "--", "µ": r"\textmu{}",
}  # fmt: skip
"""What stands for a character that LaTeX would obey or, in the usual fonts, not print. A [ after \\\\ begins an argument."""

LINE = r" \\ "
"""The end of a line."""

TRANSLATION = str.maketrans(ESCAPES | {chr(code): " " for code in range(32)})


def to_latex(table: Table) -> str:
    """The table's frame as LaTeX source: numbers as the report prints them, on the right, and texts on the left."""
    content = Table(table.name, table.frame, table.caption).content
    head = " & ".join(escaped(column.name) for column in content)
    rows = [" & ".join(map(_cell, row)) for row in zip(*(column.cells for column in content), strict=True)]
    places = "".join("r" if column.is_numeric else "l" for column in content)
    caption = [rf"% {escaped(table.caption)}"] if table.caption else []
    lines = [r"% \usepackage{booktabs}", *caption, rf"\begin{{tabular}}{{{places}}}", r"\toprule", rf"{head} \\"]
    return "\n".join([*lines, r"\midrule", *(rf"{row} \\" for row in rows), r"\bottomrule", r"\end{tabular}", ""])


def escaped(text: str) -> str:
    r"""A text in which nothing is a command.

    >>> print(escaped("50 % of a_b & −1"))
    50 \% of a\_b \& $-$1
    """
    return text.translate(TRANSLATION)


def _cell(text: str) -> str:
    """A cell; one of several lines is a stack of them."""
    lines = [escaped(line) for line in text.split("\n")]
    return lines[0] if len(lines) == 1 else rf"\shortstack[l]{{{LINE.join(lines)}}}"
