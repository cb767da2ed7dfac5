"""The front door: the `ablate` command."""

import os
import shlex
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from ablations.errors import UserError

if TYPE_CHECKING:
    from ablations.study import Plan, Study

SCALES = ("smoke", "demo", "standard", "paper")
BUDGET = ("trials", "trials_per_round", "search_seeds", "replicates", "steps", "segments", "batch", "parameters", "validation",
          "test")  # fmt: skip
KINDS = ("tasks", "cells", "models", "ablations", "studies", "claims")
INTERRUPTED = 130

Command = Callable[..., Any]


def main() -> NoReturn:
    """Runs `ablate`; what a user got wrong is one line and exit code 2."""
    try:
        sys.exit(cli(standalone_mode=False) or 0)
    except click.ClickException as error:
        _fail(error.format_message())
    except UserError as error:
        _fail(str(error))
    except (click.Abort, KeyboardInterrupt):
        sys.exit(INTERRUPTED)


def _fail(message: str) -> NoReturn:
    click.echo("error: " + " ".join(message.split()), err=True)
    sys.exit(2)


def _home() -> Path:
    """The folder that everything a run leaves is under."""
    return Path(os.environ.get("ABLATIONS_HOME", "results"))


def _with_place(command: Command) -> Command:
    """The options that say which record is meant."""
    uri = click.option("--tracking-uri", help="MLflow store.  [default: mlflow.db in the results folder]")
    scale = click.option("--scale", type=click.Choice(SCALES), default="demo", show_default=True, help="Its size.")
    return scale(uri(command))


def _with_budget(command: Command) -> Command:
    """One option for each part of the budget."""
    for part in reversed(BUDGET):
        command = click.option(
            f"--{part.replace('_', '-')}", type=click.IntRange(min=1), help=f"Instead of the budget's {part}."
        )(command)
    return command


def _tracking(uri: str | None) -> str:
    return uri or f"sqlite:///{_home() / 'mlflow.db'}"


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def cli() -> None:
    """Compare recurrent networks: tuned, replicated, one part at a time.

    Everything is kept in the folder results/, or where ABLATIONS_HOME says.
    """


@cli.command()
@click.argument("study")
@_with_place
@click.option("--storage", help="Optuna storage.  [default: optuna.db in the results folder]")
@click.option("--workers", type=click.IntRange(min=1), default=os.cpu_count(), show_default=True, help="Processes.")
@click.option("--executor", type=click.Choice(["processes", "serial"]), default="processes", show_default=True)
@click.option("--dry-run", is_flag=True, help="Show settings, runs and an estimate of the time, and stop.")
@_with_budget
def run(study: str, scale: str, dry_run: bool, workers: int, **options: Any) -> int:
    """Carry out STUDY, a name or a Python file that defines STUDY; what is recorded is not done again."""
    from rich.console import Console

    from ablations.describe import describe_plan
    from ablations.run.session import Place, run_session
    from ablations.studies import find

    plan = _plan(study, scale, options)
    if dry_run:
        for line in describe_plan(plan, workers):
            click.echo(line)
        return 0
    home = _home()
    place = Place(home, _tracking(options["tracking_uri"]), options["storage"] or f"sqlite:///{home / 'optuna.db'}")
    command = shlex.join(["ablate", *sys.argv[1:]])
    prepare = partial(find, study) if study.endswith(".py") else None  # a file may define cells of its own
    try:
        failed = run_session(plan, place, command, workers, options["executor"], Console(), prepare)
    except KeyboardInterrupt:
        click.echo(f"\nstopped; everything finished is kept. To go on: {command}", err=True)
        return INTERRUPTED
    if failed:
        click.echo(f"{failed} settings failed; to try them again: {command}", err=True)
    else:
        click.echo(f"{plan.name} is complete at scale {scale}. Next: ablate report {plan.name} --scale {scale}")
    return int(failed > 0)


def _plan(name: str, scale: str, options: Mapping[str, Any]) -> "Plan":
    """The plan of the study, scale and budget that are asked for."""
    from pydantic import ValidationError

    from ablations.errors import in_one_line
    from ablations.studies import find

    try:
        changes = {part: options[part] for part in BUDGET if options[part] is not None}
        return find(name).with_budget(scale, changes).at(scale)
    except ValidationError as error:
        raise click.UsageError(in_one_line(error)) from error


def _recorded_name(study: str) -> str:
    """The name that a study is recorded under, given that or the file that defines it."""
    from ablations.studies import find

    return find(study).name if study.endswith(".py") else study


