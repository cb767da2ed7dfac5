"""Addresses of the record's runs and experiments in the MLflow UI. Needs no MLflow: a report only writes them down."""

from urllib.parse import quote

from ablations.credentials import is_web, without_credentials

UI = "http://127.0.0.1:5000"
"""Where `ablate ui` serves a record that has no server of its own."""


def run_page(uri: str, experiment_id: str, run_id: str) -> str:
    """The page of a run.

    >>> run_page("sqlite:///results/mlflow.db", "1", "1d42b56f")
    'http://127.0.0.1:5000/#/experiments/1/runs/1d42b56f'
    """
    return f"{experiment_page(uri, experiment_id)}/{quote(run_id, safe='')}"


def experiment_page(uri: str, experiment_id: str) -> str:
    """The table of an experiment's runs; on the tracking server if that is where the record is.

    >>> experiment_page("https://ada:secret@runs.example.org/", "1")
    'https://runs.example.org/#/experiments/1/runs'
    """
    server = without_credentials(uri).rstrip("/") if is_web(uri) else UI
    return f"{server}/#/experiments/{quote(experiment_id, safe='')}/runs"
