"""The commands that explain what there is, and what was recorded: `list` and `show`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from ablations.cli.given import check_plan
from ablations.cli.options import with_place, with_workers
from ablations.home import home
from ablations.home import tracking_uri as default_uri
from ablations.registry import is_file

if TYPE_CHECKING:
    from ablations.study import Study

KINDS = ("tasks", "cells", "models", "ablations", "factors", "studies", "claims")


@click.command("list")
@click.argument("kind", type=click.Choice(KINDS), required=False)
def list_(kind: str | None) -> None:
    """List what there is.

    Tasks, cells, models, ablations, factors, studies, claims.
    """
    from ablations.describe import catalogue
    from reports.claims import CLAIMS

    lines = catalogue({name: claim.sentence for name, claim in CLAIMS.items()})
    for each in [kind] if kind else KINDS:
        click.echo(each)
        for name, text in lines[each].items():
            click.echo(f"  {name:26} {text}")


@click.command()
@click.argument("name")
@with_place
@with_workers("Of a study: processes that would train.")
@click.option("--source", is_flag=True, help="Of a cell: the Python that is compiled.")
def show(name: str, scale: str, tracking_uri: str | None, workers: int, source: bool) -> None:
    """Explain a task, cell, model, ablation, factor, study or claim.

    Or what a file of your own defines: its study, cells, models and
    tasks. Of STUDY/TASK/VARIANT, list the
    recorded replicates. Of a replicate, named by its MLflow run id or as
    STUDY/TASK/VARIANT/number, draw what it does inside.
    """
    from ablations.record.lookup import is_replicate, is_setting

    if is_replicate(name) or is_setting(name):
        for line in _recorded(tracking_uri or default_uri(), name, scale):
            click.echo(line)
        return
    from ablations import describe as texts
    from ablations.plan_text import describe_plan
    from ablations.studies import STUDIES
    from ablations.study.file import load_contents
    from ablations.study.plan_check import check_contents
    from reports.claims import CLAIMS, claims_of

    def describe_study(study: "Study") -> str:
        sentences = {name: claim.sentence for name, claim in claims_of(study.name).items()}
        plan = study.at(scale)
        return "\n".join([*describe_plan(plan, workers, {}), *texts.describe_questions(plan, sentences)])

    claims = {name: f"{claim.sentence}\n\nRule: {claim.rule}" for name, claim in CLAIMS.items()}
    if not is_file(name):
        click.echo(texts.cell_source(name) if source else texts.explain(name, claims, describe_study))
        return
    study, own = load_contents(name, STUDIES)
    if source:
        click.echo("\n\n".join(texts.own_sources(study, own)))
        return
    if study is None:
        check_contents(own)
        click.echo("\n\n".join(texts.describe_contents(own)))
        return
    check_plan(study.at(scale))
    click.echo("\n\n".join([describe_study(study), *texts.describe_own(study, scale)]))


def _recorded(uri: str, name: str, scale: str) -> Iterator[str]:
    from ablations.record.lookup import is_setting
    from reports.inside import show_replicate, show_setting

    return show_setting(uri, name, scale) if is_setting(name) else show_replicate(uri, name, scale, home())
