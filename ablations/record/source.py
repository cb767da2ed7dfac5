"""What is read of a store: its experiments, their runs, and the runs' curves, as plain data."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ablations.record.schema import RecordError, is_ours
from ablations.train.metrics import Curve


@dataclass(frozen=True)
class Experiment:
    """An MLflow experiment."""

    experiment_id: str
    name: str
    is_deleted: bool
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Run:
    """An MLflow run; of each of its metrics the latest value."""

    run_id: str
    name: str
    status: str
    start_time: int
    tags: Mapping[str, str]
    params: Mapping[str, str]
    metrics: Mapping[str, float]


class Source(Protocol):
    """A store that is read."""

    def experiments(self) -> list[Experiment]:
        """All experiments that are not deleted."""
        ...

    def experiment(self, name: str) -> Experiment | None:
        """The experiment of that name, also a deleted one."""
        ...

    def runs(self, experiment_id: str) -> list[Run]:
        """All runs of an experiment that are not deleted."""
        ...

    def curves(self, experiment_id: str, wanted: Mapping[str, Sequence[str]]) -> Mapping[str, Mapping[str, Curve]]:
        """The whole histories of metrics, run id -> name -> curve; `wanted` has the names for each run id."""
        ...


def own_experiments(source: Source) -> list[Experiment]:
    """Those of a store's experiments that have a study of this suite."""
    return [experiment for experiment in source.experiments() if is_ours(experiment.tags)]


def experiment_named(source: Source, name: str, uri: str) -> Experiment | None:
    """The experiment of that name, if there is one. Raises `RecordError` where it was deleted in the MLflow UI."""
    experiment = source.experiment(name)
    if experiment and experiment.is_deleted:
        number = experiment.experiment_id
        raise RecordError(
            f"the experiment {name} was deleted in MLflow. After export MLFLOW_TRACKING_URI='{uri}', "
            f"mlflow experiments restore -x {number} restores it, and mlflow gc --backend-store-uri "
            f'"$MLFLOW_TRACKING_URI" --experiment-ids {number} deletes it for good'
        )
    return experiment


def as_curve(points: Iterable[tuple[int, float]]) -> Curve:
    """Points in the order of their steps."""
    return tuple(sorted(points))
