"""Jobs: pieces of work that an executor runs, here or in another process."""

from collections.abc import Callable
from pathlib import Path
from traceback import extract_tb, format_exception
from typing import Any

Job = Callable[[], Any]
"""A pure, picklable piece of work. The executor decides where it runs."""

LESS_MEMORY = "fewer --workers or a smaller --cohort-memory need less memory"


class JobFailed(Exception):  # it says what happened
    """A job raised an error, or its worker died again and again.

    `reason` is one line, `details` the whole traceback, as text: any error can be sent from process to process so.
    """

    def __init__(self, reason: str, details: str) -> None:
        super().__init__(reason, details)
        self.reason, self.details = reason, details

    def __str__(self) -> str:
        return self.reason


def failure(error: BaseException) -> JobFailed:
    """An error as a `JobFailed`."""
    message = " ".join(str(error).split())
    reason = f"{type(error).__name__}: {message}" if message else type(error).__name__
    advice = f"; {LESS_MEMORY}" if _lacks_memory(error) else ""
    return JobFailed(reason + _place(error) + advice, "".join(format_exception(error)))


def _lacks_memory(error: BaseException) -> bool:
    """Whether it is Python's error or that of torch where memory cannot be had."""
    return isinstance(error, MemoryError) or "can't allocate memory" in str(error)


def _place(error: BaseException) -> str:
    """Where the error came through last, libraries left out."""
    frames = [frame for frame in extract_tb(error.__traceback__) if "site-packages" not in frame.filename]
    return f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""


def run_job(job: Job) -> Any:
    """The result of a job, or the `JobFailed` that says how it failed."""
    try:
        return job()
    except Exception as error:
        return failure(error)
