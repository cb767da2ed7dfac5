"""What a person sees while a plan runs: one live line on a terminal, plain lines elsewhere."""

from collections import Counter
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from ablations.record.schema import RunRecord
from ablations.run.cohort_runner import States
from ablations.run.jobs import JobFailed

QUIET = 10.0
"""Seconds between two plain lines."""


class Reporter:
    """A `Callback` that shows which settings run, how many runs have ended and how, and the time that is left.

    planned: the number of the plan's runs. existing: the number of those that the record has already.
    The time left is extrapolated from the work since the end of the first segment: what comes before that, the libraries
    and the compilation of cells, does not come again. A run that ends early counts as a whole one.
    """

    def __init__(self, console: Console, planned: int, existing: int) -> None:
        self._console, self._planned, self._existing = console, planned, min(existing, planned)
        self._last_line = monotonic()
        self._first: tuple[float, float] | None = None  # time and work at the end of the first segment
        self._ended: Counter[str] = Counter()
        self._failed_settings = 0
        self._running: dict[str, float] = {}
        self._bar = Progress(BarColumn(), TextColumn("{task.description}"), console=console, transient=True)
        self._task = self._bar.add_task("starting", total=planned, completed=self._existing)

    def __enter__(self) -> "Reporter":
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._bar.stop()

    def on_setting_start(self, name: str) -> None:
        self._running[name] = 0.0
        self._show()

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

    def _show(self) -> None:
        work = self._work()
        text = self._text(work)
        self._bar.update(self._task, completed=self._existing + work, description=text)
        if not self._console.is_terminal and monotonic() - self._last_line >= QUIET:
            self._last_line = monotonic()
            self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _work(self) -> float:
        """The runs since the start, one that has not ended by the share of its steps."""
        return self._ended.total() + sum(self._running.values())

    def _text(self, work: float) -> str:
        counts = ", ".join(f"{count} {status}" for status, count in sorted(self._ended.items()))
        parts = [f"{self._existing + self._ended.total()} of {self._planned} runs" + (f" ({counts})" if counts else "")]
        parts += [f"settings failed: {self._failed_settings}"] if self._failed_settings else []
        parts += [f"time left: {self._time_left(work)}"]
        parts += [f"running: {', '.join(self._running)}"] if self._running else []
        return " · ".join(parts)

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