@cli.command()
@click.argument("study")
@_with_place
def report(study: str, scale: str, tracking_uri: str | None) -> None:
    """Write the HTML and PDF report of STUDY, a name or a file, from its record, and describe it in MLflow."""
    import numpy as np
    import pandas as pd

    from ablations.record.reader import connect, read
    from ablations.record.writer import describe, describe_experiment
    from ablations.run.session import make_writable
    from reports.result_tables import ResultTables
    from reports.setting_summary import summarise
    from reports.verdicts import in_brief
    from reports.write import write

    uri = _tracking(tracking_uri)
    recorded = read(uri, _recorded_name(study), scale)
    make_writable(_home())
    folder = _home() / "reports" / f"{recorded.name}-{scale}"
    written = write(recorded, folder, np.random.default_rng(0))
    client, results = connect(uri), ResultTables(recorded)
    for setting in recorded.settings:
        if summary := summarise(results, setting, np.random.default_rng(0)):
            describe(client, setting.run_id, summary.text, summary.metrics, {"setting.svg": summary.svg})
    ledger = pd.read_csv(folder / "tables" / "verdicts.csv")
    describe_experiment(client, recorded.experiment_id, in_brief(recorded.plan["question"], ledger))
    for path in written:
        click.echo(path)


@cli.command("list")
@click.argument("kind", type=click.Choice(KINDS), required=False)
def list_(kind: str | None) -> None:
    """List what there is: tasks, cells, models, ablations, studies, claims."""
    from ablations.describe import first_line
    from ablations.models import CELLS, MODELS
    from ablations.models.variants import VARIANTS
    from ablations.studies import STUDIES
    from reports.claims import CLAIMS
    from tasks import TASKS

    described = {
        "tasks": {name: first_line(task) for name, task in TASKS.items()},
        "cells": {name: first_line(cell) for name, cell in CELLS.items()},
        "models": {name: first_line(model) for name, model in MODELS.items()},
        "ablations": {v.name: f"{v.parent}: {v.change}" for v in VARIANTS.values() if v.parent},
        "studies": {name: study.question for name, study in STUDIES.items()},
        "claims": {name: claim.sentence for name, claim in CLAIMS.items()},
    }
    for each in [kind] if kind else KINDS:
        click.echo(each)
        for name, text in described[each].items():
            click.echo(f"  {name:26} {text}")


@cli.command()
@click.argument("name")
@click.option("--scale", type=click.Choice(SCALES), default="demo", show_default=True, help="Of a study.")
@click.option("--workers", type=click.IntRange(min=1), default=os.cpu_count(), show_default=True, help="Of a study.")
@click.option("--source", is_flag=True, help="Of a cell: the Python that is compiled.")
def show(name: str, scale: str, workers: int, source: bool) -> None:
    """Explain one task, cell, model, ablation, study or claim; or a study's file, with the cells that it brings along."""
    from ablations import describe as descriptions
    from ablations.models import CELLS, MODELS
    from ablations.models.variants import VARIANTS
    from ablations.registry import look_up
    from ablations.studies import STUDIES, find
    from reports.claims import CLAIMS
    from tasks import TASKS

    def describe_claim(name: str) -> str:
        return f"{CLAIMS[name].sentence}\n\nRule: {CLAIMS[name].rule}"

    def describe_study(study: "Study") -> str:
        return "\n".join(descriptions.describe_plan(study.at(scale), workers))

    if name.endswith(".py"):
        study = find(name)
        cells = descriptions.own_sources(study) if source else descriptions.describe_own_cells(study)
        click.echo("\n\n".join(cells if source else [describe_study(study), *cells]))
        return
    if source:
        click.echo(descriptions.cell_source(name))
        return
    describers: dict[str, Command] = {
        **dict.fromkeys(STUDIES, lambda name: describe_study(STUDIES[name])),
        **dict.fromkeys(CLAIMS, describe_claim),
        **dict.fromkeys(VARIANTS, descriptions.describe_variant),
        **dict.fromkeys(MODELS, descriptions.describe_model),
        **dict.fromkeys(CELLS, descriptions.describe_cell),
        **dict.fromkeys(TASKS, descriptions.describe_task),
    }
    click.echo(look_up(describers, name, "name")(name))


@cli.command()
@click.argument("study")
@_with_place
def status(study: str, scale: str, tracking_uri: str | None) -> None:
    """Say how far STUDY, a name or a file, is: runs by setting, how they ended, and the scores so far."""
    from ablations.describe import describe_status
    from ablations.record.reader import read

    for line in describe_status(read(_tracking(tracking_uri), _recorded_name(study), scale)):
        click.echo(line)


@cli.command()
@click.option("--tracking-uri", help="MLflow store.  [default: mlflow.db in the results folder]")
@click.option("--port", type=click.IntRange(1, 65535), default=5000, show_default=True)
def ui(tracking_uri: str | None, port: int) -> None:
    """Open the record in the MLflow UI on this machine's loopback address, until Ctrl-C."""
    from ablations.record.links import views

    uri = _tracking(tracking_uri)
    if not tracking_uri and not (_home() / "mlflow.db").exists():
        raise click.UsageError(f"there is no record in {_home()} yet; `ablate run` comes first")
    click.echo(f"http://127.0.0.1:{port} shows {uri}; Ctrl-C ends it")
    for name, page in views(uri).items():
        click.echo(f"{name}: http://127.0.0.1:{port}/{page}")
    environment = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    arguments = ["-m", "mlflow", "ui", "--backend-store-uri", uri, "--host", "127.0.0.1", "--port", str(port)]
    os.execve(sys.executable, [sys.executable, *arguments], environment)
