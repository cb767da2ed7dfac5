"""What one session does of a plan: which settings, and until when."""

import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from time import monotonic
from typing import Any, Literal

from ablations.errors import LONGEST_GIVEN, UserError, shortened
from ablations.registry import nearest
from ablations.run.memory import COHORT_MEMORY, check_memory
from ablations.run.space import check_on_the_way
from ablations.study import Plan, Setting

KeepModels = Literal["all", "best", "none"]
"""Of which replicates of a setting the trained model is kept; the best is that by validation score at its end."""

UNITS = {"h": 3600, "m": 60, "s": 1}


class TimeLimitReached(Exception):  # no error: the user asked for it
    """The session's time was over before its work was."""


@dataclass(frozen=True)
class Control:
    """What a session does of a plan.

    only: patterns of the names of the settings that are run; none is all of them. retry_failed: of these, only those that
    failed in an earlier session. deadline: the moment of `time.monotonic` after which no job is started. cohort_memory:
    the gigabytes that a job may take. keep_models: of which replicates the trained models are kept. folder: where results
    are written; no job is started while next to nothing is free.
    """

    only: tuple[str, ...] = ()
    retry_failed: bool = False
    deadline: float | None = None
    cohort_memory: float = COHORT_MEMORY
    keep_models: KeepModels = "best"
    folder: Path | None = None

    def check(self, plan: Plan) -> None:
        """Raises `UserError` for a pattern that no setting's name matches, and where a run has no room in memory."""
        check_patterns(plan, self.only)
        check_memory(plan, self.cohort_memory)

    @property
    def is_partial(self) -> bool:
        """Whether the session may leave out settings."""
        return bool(self.only) or self.retry_failed

    def chosen(self, plan: Plan, failed: Container[str]) -> list[Setting]:
        """The settings that the session runs; `failed` are the identities of those that failed in an earlier one."""
        return [
            setting
            for setting in plan.settings
            if (not self.only or any(fnmatchcase(setting.name, pattern) for pattern in self.only))
            and (not self.retry_failed or plan.identities[setting.name] in failed)
        ]

    def may_start(self) -> bool:
        """Whether another job may start. Raises `UserError` where the disk is almost full."""
        if self.folder:
            check_on_the_way(self.folder)
        return self.deadline is None or monotonic() < self.deadline


def control_of(options: Mapping[str, Any]) -> Control:
    """The control that a command's options mean; its time counts from now on."""
    limit = options["time_limit"]
    deadline = None if limit is None else monotonic() + seconds_of(limit)
    return Control(options["only"], options["retry_failed"], deadline, options["cohort_memory"], options["keep_models"])


def check_patterns(plan: Plan, patterns: Sequence[str]) -> None:
    """Raises `UserError` for a pattern that no setting's name matches."""
    names = [setting.name for setting in plan.settings]
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            shown = ", ".join(names[:4]) + (", …" if len(names) > 4 else "")
            near = _completed(pattern, names) or nearest(pattern, names)
            hint = f"did you mean {near!r}? There are" if near else "there are"
            raise UserError(
                f"no setting is called {shortened(repr(pattern), LONGEST_GIVEN)}; {hint} {len(names)}: {shown}"
            )


def _completed(pattern: str, names: Sequence[str]) -> str | None:
    """The pattern of all settings of a task or of a variant, where only that was given."""
    wider = (f"{pattern}/*", f"*/{pattern}")
    return next((each for each in wider if any(fnmatchcase(name, each) for name in names)), None)


def seconds_of(text: str) -> float:
    """The seconds of a time such as 90m, 2h or 1h30m. Raises `UserError` where it is none.

    >>> seconds_of("1h30m"), seconds_of("45s")
    (5400.0, 45.0)
    """
    parts = re.fullmatch(r"(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?", text)
    seconds = sum(int(n or 0) * unit for n, unit in zip(parts.groups(), UNITS.values(), strict=True)) if parts else 0
    if seconds <= 0:
        raise UserError(f"{shortened(repr(text), LONGEST_GIVEN)} is no time; write it as 45s, 90m or 1h30m")
    return float(seconds)
