"""The front door: the `ablate` command."""

import shlex
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

import click

from ablations.ending import INTERRUPTED, TIME_IS_OVER, end_of
from ablations.errors import UserError, in_one_line
from ablations.options import (
    BUDGET,
    HELP,
    home,
    store_uri,
    with_changes,
    with_control,
    with_place,
    with_scale,
    with_store,
    with_workers,
)
from ablations.registry import is_file

if TYPE_CHECKING:
    from ablations.record.schema import StudyRecord
    from ablations.study import Plan, Study

KINDS = ("tasks", "cells", "models", "ablations", "studies", "claims")
BRIEF = 3000
"""The most runs of a study whose findings are said at once: to read and judge more takes over some seconds."""


def main() -> NoReturn:
    """Runs `ablate`."""
    end_of(lambda: cli(standalone_mode=False))


@click.group(invoke_without_command=True, context_settings=HELP)
@click.pass_context
def cli(context: click.Context) -> None:
    """Compare recurrent networks: tuned, replicated, one part at a time.

    All results are in the folder results/, or in the folder that ABLATIONS_HOME names.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@cli.command()
@click.argument("study")
@with_place
@click.option("--storage", metavar="URI", help="Optuna storage.  [default: optuna.db in the results folder]")
@with_workers("Processes that train.")
@click.option("--executor", type=click.Choice(["processes", "serial"]), default="processes", show_default=True)
@with_control
@click.option("--dry-run", is_flag=True, help="Show settings, runs and an estimate of the time, and stop.")
@with_changes
def run(study: str, scale: str, dry_run: bool, workers: int, **options: Any) -> int:
    """Run STUDY, a name or a Python file.

    A file defines STUDY. What is recorded is not trained again.
    """
    from rich.console import Console

    from ablations.describe import describe_plan
    from ablations.record.reader import ended_runs
    from ablations.run.control import TimeLimitReached, control_of
    from ablations.stages import Stages

    console, control = Console(), control_of(options)
    changes = {part: options[part] for part in ("seed", *BUDGET) if options[part] is not None}
    with Stages(console, "reading the study"):
        plan = _plan(study, scale, changes)
        for task in plan.tasks.values():
            task.references()  # raises DataError where a file of it is missing: not after hours of the other tasks
        control.check(plan)
    if dry_run:
        for line in describe_plan(plan, workers, ended_runs(store_uri(options["tracking_uri"]), plan.name, scale)):
            click.echo(line)
        return 0
    from ablations.run.session import Origin, Place, run_session
    from ablations.sqlite import sqlite_url

    place = Place(home(), store_uri(options["tracking_uri"]), options["storage"] or sqlite_url(home() / "optuna.db"))
    command = shlex.join(["ablate", *sys.argv[1:]])
    origin = Origin(command, study if is_file(study) else None, changes)
    try:
        failures, missing = run_session(plan, place, workers, options["executor"], console, origin, control)
    except (KeyboardInterrupt, TimeLimitReached) as end:
        why, code = ("time is over", TIME_IS_OVER) if isinstance(end, TimeLimitReached) else ("stopped", INTERRUPTED)
        click.echo(f"\n{why}; everything finished is kept. To go on: {command}", err=True)
        return code
    if failures:
        click.echo(f"settings failed: {failures}. To try them again: {command}", err=True)
        return 1
    if missing:
        click.echo(f"what was chosen is done; {missing} of {plan.runs} runs of {plan.name} are left at scale {scale}")
    elif plan.runs <= BRIEF:
        with Stages(console, "") as say:
            say("reading what was found")
            lines = _found(_record(study, scale, options["tracking_uri"]))
        click.echo("\n".join(lines))
    if not missing:
        click.echo(f"{plan.name} is complete at scale {scale}. Next, its report: {_command('report', study, scale)}")
    return 0


def _found(record: "StudyRecord") -> list[str]:
    from reports.brief import found_lines

    return found_lines(record)


def _command(name: str, study: str, scale: str) -> str:
    return shlex.join(["ablate", name, study, "--scale", scale])


def _plan(name: str, scale: str, changes: Mapping[str, int]) -> "Plan":
    """The plan of a study at a scale, with another seed, and with changes of its budget."""
    from pydantic import ValidationError

    from ablations.studies import find

    try:
        return find(name).with_changes(scale, changes).at(scale)
    except ValidationError as error:
        raise click.UsageError(in_one_line(error)) from error


def _record(study: str, scale: str, tracking_uri: str | None, curves: bool = True) -> "StudyRecord":
    """The record of a study, given its name or its file. A study's code is loaded only where a file is given."""
    from ablations.record.reader import read

    if is_file(study):
        from ablations.studies import find

        study = find(study).name
    return read(store_uri(tracking_uri), study, scale, curves)


