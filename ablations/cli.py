"""The front door: the `ablate` command."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn

import click

from ablations.asked import both_records, bound, carry_out, check_plan, command_line, outdated, plan_of, record_of
from ablations.called import ui_line
from ablations.commands import COMMANDS
from ablations.credentials import hidden, hidden_command
from ablations.ending import end_of, hide_passwords
from ablations.errors import UserError
from ablations.home import home
from ablations.home import tracking_uri as default_uri
from ablations.options import (
    HELP,
    changes_of,
    with_changes,
    with_control,
    with_executor,
    with_place,
    with_scale,
    with_storage,
    with_workers,
)
from ablations.registry import is_file
from ablations.stages import Stages, console_on

if TYPE_CHECKING:
    from ablations.record.schema import StudyRecord
    from ablations.study import Study

KINDS = ("tasks", "cells", "models", "ablations", "studies", "claims")
BRIEF = 3000
"""The most runs of a study whose findings are said at once: to read and judge more takes over some seconds."""


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


for command in COMMANDS:
    cli.add_command(command)


@cli.command()
@click.argument("study")
@with_place
@with_storage
@with_workers("Processes that train.")
@with_executor
@with_control
@click.option("--dry-run", is_flag=True, help="Show settings, runs and an estimate of the time, and stop.")
@click.option(
    "--keep-models",
    type=click.Choice(["all", "best", "none"]),
    default="best",
    show_default=True,
    help="Of which replicates the trained models are kept.",
)
@with_changes
def run(study: str, scale: str, dry_run: bool, workers: int, **options: Any) -> int:
    """Run STUDY, a name or a Python file.

    A file defines STUDY. What is recorded is not trained again.
    """
    from ablations.describe import describe_plan
    from ablations.record.reader import ended_runs
    from ablations.run.control import control_of

    console, control = console_on(), control_of(options)
    changes = changes_of(options)
    uri = options["tracking_uri"] or default_uri()
    with Stages(console, "reading the study"):
        plan = plan_of(study, scale, changes)
        check_plan(plan)
        control.check(plan)
    if dry_run:
        for line in describe_plan(plan, workers, ended_runs(uri, plan.name, scale)):
            click.echo(line)
        return 0
    from ablations.run.session import Origin

    origin = Origin(hidden_command(["ablate", *sys.argv[1:]]), study if is_file(study) else None, changes)
    code, left_out = carry_out(plan, options, workers, console, origin, control=control)
    if code:
        return code
    if left_out:
        click.echo(f"what was chosen is done; {left_out} of {plan.runs} runs of {plan.name} are left at scale {scale}")
        return 0
    if plan.runs <= BRIEF:
        with Stages(console, "") as say:
            say("reading what was found")
            lines = _found(record_of(study, scale, options["tracking_uri"]))
        click.echo("\n".join(lines))
    click.echo(f"{plan.name} is complete at scale {scale}. Next, its report: {command_line('report', study, scale)}")
    click.echo(f"To look at its runs in MLflow: {hidden(ui_line(options['tracking_uri']))}")
    return 0


def _found(record: "StudyRecord") -> list[str]:
    from reports.brief import found_lines

    return found_lines(record)


@cli.command()
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
        lines = _found(record)
    click.echo("\n".join(lines), err=True)
    for path in paths:
        click.echo(path)
    if (file := record.provenance.get("study_file")) and not is_file(study):
        click.echo(
            f"note: claims and figures that {file} defines are in: {command_line('report', file, scale)}", err=True
        )


@cli.command()
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
    for line in write_comparison(*records, (first, second), home() / "reports" / f"compare-{records[0].name}-{scale}"):
        click.echo(line)


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
@with_place
@with_workers("Of a study: processes that would train.")
@click.option("--source", is_flag=True, help="Of a cell: the Python that is compiled.")
def show(name: str, scale: str, tracking_uri: str | None, workers: int, source: bool) -> None:
    """Explain a task, cell, model, ablation, study or claim.

    Or a study's file, with its own cells. Of STUDY/TASK/VARIANT, list the
    recorded replicates. Of a replicate, named by its MLflow run id or as
    STUDY/TASK/VARIANT/number, draw what it does inside.
    """
    from ablations.record.lookup import is_replicate, is_setting

    if is_replicate(name) or is_setting(name):
        for line in _recorded(tracking_uri or default_uri(), name, scale):
            click.echo(line)
        return
    from ablations import describe as texts
    from ablations.studies import find
    from reports.claims import CLAIMS, claims_of

    def describe_study(study: "Study") -> str:
        sentences = {name: claim.sentence for name, claim in claims_of(study.name).items()}
        plan = study.at(scale)
        return "\n".join([*texts.describe_plan(plan, workers, {}), *texts.describe_questions(plan, sentences)])

    claims = {name: f"{claim.sentence}\n\nRule: {claim.rule}" for name, claim in CLAIMS.items()}
    if not is_file(name):
        click.echo(texts.cell_source(name) if source else texts.explain(name, claims, describe_study))
        return
    study = find(name)
    if source:
        click.echo("\n\n".join(texts.own_sources(study)))
        return
    check_plan(study.at(scale))
    click.echo("\n\n".join([describe_study(study), *texts.describe_own(study, scale)]))


def _recorded(uri: str, name: str, scale: str) -> Iterator[str]:
    from ablations.record.lookup import is_setting
    from reports.inside import show_replicate, show_setting

    return show_setting(uri, name, scale) if is_setting(name) else show_replicate(uri, name, scale, home())


@cli.command("try")
@click.argument("file")
@with_place
@with_workers("Processes that train.")
@with_executor
@with_changes
def try_(file: str, scale: str, workers: int, **options: Any) -> int:
    """Put FILE's cell or model to the test.

    It is compared to LSTM and GRU of equal size on four tasks, in some minutes; what comes out is one page.
    """
    from functools import partial

    from ablations.run.session import Origin
    from ablations.studies.scorecard import AGAINST, scorecard_study
    from reports.scorecard import write_scorecard

    changes = changes_of(options)
    with Stages(console := console_on(), "reading the file"):
        study = bound(scorecard_study(file), scale, changes)
        check_plan(study)
    origin = Origin(hidden_command(["ablate", *sys.argv[1:]]), file, changes)
    load = partial(scorecard_study, file)
    code, _ = carry_out(study, options, workers, console, origin, load)
    if code:
        return code
    with Stages(console, "writing the scorecard"):
        record = record_of(study.name, scale, options["tracking_uri"])
        paths = write_scorecard(record, home() / "reports" / f"{record.name}-{scale}", AGAINST)
    for path in paths:
        click.echo(path)
    return 0
