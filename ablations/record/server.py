"""A tracking server, or another database than an SQLite file: its client rides out an outage."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from ablations.outages import ride_out


class PatientClient:
    """An MLflow client whose calls are tried again in an outage.

    What has arrived, and whose answer was lost, is not done twice: most calls do no more when they are repeated, and for
    the others it is looked up first whether they have arrived.
    """

    def __init__(self, client: Any) -> None:
        self._client, self._name = client, f"the MLflow server {client.tracking_uri}"

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._client, name)
        return partial(self._call, value) if callable(value) else value

    def create_run(self, experiment_id: str, *, tags: Mapping[str, str], **more: Any) -> Any:
        query = f"attributes.status = 'RUNNING' and tags.identity = '{tags.get('identity', '')}'"
        return self._once(
            partial(self._client.create_run, experiment_id, tags=dict(tags), **more),
            lambda: self._client.search_runs([experiment_id], query, max_results=1),
        )

    def delete_tag(self, run_id: str, key: str) -> Any:
        delete = partial(self._client.delete_tag, run_id, key)
        return self._once(delete, lambda: [None] if key not in self._client.get_run(run_id).data.tags else [])

    def create_logged_model(self, experiment_id: str, name: str, *, source_run_id: str, **more: Any) -> Any:
        query = f"source_run_id = '{source_run_id}'"
        return self._once(
            partial(self._client.create_logged_model, experiment_id, name, source_run_id=source_run_id, **more),
            lambda: self._client.search_logged_models([experiment_id], query, max_results=1),
        )

    def log_outputs(self, run_id: str, models: Sequence[Any]) -> Any:
        def logged() -> Sequence[Any]:
            outputs = self._client.get_run(run_id).outputs
            return outputs.model_outputs if outputs else []

        return self._once(partial(self._client.log_outputs, run_id, models), logged)

    def _once(self, call: Callable[[], Any], arrived: Callable[[], Sequence[Any]]) -> Any:
        """The result of a call, or what an earlier try of it has left: the first that `arrived` finds."""

        def again() -> Any:
            results = arrived()
            return results[0] if results else call()

        return ride_out(self._name, call, again)

    def _call(self, method: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
        return ride_out(self._name, partial(method, *arguments, **more))
