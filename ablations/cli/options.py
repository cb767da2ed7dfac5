"""The options that commands share."""

import os
from collections.abc import Callable, Mapping
from typing import Any

import click

from ablations.cli.addresses import checked_address

HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 80}
BUDGET = {
    "trials": "Trials of each search",
    "trials_per_round": "Trials proposed at once",
    "search_seeds": "Trainings of each trial",
    "replicates": "Trainings of the best trial",
    "steps": "Optimiser steps of a training",
    "segments": "Evaluations of a training",
    "batch": "Sequences of a step",
    "parameters": "Parameters of a network",
    "validation": "Sequences of an evaluation",
    "test": "Sequences of a test",
}
"""The parts of a budget that can be changed, and what each is."""

MOST_WORKERS = 1024
"""Processes of one machine; more were not meant."""

POSITIVE = click.FloatRange(min=0, min_open=True)
Command = Callable[..., Any]


def with_scale(command: Command) -> Command:
    """An option for the study's scale."""
    text = "Its size: smoke, demo, standard, paper, or a name of the study's own."
    return click.option("--scale", metavar="NAME", default="demo", show_default=True, help=text)(command)


def with_store(command: Command) -> Command:
    """An option for the place of the record."""
    text = "MLflow store.  [default: mlflow.db in the results folder]"
    check = checked_address("MLflow store")
    return click.option("--tracking-uri", metavar="URI", callback=check, help=text)(command)


def with_storage(command: Command) -> Command:
    """An option for the place of the searches."""
    text = "Optuna storage.  [default: optuna.db in the results folder]"
    return click.option("--storage", metavar="URI", callback=checked_address("Optuna storage"), help=text)(command)


def with_place(command: Command) -> Command:
    """The options that say which record is meant."""
    return with_scale(with_store(command))


def with_workers(help: str) -> Callable[[Command], Command]:
    """An option for the number of worker processes."""
    kind = click.IntRange(1, MOST_WORKERS)
    return click.option("--workers", metavar="N", type=kind, default=os.cpu_count(), show_default=True, help=help)


def with_executor(command: Command) -> Command:
    """Options that say where jobs run."""
    address = "Ray cluster, as ray start prints it, or auto; its CPUs are the workers."
    kinds = click.Choice(["processes", "serial", "ray"])
    command = click.option("--address", metavar="HOST:PORT", help=address)(command)
    return click.option("--executor", type=kinds, default="processes", show_default=True)(command)


def with_control(command: Command) -> Command:
    """Options that say which part of a plan is run, for how long, and in how much memory."""
    only = "Run only these settings; * stands for anything. May be given again."
    limit = "Stop cleanly after 45s, 90m or 2h30m, with exit code 124."
    memory = "Memory of one job at most; a cohort that needs more is split."
    for option in (
        click.option("--cohort-memory", metavar="GB", type=POSITIVE, default=4.0, show_default=True, help=memory),
        click.option("--time-limit", metavar="TIME", help=limit),
        click.option("--retry-failed", is_flag=True, help="Run only settings that failed in an earlier call."),
        click.option("--only", metavar="TASK/VARIANT", multiple=True, help=only),
    ):
        command = option(command)
    return command


def with_changes(command: Command) -> Command:
    """An option for the seed, and one for each part of the budget."""
    text = "Seed, instead of the study's."
    command = click.option("--seed", metavar="N", type=click.IntRange(min=0), help=text)(command)
    for part, meaning in reversed(BUDGET.items()):
        name, text = f"--{part.replace('_', '-')}", f"{meaning}, instead of the budget's."
        command = click.option(name, metavar="N", type=click.IntRange(min=1), help=text)(command)
    return command


def changes_of(options: Mapping[str, Any]) -> dict[str, int]:
    """The seed and the parts of the budget that a command's options change."""
    return {part: options[part] for part in ("seed", *BUDGET) if options[part] is not None}


def with_port(default: int) -> Callable[[Command], Command]:
    """An option for the port of a server."""
    return click.option("--port", metavar="N", type=click.IntRange(1, 65535), default=default, show_default=True)
