"""Pages of the MLflow UI that show a study's settings."""

from urllib.parse import quote

from ablations.record.long_tags import read_json
from ablations.record.schema import is_ours
from ablations.record.source import Experiment
from ablations.record.store import ClientSource, connect


def views(uri: str) -> dict[str, str]:
    """Pages of the MLflow UI that list a task's settings, the best first, as paths by experiment and task."""
    return {
        f"{experiment.name} {task}": _page(experiment, task)
        for experiment in ClientSource(connect(uri)).experiments()
        for task in _tasks(experiment)
    }


def _tasks(experiment: Experiment) -> list[str]:
    """The tasks of a study; none where the experiment is not ours, or where its tag was changed."""
    try:
        return list(read_json(experiment.tags, "plan")["tasks"]) if is_ours(experiment.tags) else []
    except (ValueError, KeyError, TypeError):
        return []


def _page(experiment: Experiment, task: str) -> str:
    rows = quote(f"tags.kind = 'setting' and tags.task = '{task}'")
    query = f"searchFilter={rows}&orderByKey={quote('metrics.`score`')}&orderByAsc=false"
    return f"#/experiments/{experiment.experiment_id}/runs?{query}"
