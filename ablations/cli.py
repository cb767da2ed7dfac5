"""The front door: the `ablate` command."""

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from ablations.errors import UserError, in_one_line, user_errors
from ablations.options import BUDGET, with_changes, with_place
from ablations.registry import is_file

if TYPE_CHECKING:
    from ablations.record.schema import StudyRecord
    from ablations.study import Plan, Study

KINDS = ("tasks", "cells", "models", "ablations", "studies", "claims")
HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
INTERRUPTED = 130


def main() -> NoReturn:
    """Runs `ablate`. A user's mistake is one line and exit code 2, a bug its traceback and exit code 1."""
    try:
        sys.exit(cli(standalone_mode=False) or 0)
    except click.ClickException as error:
        _fail(error.format_message())
    except user_errors() as error:
        _fail(str(error))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except click.Abort as error:  # click makes it of Ctrl-C, but also of a file that ends too early
        if isinstance(error.__cause__, EOFError):
            raise error.__cause__ from None
        sys.exit(INTERRUPTED)


def _fail(message: str) -> NoReturn:
    click.echo("error: " + " ".join(message.split()), err=True)
    sys.exit(2)


def _home() -> Path:
    """The folder of everything that a run leaves."""
    return Path(os.environ.get("ABLATIONS_HOME") or "results").expanduser()


def _tracking(uri: str | None) -> str:
    from ablations.sqlite import sqlite_url

    return uri or sqlite_url(_home() / "mlflow.db")


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
@click.option("--storage", help="Optuna storage.  [default: optuna.db in the results folder]")
@click.option("--workers", type=click.IntRange(min=1), default=os.cpu_count(), show_default=True, help="Processes.")
@click.option("--executor", type=click.Choice(["processes", "serial"]), default="processes", show_default=True)
@click.option("--dry-run", is_flag=True, help="Show settings, runs and an estimate of the time, and stop.")
@with_changes
def run(study: str, scale: str, dry_run: bool, workers: int, **options: Any) -> int:
    """Run STUDY, a name or a Python file that defines STUDY. What is recorded is not trained again."""
    from rich.console import Console

    from ablations.describe import describe_plan
    from ablations.record.reader import ended_runs
    from ablations.run.session import Origin, Place, run_session
    from ablations.sqlite import sqlite_url

    changes = {part: options[part] for part in ("seed", *BUDGET) if options[part] is not None}
    plan = _plan(study, scale, changes)
    for task in plan.tasks.values():
        task.references()  # raises DataError where a file of it is missing: not after hours of the other tasks
    if dry_run:
        for line in describe_plan(plan, workers, ended_runs(_tracking(options["tracking_uri"]), plan.name, scale)):
            click.echo(line)
        return 0
    place = Place(_home(), _tracking(options["tracking_uri"]), options["storage"] or sqlite_url(_home() / "optuna.db"))
    command = shlex.join(["ablate", *sys.argv[1:]])
    origin = Origin(command, study if is_file(study) else None, changes)
    try:
        failures = run_session(plan, place, workers, options["executor"], Console(), origin)
    except KeyboardInterrupt:
        click.echo(f"\nstopped; everything finished is kept. To go on: {command}", err=True)
        return INTERRUPTED
    if failures:
        click.echo(f"settings failed: {failures}. To try them again: {command}", err=True)
        return 1
    click.echo(f"{plan.name} is complete at scale {scale}. Next: {_command('report', study, scale)}")
    return 0


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
    return read(_tracking(tracking_uri), study, scale, curves)


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
    """Write the HTML and PDF report of STUDY, a name or a file, from its record, and describe it in MLflow."""
    from rich.console import Console

    from ablations.processes import second_process
    from ablations.record.lock import make_writable
    from ablations.stages import Stages
    from reports.publish import publish

    with Stages(Console(stderr=True), "reading the record") as say:
        record = _record(study, scale, tracking_uri)
        if outdated := _outdated(study, scale, record):
            raise UserError(outdated)
        make_writable(_home())
        say("loading the libraries")
        with second_process() as beside:
            paths = publish(record, _home() / "reports" / f"{record.name}-{scale}", beside, say)
    for path in paths:
        click.echo(path)
    if (file := record.provenance.get("study_file")) and not is_file(study):
        click.echo(f"note: claims and figures that {file} defines are in: {_command('report', file, scale)}", err=True)


@cli.command("list")
@click.argument("kind", type=click.Choice(KINDS), required=False)
def list_(kind: str | None) -> None:
    """List what there is: tasks, cells, models, ablations, studies, claims."""
    from ablations.describe import catalogue
    from reports.claims import CLAIMS

    lines = catalogue({name: claim.sentence for name, claim in CLAIMS.items()})
    for each in [kind] if kind else KINDS:
        click.echo(each)
        for name, text in lines[each].items():
            click.echo(f"  {name:26} {text}")


@cli.command()
@click.argument("name")
@with_place
@click.option("--workers", type=click.IntRange(min=1), default=os.cpu_count(), show_default=True, help="Of a study.")
@click.option("--source", is_flag=True, help="Of a cell: the Python that is compiled.")
def show(name: str, scale: str, tracking_uri: str | None, workers: int, source: bool) -> None:
    """Explain one task, cell, model, ablation, study or claim; or a study's file, with its own cells.

    Of a replicate, named by its MLflow run id or as STUDY/TASK/VARIANT/number, draw what it does inside.
    """
    from ablations.record.lookup import is_replicate

    if is_replicate(name):
        from reports.inside import show_replicate

        for line in show_replicate(_tracking(tracking_uri), name, scale, _home()):
            click.echo(line)
        return
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
    """Show how many runs of STUDY, a name or a file, are done: by setting, how they ended, and the scores so far."""
    from ablations.record.status import describe_status

    record = _record(study, scale, tracking_uri, curves=False)
    click.echo("\n".join(describe_status(record)))
    if outdated := _outdated(study, scale, record):
        click.echo(f"note: {outdated}", err=True)


@cli.command()
@click.option("--tracking-uri", help="MLflow store.  [default: mlflow.db in the results folder]")
@click.option("--port", type=click.IntRange(1, 65535), default=5000, show_default=True)
def ui(tracking_uri: str | None, port: int) -> None:
    """Open the record in the MLflow UI on this machine's loopback address, until Ctrl-C."""
    from ablations.record.ui import serve

    if not tracking_uri and not (_home() / "mlflow.db").exists():
        raise click.UsageError(f"there is no record in {_home()} yet; `ablate run` comes first")
    serve(_tracking(tracking_uri), port, click.echo)
