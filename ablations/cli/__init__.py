"""The front door: the `ablate` command."""

from typing import NoReturn

import click

from ablations.cli.ending import end_of, hide_passwords
from ablations.cli.explaining import list_, show
from ablations.cli.new_file import new
from ablations.cli.options import HELP
from ablations.cli.recorded import dashboard, merge, status, ui
from ablations.cli.reporting import compare, report
from ablations.cli.training import run, try_


def main() -> NoReturn:
    """Runs `ablate`."""
    hide_passwords()
    end_of(lambda: cli(standalone_mode=False))


@click.group(invoke_without_command=True, context_settings=HELP)
@click.pass_context
def cli(context: click.Context) -> None:
    """Compare recurrent networks: tuned, replicated, one part at a time.

    All results are in the folder results/, or in the folder that ABLATIONS_HOME names.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


for command in (run, report, try_, compare, list_, show, new, status, merge, ui, dashboard):
    cli.add_command(command)
