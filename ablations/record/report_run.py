"""The run that holds a study's report in MLflow: of a kind of its own, `report`, which readers of the record pass over."""

from pathlib import Path

from ablations.record.schema import NOTE
from ablations.record.store import MlflowClient, delete_artifacts

KIND = "report"


def log_report(client: MlflowClient, experiment_id: str, text: str, folder: Path) -> str:
    """Makes the files of a report the artifacts of its run, in place of those of an earlier one; returns the run's id."""
    found = client.search_runs([experiment_id], f"tags.kind = '{KIND}'", max_results=1)
    run = found[0] if found else client.create_run(experiment_id, run_name=KIND, tags={"kind": KIND})
    run_id = str(run.info.run_id)
    client.update_run(run_id, status="RUNNING")
    delete_artifacts(client, run_id)
    client.log_artifacts(run_id, str(folder))
    client.set_tag(run_id, NOTE, text)
    client.set_terminated(run_id)
    return run_id
