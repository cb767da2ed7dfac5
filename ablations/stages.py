"""What a person sees of a command that takes some seconds: one live line on a terminal, plain lines elsewhere."""

import sys

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column

BAR_WIDTH = 20


def console_on(is_error: bool = False) -> Console:
    """The console on the output or on the errors. It is a terminal only where there is one.

    What asks for colours everywhere, as Jupyter does by FORCE_COLOR, does not ask for a line that moves.
    """
    stream = sys.stderr if is_error else sys.stdout
    return Console(stderr=is_error, force_terminal=None if stream.isatty() else False)


class Stages:
    """Shows the stage that a command is in. It is called with that, and with a detail that only the live line has.

    The first stage too is in the live line only: elsewhere, the one line of a mistake that is found in it stays alone.
    """

    def __init__(self, console: Console, first: str) -> None:
        self._console, self._stage = console, first
        text = TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, ratio=1))
        columns = (BarColumn(BAR_WIDTH), TimeElapsedColumn(), text)
        self._bar = Progress(*columns, console=console, expand=True, transient=True)
        self._task = self._bar.add_task(first, total=None)

    def __enter__(self) -> "Stages":
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._bar.stop()

    def __call__(self, stage: str, detail: str = "") -> None:
        self._bar.update(self._task, description=f"{stage}: {detail}" if detail else stage)
        if not self._console.is_terminal and stage != self._stage:
            self._console.print(stage, markup=False, highlight=False, soft_wrap=True)
        self._stage = stage
