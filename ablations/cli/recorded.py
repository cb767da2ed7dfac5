"""The commands on what is recorded: `status`, `merge`, and the two that serve it, `ui` and `dashboard`."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from ablations.cli.given import outdated, record_of
from ablations.cli.options import with_place, with_port, with_storage, with_store
from ablations.home import home, storage_url
from ablations.home import tracking_uri as default_uri


@click.command()
@click.argument("study")
@with_place
def status(study: str, scale: str, tracking_uri: str | None) -> None:
    """Show how many runs of STUDY, a name or a file, are done.

    By setting, how they ended, and the scores so far.
    """
    from ablations.record.status import describe_status

    record = record_of(study, scale, tracking_uri, curves=False)
    click.echo("\n".join(describe_status(record)))
    if change := outdated(study, scale, record):
        click.echo(f"note: {change}", err=True)


@click.command()
@with_store
@with_port(5000)
def ui(tracking_uri: str | None, port: int) -> None:
    """Serve the record in the MLflow UI on this machine, until Ctrl-C.

    It is reached by the loopback address only.
    """
    from ablations.record.ui import serve

    if not tracking_uri and not (home() / "mlflow.db").exists():
        raise click.UsageError(f"there is no record in {home()} yet; `ablate run` comes first")
    serve(tracking_uri or default_uri(), port, click.echo)


@click.command()
@with_storage
@with_port(8080)
def dashboard(storage: str | None, port: int) -> None:
    """Serve the searches in optuna-dashboard, until Ctrl-C.

    It is on this machine, and reached by the loopback address only.
    """
    from ablations.run.dashboard import serve

    if not storage and not (home() / "optuna.db").exists():
        raise click.UsageError(f"there is no search in {home()} yet; `ablate run` comes first")
    serve(storage or storage_url(), port, click.echo)


@click.command()
@click.argument("folders", nargs=-1, required=True, metavar="FOLDER...")
def merge(folders: Sequence[str]) -> None:
    """Merge the records of other results folders into this one.

    As of machines that ran parts of one study with --only. Runs of one identity
    are kept once; other numbers of one are refused. Kept models come along.
    """
    from ablations.record.merge import merge as merge_records

    for merged in merge_records([Path(folder) for folder in folders], home(), shlex.join(["ablate", *sys.argv[1:]])):
        click.echo(merged)