def _outdated(study: str, scale: str, record: "StudyRecord") -> str | None:
    """What to say where a study's file is not what was recorded last."""
    if not is_file(study):
        return None
    from ablations.run.recorded_plan import differences

    parts = differences(_plan(study, scale, record.provenance.get("changes", {})), record)
    if not parts:
        return None
    return (
        f"{study} is not what was recorded last of {record.name} at scale {scale}: {', '.join(parts)} changed. "
        f"First: {_command('run', study, scale)}; or, of what is recorded: {_command('report', record.name, scale)}"
    )


@cli.command()
@click.argument("study")
@with_place
def report(study: str, scale: str, tracking_uri: str | None) -> None:
    """Write the HTML and PDF report of STUDY, a name or a file.

    It is made from the record. The study's runs in MLflow get its texts and figures.
    """
    from rich.console import Console

    from ablations.processes import second_process
    from ablations.record.lock import make_writable
    from ablations.stages import Stages
    from reports.publish import publish

    with Stages(Console(stderr=True), "reading the record") as say:
        record = _record(study, scale, tracking_uri)
        if outdated := _outdated(study, scale, record):
            raise UserError(outdated)
        make_writable(home())
        say("loading the libraries")
        with second_process() as beside:
            paths = publish(record, home() / "reports" / f"{record.name}-{scale}", beside, say)
        lines = _found(record)
    click.echo("\n".join(lines), err=True)
    for path in paths:
        click.echo(path)
    if (file := record.provenance.get("study_file")) and not is_file(study):
        click.echo(f"note: claims and figures that {file} defines are in: {_command('report', file, scale)}", err=True)


@cli.command("list")
@click.argument("kind", type=click.Choice(KINDS), required=False)
def list_(kind: str | None) -> None:
    """List what there is.

    Tasks, cells, models, ablations, studies, claims.
    """
    from ablations.describe import catalogue
    from reports.claims import CLAIMS

    lines = catalogue({name: claim.sentence for name, claim in CLAIMS.items()})
    for each in [kind] if kind else KINDS:
        click.echo(each)
        for name, text in lines[each].items():
            click.echo(f"  {name:26} {text}")


@cli.command()
@click.argument("name")
@with_scale
@with_workers("Of a study: processes that would train.")
@click.option("--source", is_flag=True, help="Of a cell: the Python that is compiled.")
def show(name: str, scale: str, workers: int, source: bool) -> None:
    """Explain a task, cell, model, ablation, study or claim.

    Or a study's file, with its own cells.
    """
    from ablations import describe as texts
    from ablations.studies import find
    from reports.claims import CLAIMS

    def describe_study(study: "Study") -> str:
        return "\n".join(texts.describe_plan(study.at(scale), workers, {}))

    claims = {name: f"{claim.sentence}\n\nRule: {claim.rule}" for name, claim in CLAIMS.items()}
    if is_file(name):
        study = find(name)
        cells = texts.own_sources(study) if source else texts.describe_own_cells(study)
        click.echo("\n\n".join(cells if source else [describe_study(study), *cells]))
    else:
        click.echo(texts.cell_source(name) if source else texts.explain(name, claims, describe_study))


@cli.command()
@click.argument("study")
@with_place
def status(study: str, scale: str, tracking_uri: str | None) -> None:
    """Show how many runs of STUDY, a name or a file, are done.

    By setting, how they ended, and the scores so far.
    """
    from ablations.record.status import describe_status

    record = _record(study, scale, tracking_uri, curves=False)
    click.echo("\n".join(describe_status(record)))
    if outdated := _outdated(study, scale, record):
        click.echo(f"note: {outdated}", err=True)


@cli.command()
@with_store
@click.option("--port", metavar="N", type=click.IntRange(1, 65535), default=5000, show_default=True)
def ui(tracking_uri: str | None, port: int) -> None:
    """Serve the record in the MLflow UI on this machine, until Ctrl-C.

    It is reached by the loopback address only.
    """
    from ablations.record.ui import serve

    if not tracking_uri and not (home() / "mlflow.db").exists():
        raise click.UsageError(f"there is no record in {home()} yet; `ablate run` comes first")
    serve(store_uri(tracking_uri), port, click.echo)
