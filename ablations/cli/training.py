"""The commands that train: `run` and `try`."""

import sys
from typing import Any

import click

from ablations.cli.called import ui_line
from ablations.cli.given import (
    bound,
    carry_out,
    check_plan,
    command_line,
    found,
    plan_of,
    record_of,
)
from ablations.cli.options import (
    changes_of,
    with_changes,
    with_control,
    with_executor,
    with_place,
    with_storage,
    with_workers,
)
from ablations.collection import without_collection
from ablations.credentials import hidden, hidden_command
from ablations.home import home
from ablations.home import tracking_uri as default_uri
from ablations.registry import is_file
from ablations.stages import Stages, console_on

BRIEF = 3000
"""The most runs of a study whose findings are said at once: to read and judge more takes over some seconds."""


@click.command()
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
    changes = changes_of(options)
    uri = options["tracking_uri"] or default_uri()
    console = console_on()
    with without_collection():
        from ablations.plan_text import describe_plan
        from ablations.record.reader import ended_runs, failed_settings
        from ablations.run.control import control_of

        control = control_of(options)
        with Stages(console, "reading the study"):
            plan = plan_of(study, scale, changes)
            check_plan(plan)
            control.check(plan)
        if dry_run:
            for line in describe_plan(plan, workers, ended_runs(uri, plan.name, scale)):
                click.echo(line)
            return 0
        if control.retry_failed and not control.chosen(plan, failed_settings(uri, plan.name, scale)):
            click.echo(
                f"none of the settings that were chosen of {plan.name} at scale {scale} has failed: nothing to try again"
            )
            return 0
        from ablations.run.session import Origin

    origin = Origin(hidden_command(["ablate", *sys.argv[1:]]), study if is_file(study) else None, changes)
    code, left_out = carry_out(plan, options, workers, console, origin, control=control)
    if code:
        return code
    if left_out:
        click.echo(f"what was chosen is done; of {plan.name} at scale {scale}, runs left: {left_out} of {plan.runs}")
        return 0
    if plan.runs <= BRIEF:
        with Stages(console, "") as say:
            say("reading what was found")
            lines = found(record_of(study, scale, options["tracking_uri"]))
        click.echo("\n".join(lines))
    click.echo(f"{plan.name} is complete at scale {scale}. Next, its report: {command_line('report', study, scale)}")
    click.echo(f"To look at its runs in MLflow: {hidden(ui_line(options['tracking_uri']))}")
    return 0


@click.command("try")
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
