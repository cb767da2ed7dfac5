"""Options that several commands of `ablate` share."""

from collections.abc import Callable
from typing import Any

import click

BUDGET = ("trials", "trials_per_round", "search_seeds", "replicates", "steps", "segments", "batch", "parameters",
          "validation", "test")  # fmt: skip
"""The parts of a budget that can be changed, in the order of its fields."""

Command = Callable[..., Any]


def with_scale(command: Command) -> Command:
    text = "Its size: smoke, demo, standard, paper, or a name of the study's own."
    return click.option("--scale", default="demo", show_default=True, help=text)(command)


def with_place(command: Command) -> Command:
    """The options that say which record is meant."""
    uri = click.option("--tracking-uri", help="MLflow store.  [default: mlflow.db in the results folder]")
    return with_scale(uri(command))


def with_changes(command: Command) -> Command:
    """An option for the seed, and one for each part of the budget."""
    command = click.option("--seed", type=click.IntRange(min=0), help="Instead of the study's seed.")(command)
    for part in reversed(BUDGET):
        command = click.option(
            f"--{part.replace('_', '-')}", type=click.IntRange(min=1), help=f"Instead of the budget's {part}."
        )(command)
    return command
