"""What a command is given, the plan or the record of a study; carrying that plan out; what was found."""

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import click

from ablations.cli.called import as_called, called
from ablations.cli.ending import INTERRUPTED, TIME_IS_OVER
from ablations.errors import LONGEST_GIVEN, in_one_line, shortened
from ablations.home import home, storage_url
from ablations.home import tracking_uri as default_uri
from ablations.record.again import arguments
from ablations.registry import is_file, nearest

if TYPE_CHECKING:
    from rich.console import Console

    from ablations.record.schema import NotRecorded, StudyRecord
    from ablations.run.control import Control
    from ablations.run.session import Origin
    from ablations.study import Plan, Study


def command_line(name: str, study: str, scale: str, changes: Mapping[str, int] = MappingProxyType({})) -> str:
    return f"{called()} {shlex.join([name, study, '--scale', scale, *arguments(changes)])}"


def plan_of(name: str, scale: str, changes: Mapping[str, int]) -> "Plan":
    """The plan of a study at a scale, with another seed, and with changes of its budget."""
    from ablations.studies import find

    return bound(find(name), scale, changes)


def bound(study: "Study", scale: str, changes: Mapping[str, int]) -> "Plan":
    """A study at a scale, with another seed, and with changes of its budget."""
    from pydantic import ValidationError

    try:
        return study.with_changes(scale, changes).at(scale)
    except ValidationError as error:
        raise click.UsageError(in_one_line(error)) from error


def record_of(study: str, scale: str, tracking_uri: str | None, curves: bool = True) -> "StudyRecord":
    """The record of a study, given its name or its file. A study's code is loaded only where a file is given."""
    from ablations.record.reader import read
    from ablations.record.schema import NotRecorded, RecordError

    if is_file(study):
        from ablations.studies import find

        study = find(study).name
    try:
        return read(tracking_uri or default_uri(), study, scale, curves)
    except NotRecorded as error:
        raise RecordError(_not_recorded(study, error)) from error


def both_records(
    places: tuple[str, str], studies: tuple[str | None, str | None], scale: str
) -> tuple["StudyRecord", "StudyRecord"]:
    """Two records of a study at a scale, each in a results folder or an MLflow store; of the only study that both have."""
    from ablations.record.reader import recorded_names

    uris = [each if "://" in each else default_uri(Path(each)) for each in places]
    first, second = studies
    if first is None or second is None:
        others = recorded_names(uris[1])
        names = [name for name in recorded_names(uris[0]) if name in others]
        common = [name.removesuffix(f"-{scale}") for name in names if name.endswith(f"-{scale}")]
        if len(common) != 1:
            there = f"they have {', '.join(names)} in common" if names else "they have none in common"
            raise click.UsageError(
                f"which study at scale {scale!r}? {there}; name one with --study, its scale with --scale"
            )
        first, second = first or common[0], second or common[0]
    return record_of(first, scale, uris[0]), record_of(second, scale, uris[1])


def _not_recorded(study: str, error: "NotRecorded") -> str:
    """What to say of a study that is not recorded: perhaps its name is misspelt."""
    from ablations.studies import STUDIES

    known = [*STUDIES, *error.studies]
    if study in known:
        return str(error)
    near = nearest(study, known)
    hint = f"did you mean {near!r}? A" if near else "a"
    return f"there is no study {shortened(repr(study), LONGEST_GIVEN)}; {hint}nd {error}"


def outdated(study: str, scale: str, record: "StudyRecord") -> str | None:
    """What to say where a study's file is not what was recorded last."""
    if not is_file(study):
        return None
    from ablations.run.recorded_plan import differences

    changes = record.provenance.get("changes", {})
    parts = differences(plan_of(study, scale, changes), record)
    if not parts:
        return None
    return (
        f"{study} is not what was recorded last of {record.name} at scale {scale}: {', '.join(parts)} changed. "
        f"First: {command_line('run', study, scale, changes)}; or, of what is recorded: "
        f"{command_line('report', record.name, scale)}"
    )


def check_plan(plan: "Plan") -> None:
    """Raises an error, in one line, where what is a user's own in a plan, or a task's data, cannot be used."""
    from ablations.study.plan_check import check_plan

    check_plan(plan)


def carry_out(
    plan: "Plan",
    options: Mapping[str, Any],
    workers: int,
    console: "Console",
    origin: "Origin",
    prepare: Callable[[], Any] | None = None,
    control: "Control | None" = None,
) -> tuple[int, int]:
    """Runs what is missing of a plan, after what is to be said of an interruption or of failures.

    Returns the exit code, and how many runs `control` has left out.
    options: those of the command: `executor`, `address`, and perhaps `tracking_uri` and `storage`.
    """
    from ablations.run.control import TimeLimitReached
    from ablations.run.session import Place, run_session

    place = Place(home(), options.get("tracking_uri") or default_uri(), options.get("storage") or storage_url())
    try:
        failures, left_out = run_session(
            plan, place, workers, options["executor"], console, origin, prepare, control, options["address"]
        )
    except (KeyboardInterrupt, TimeLimitReached) as end:
        why, code = ("time is over", TIME_IS_OVER) if isinstance(end, TimeLimitReached) else ("stopped", INTERRUPTED)
        click.echo(f"\n{why}; everything finished is kept. To go on: {as_called(origin.command)}", err=True)
        return code, 0
    if failures:
        click.echo(f"settings failed: {failures}. To try them again: {as_called(origin.command)}", err=True)
    return int(failures > 0), left_out


def found(record: "StudyRecord") -> list[str]:
    """The lines that say at the end of a command what was found."""
    from reports.brief import found_lines

    return [as_called(line) for line in found_lines(record)]
