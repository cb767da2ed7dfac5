"""Copying runs from one store into another: settings, runs below them, their curves, artifacts and kept models."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from ablations.record.contents import Contents, Parent
from ablations.record.model_log import log_model
from ablations.record.schema import MLFLOW_STATUS, PARENT, RunRecord
from ablations.record.store import (
    Metric,
    MlflowClient,
    MlflowRun,
    Param,
    RunTag,
    download_artifacts,
    download_model,
    end_interrupted,
)
from ablations.train.metrics import Curve

Curves = Mapping[str, Mapping[str, Curve]]
"""run id -> metric -> all of its points."""


class Copier:
    """Copies runs into one experiment of a store; `ended` are the identities of the runs that it has."""

    def __init__(self, client: MlflowClient, experiment_id: str, existing: Contents | None) -> None:
        self._client, self._experiment_id = client, experiment_id
        self.ended = set(existing.ended) if existing else set[str]()
        parents = existing.parents if existing else {}
        self._parents = {identity: parent.run.run_id for identity, parent in parents.items()}
        self._bare = {identity for identity, parent in parents.items() if not parent.run.params}
        self._over = {identity for identity, parent in parents.items() if _is_over(parent)}
        end_interrupted(client, (run.run_id for run in (existing.unfinished if existing else ())))

    def copy(self, source: MlflowClient, there: Contents, runs: Sequence[RunRecord], curves: Curves) -> None:
        """Copies these runs of a store, and the settings of that store."""
        for identity, parent in there.parents.items():
            self._open(source, identity, parent)
        for run in runs:
            self._add(source, run, curves[run.run_id])
        for identity, parent in there.parents.items():  # last: a setting that is over has all of its runs
            self._close(source, identity, parent)

    def _open(self, source: MlflowClient, identity: str, parent: Parent) -> None:
        if identity in self._parents and identity not in self._bare:
            return
        original = source.get_run(parent.run.run_id)
        run = self._parents.get(identity) or self._create(original, dict(original.data.tags))
        self._parents[identity] = run
        self._copy_files(source, original, run)
        self._client.log_batch(run, params=_params(original))  # last: where a merge was killed before, they are missing
        self._bare.discard(identity)

    def _close(self, source: MlflowClient, identity: str, parent: Parent) -> None:
        """Ends a setting as the other store has it, unless it was over here."""
        run_id, info = self._parents[identity], source.get_run(parent.run.run_id).info
        if identity in self._over:
            return
        self._client.log_batch(run_id, tags=[RunTag(key, value) for key, value in parent.run.tags.items()])
        if _is_over(parent):
            self._over.add(identity)
            if "reason" in self._client.get_run(run_id).data.tags and "reason" not in parent.run.tags:
                self._client.delete_tag(run_id, "reason")
        self._client.set_terminated(run_id, info.status, end_time=info.end_time or info.start_time)

    def _add(self, source: MlflowClient, run: RunRecord, curves: Mapping[str, Curve]) -> None:
        original = source.get_run(run.run_id)
        info = original.info
        copy = self._create(original, {**original.data.tags, PARENT: self._parents[run.setting]})
        points = [Metric(name, value, info.end_time, step) for name, curve in curves.items() for step, value in curve]
        self._client.log_batch(copy, metrics=points, params=_params(original))
        self._copy_files(source, original, copy)
        for output in original.outputs.model_outputs if original.outputs else ():
            with TemporaryDirectory() as folder:
                files = download_model(source, output.model_id, Path(folder))
                name = source.get_logged_model(output.model_id).name
                log_model(self._client, self._experiment_id, copy, name, files)
        self._client.set_terminated(copy, MLFLOW_STATUS[run.status], end_time=info.end_time)
        self.ended.add(run.identity)

    def _create(self, original: MlflowRun, tags: Mapping[str, str]) -> str:
        info = original.info
        run = self._client.create_run(
            self._experiment_id, start_time=info.start_time, run_name=info.run_name, tags=dict(tags)
        )
        return str(run.info.run_id)

    def _copy_files(self, source: MlflowClient, original: MlflowRun, run_id: str) -> None:
        with TemporaryDirectory() as folder:
            if download_artifacts(source, original, Path(folder)):
                self._client.log_artifacts(run_id, folder)


def _is_over(parent: Parent) -> bool:
    return parent.run.status == "FINISHED"


def _params(run: MlflowRun) -> list[Param]:
    return [Param(key, value) for key, value in run.data.params.items()]
