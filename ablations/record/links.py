"""Pages of the MLflow UI that show a study's settings."""

import json
from urllib.parse import quote

from ablations.record.reader import connect


def views(uri: str) -> dict[str, str]:
    """Pages of the MLflow UI that list a task's settings, the best first, as paths by experiment and task."""
    client = connect(uri)
    pages = {}
    for experiment in client.search_experiments():
        for task in json.loads(experiment.tags.get("plan", '{"tasks": []}'))["tasks"]:
            wanted = quote(f"tags.kind = 'setting' and tags.task = '{task}'")
            query = f"searchFilter={wanted}&orderByKey={quote('metrics.`score`')}&orderByAsc=false"
            pages[f"{experiment.name} {task}"] = f"#/experiments/{experiment.experiment_id}/runs?{query}"
    return pages
