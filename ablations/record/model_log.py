"""Trained models in MLflow: logged with the run that trained them, found again by a URI.

A model is a folder of data: MLflow's description `MLmodel`, which is JSON and so YAML too, and files that it does not read.
"""

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from ablations.errors import UserError
from ablations.record.schema import PARENT
from ablations.record.store import LoggedModelOutput, MlflowClient, MlflowException, MlflowRun, connect, download_model

DESCRIPTION = "MLmodel"


def log_model(client: MlflowClient, experiment_id: str, run_id: str, name: str, folder: Path) -> str:
    """Logs the model in a folder as one of a run; returns its id."""
    name = re.sub(r"[^\w-]", "-", name)  # MLflow forbids some signs
    model = client.create_logged_model(experiment_id, name, source_run_id=run_id, model_type="recurrent ablations")
    with TemporaryDirectory() as copy:
        shutil.copytree(folder, copy, dirs_exist_ok=True)
        file = Path(copy) / DESCRIPTION
        own = {"model_id": model.model_id, "run_id": run_id, "artifact_path": model.artifact_location}
        file.write_text(json.dumps({**json.loads(file.read_text(encoding="utf-8")), **own}), encoding="utf-8")
        client.log_model_artifacts(model.model_id, copy)
    client.finalize_logged_model(model.model_id, "READY")
    client.log_outputs(run_id, [LoggedModelOutput(model.model_id, step=0)])
    return str(model.model_id)


@contextmanager
def model_files(uri: str, tracking_uri: str) -> Iterator[Path]:
    """The folder with a model's files, given `runs:/<run id>`, `models:/<model id>`, or that folder itself.

    The run is a replicate whose model was kept, or a setting; of that one it is the best replicate's. Raises `UserError`
    where there is none.
    """
    scheme, _, name = uri.partition(":/")
    if scheme not in ("runs", "models"):
        yield Path(uri)
        return
    client = connect(tracking_uri)
    try:
        model_id = name if scheme == "models" else _model_of(client, name.partition("/")[0])
    except MlflowException as error:
        raise UserError(f"{uri} is not in {tracking_uri}: {str(error).splitlines()[0]}") from error
    if model_id is None:
        raise UserError(f"the run {uri} has no model; `ablate run --keep-models all` keeps that of every replicate")
    with TemporaryDirectory() as folder:
        try:
            files = download_model(client, model_id, Path(folder))
        except (MlflowException, OSError) as error:
            raise UserError(f"the files of {uri} cannot be read: {str(error).splitlines()[0]}") from error
        yield files


def _model_of(client: MlflowClient, run_id: str) -> str | None:
    """The id of a run's model; of a setting, that of its best replicate."""
    run = client.get_run(run_id)
    for candidate in (run, *_best_replicates(client, run.info.experiment_id, run_id, run.data.tags)):
        if candidate.outputs and candidate.outputs.model_outputs:
            return str(candidate.outputs.model_outputs[0].model_id)
    return None


def _best_replicates(client: MlflowClient, experiment_id: str, run_id: str, tags: dict[str, str]) -> list[MlflowRun]:
    if tags.get("kind") != "setting" or "best_replicate" not in tags:
        return []
    conditions = {f"tags.`{PARENT}`": run_id, "tags.kind": "replicate", "tags.number": tags["best_replicate"]}
    conditions["params.trial"] = tags["best_trial"]
    return list(
        client.search_runs([experiment_id], " and ".join(f"{key} = '{value}'" for key, value in conditions.items()))
    )
