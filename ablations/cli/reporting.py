"""The commands that make a report of records: `report` and `compare`."""

import re

import click

from ablations.cli.given import both_records, command_line, found, outdated, record_of
from ablations.cli.options import with_place, with_scale
from ablations.credentials import hidden
from ablations.errors import UserError
from ablations.home import home
from ablations.registry import is_file
from ablations.stages import Stages, console_on


@click.command()
@click.argument("study")
@with_place
def report(study: str, scale: str, tracking_uri: str | None) -> None:
    """Write the HTML and PDF report of STUDY, a name or a file.

    It is made from the record. The study's runs in MLflow get its texts and figures.
    """
    from ablations.processes import second_process
    from ablations.record.lock import make_writable
    from reports.publish import publish

    with Stages(console_on(is_error=True), "reading the record") as say:
        record = record_of(study, scale, tracking_uri)
        if change := outdated(study, scale, record):
            raise UserError(change)
        make_writable(home())
        say("loading the libraries")
        with second_process() as beside:
            paths = publish(record, home() / "reports" / f"{record.name}-{scale}", beside, say)
        lines = found(record)
    click.echo("\n".join(lines), err=True)
    for path in paths:
        click.echo(path)
    if (file := record.provenance.get("study_file")) and not is_file(study):
        click.echo(
            f"note: claims and figures that {file} defines are in: {command_line('report', file, scale)}", err=True
        )


@click.command()
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.option("--study", metavar="NAME", help="The study.  [default: the one that both have]")
@click.option("--other-study", metavar="NAME", help="Its name in B, if that is another.")
@with_scale
def compare(first: str, second: str, study: str | None, other_study: str | None, scale: str) -> None:
    """Compare the records A and B: results folders, or MLflow stores.

    As of other code or another machine: differences in skill, paired by seed, and what else differs.
    """
    from reports.record_comparison import write_comparison

    records = both_records((first, second), (study, other_study or study), scale)
    folder = "-".join(["compare", records[0].name, scale, *map(_in_a_name, (first, second))])  # one for each pair
    for line in write_comparison(*records, (first, second), home() / "reports" / folder):
        click.echo(line)


def _in_a_name(place: str) -> str:
    """The end of a folder's path or of a store's URI, as it can stand in a file's name."""
    return re.sub(r"\W+", "_", hidden(place))[-40:].strip("_")
