"""What a person sees while a plan runs: two live lines on a terminal, plain lines elsewhere."""

from collections import Counter
from time import monotonic

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from ablations.record.schema import RunRecord
from ablations.run.cohort_runner import States
from ablations.run.context import COSTS
from ablations.run.jobs import JobFailed

QUIET = 10.0
"""Seconds between two plain lines."""


class Reporter:
    """A `Callback` that shows how many runs have ended and how, the time that is left, and which settings run.

    planned: the number of the plan's runs. existing: the number of those that the record has already.
    The time left is extrapolated from the work since the end of the first segment: what comes before that, the libraries
    and the compilation of cells, does not come again. A run that ends early counts as a whole one.
    """

    def __init__(self, console: Console, planned: int, existing: int) -> None:
        self._console, self._planned, self._existing = console, planned, min(existing, planned)
        self._start = monotonic()
        self._last_line: float | None = None
        self._first: tuple[float, float] | None = None  # time and work at the end of the first segment
        self._ended: Counter[str] = Counter()
        self._failed_settings = 0
        self._running: dict[str, float] = {}
        columns = (BarColumn(None), TaskProgressColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        self._bar = Progress(*columns, console=console, expand=True)
        self._task = self._bar.add_task("starting", total=planned, completed=self._existing)
        self._below = ""
        self._live = Live(get_renderable=self._view, console=console, transient=True)

    def __enter__(self) -> "Reporter":
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def on_setting_start(self, name: str) -> None:
        self._running[name] = 0.0
        self._show(at_once=name == COSTS)

    def on_segment_end(self, name: str, states: States) -> None:
        shares = [1.0 if end else state.step / state.cohort.budget.steps for state in states for end in state.status]
        self._running[name] = sum(shares)
        self._first = self._first or (monotonic(), self._work())
        self._show()

    def on_run_end(self, name: str, run: RunRecord) -> None:
        self._ended[run.status] += 1
        self._running[name] = 0.0

    def on_setting_end(self, name: str) -> None:
        del self._running[name]
        self._show()

    def on_setting_failure(self, name: str, error: JobFailed) -> None:
        self._failed_settings += 1
        where = f"traceback: the artifact failure.txt of the MLflow run {name}"
        self._console.print(f"{name} failed: {error.reason} ({where})", markup=False, highlight=False, soft_wrap=True)

    def _view(self) -> Group:
        return Group(self._bar, Text(self._below, no_wrap=True, overflow="ellipsis"))

    def _show(self, at_once: bool = False) -> None:
        work, now = self._work(), monotonic()
        head = [f"{self._existing + self._ended.total()} of {self._planned} runs", f"left: {self._time_left(work)}"]
        self._bar.update(self._task, completed=self._existing + work, description=", ".join(head))
        self._below = " · ".join([*self._now(), *self._ends()])
        is_due = at_once or self._last_line is None or now - self._last_line >= QUIET
        if not self._console.is_terminal and is_due:
            self._last_line = now
            elapsed = f"elapsed: {duration(now - self._start)}"
            text = " · ".join([head[0], *self._ends(), elapsed, head[1], *self._now()])
            self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _work(self) -> float:
        """The runs since the start, one that has not ended by the share of its steps."""
        return self._ended.total() + sum(self._running.values())

    def _ends(self) -> list[str]:
        """How the runs of this call have ended."""
        counts = ", ".join(f"{count} {status}" for status, count in sorted(self._ended.items()))
        failed = f"settings failed: {self._failed_settings}" if self._failed_settings else ""
        return [part for part in (counts, failed) if part]

    def _now(self) -> list[str]:
        """What runs."""
        return [f"running: {', '.join(self._running)}"] if self._running else []

    def _time_left(self, work: float) -> str:
        start, before = self._first or (monotonic(), work)
        if work - before < 1:
            return "not known yet"
        left = self._planned - self._existing - work
        return f"about {duration(left * (monotonic() - start) / (work - before))}"


def duration(seconds: float) -> str:
    """A time in words.

    >>> duration(42), duration(150), duration(8000)
    ('42 s', '2 min 30 s', '2 h 13 min')
    """
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
