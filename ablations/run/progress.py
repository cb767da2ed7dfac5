"""What a person sees while a study is carried out: one live line on a terminal, plain lines elsewhere."""

from collections import Counter
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from ablations.record.schema import RunRecord
from ablations.run.cohort_state import CohortState
from ablations.run.context import JobFailed

QUIET = 10.0
"""Seconds between two plain lines."""


class Reporter:
    """A `Callback` that shows what is running, over, pruned and failed, and about how long it will still take.

    `planned` is the number of runs that the study consists of, `known` that of those which the record holds already.
    Time left is extrapolated from the work done so far, a run that stopped early counting as a whole one.
    """

    def __init__(self, console: Console, planned: int, known: int) -> None:
        self._console, self._planned, self._known = console, planned, min(known, planned)
        self._began = self._spoke = monotonic()
        self._count: Counter[str] = Counter()
        self._running: dict[str, float] = {}
        self._bar = Progress(BarColumn(), TextColumn("{task.description}"), console=console, transient=True)
        self._task = self._bar.add_task("starting", total=planned, completed=self._known)

    def __enter__(self) -> "Reporter":
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def on_setting_start(self, name: str) -> None:
        self._running[name] = 0.0
        self._show()

    def on_segment_end(self, name: str, state: CohortState) -> None:
        over = sum(status is not None for status in state.status)
        share = state.step / state.cohort.budget.steps
        self._running[name] = over + (len(state.status) - over) * share
        self._show()

    def on_run_end(self, name: str, run: RunRecord) -> None:
        self._count[run.status] += 1
        self._running[name] = 0.0

    def on_setting_end(self, name: str) -> None:
        del self._running[name]
        self._show()

    def on_setting_failure(self, name: str, error: JobFailed) -> None:
        self._count["settings failed"] += 1
        self._console.print(f"{name} failed: {error}", markup=False, highlight=False)

    def _show(self) -> None:
        done = self._count.total() + sum(self._running.values())
        text = self._text(done)
        self._bar.update(self._task, completed=self._known + done, description=text)
        if not self._console.is_terminal and monotonic() - self._spoke >= QUIET:
            self._spoke = monotonic()
            self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _text(self, done: float) -> str:
        over = self._known + self._count.total()
        counts = ", ".join(f"{count} {status}" for status, count in sorted(self._count.items()))
        parts = [f"{over}/{self._planned} runs over" + (f" ({counts})" if counts else ""), self._time_left(done)]
        return " · ".join([*parts, "running " + ", ".join(self._running)])

    def _time_left(self, done: float) -> str:
        left = self._planned - self._known - done
        if done < 1:
            return "time left unknown yet"
        return f"about {duration(left * (monotonic() - self._began) / done)} left"


def duration(seconds: float) -> str:
    """A time as people say it.

    >>> duration(42), duration(150), duration(8000)
    ('42 s', '2 min 30 s', '2 h 13 min')
    """
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
