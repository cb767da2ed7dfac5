"""Pages of the MLflow UI, as what follows a server's address. No import of MLflow: reports link to them too."""

from urllib.parse import quote

TRAINING = "workflowType=machine_learning"
"""Without this in a link, the UI opens an experiment on an empty page of traces of language models."""


def view_page(experiment_id: str, key: str, is_chart: bool = False) -> str:
    """The page that shows the saved view of that key; as charts, or as a table.

    >>> view_page("1", "task-copying")
    '#/experiments/1/runs?workflowType=machine_learning&compareRunsMode=TABLE&viewStateShareKey=task-copying'
    """
    mode = "CHART" if is_chart else "TABLE"
    return (
        f"#/experiments/{experiment_id}/runs?{TRAINING}&compareRunsMode={mode}&viewStateShareKey={quote(key, safe='')}"
    )


def run_page(experiment_id: str, run_id: str) -> str:
    """The page of a run.

    >>> run_page("1", "0123")
    '#/experiments/1/runs/0123?workflowType=machine_learning'
    """
    return f"#/experiments/{experiment_id}/runs/{run_id}?{TRAINING}"
