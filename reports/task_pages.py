"""What the tasks of a study ask, with an example of each and the scores that can be known without training."""

from collections.abc import Iterator

from reports.document import Block, Heading, Paragraph, Sample
from reports.prose import in_prose
from reports.result_tables import ResultTables

LONGEST = 110
"""The most characters of an example's line."""


def task_blocks(results: ResultTables) -> Iterator[Block]:
    """A section for each task; nothing of records that have no text of them."""
    settings = [setting for task in results.tasks if (setting := results.setting(task)) and setting.rule]
    if settings:
        yield Heading("The tasks")
    for setting in settings:
        references = ", ".join(f"{name} {in_prose(value)}" for name, value in setting.references.items())
        yield Heading(setting.task, level=2, anchor=f"task-{setting.task}")
        yield Paragraph(
            f"{setting.rule} The hardest trained on has {setting.difficulty} {setting.nominal}. Exact scores: {references}."
        )
        yield Sample("\n".join(map(_shortened, setting.example.splitlines())))


def _shortened(line: str) -> str:
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
