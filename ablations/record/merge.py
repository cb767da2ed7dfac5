"""Merging records: the runs of other results folders, as of other machines, are copied into one.

Only runs that ended are copied, each once, known by its identity. Nothing is written before all have been read and found
to agree.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ablations.errors import UserError
from ablations.record.contents import Contents, contents
from ablations.record.copying import Copier
from ablations.record.lock import make_writable, sole_writer
from ablations.record.long_tags import json_tags, read_json
from ablations.record.migration import MigratedSource, schema_version
from ablations.record.opening import open_source
from ablations.record.schema import SCHEMA_VERSION, NoStore, RunRecord
from ablations.record.source import Experiment, experiment_named, own_experiments
from ablations.record.store import MlflowClient, artifact_location, connect
from ablations.record.ui import write_views
from ablations.sqlite import sqlite_url

TIMES = frozenset({"seconds", "seconds_per_sequence"})
"""Metrics that are no numbers of a study, but times: they differ from machine to machine."""


class Part(NamedTuple):
    """A study at a scale as one store has it."""

    uri: str
    source: MigratedSource
    experiment: Experiment
    contents: Contents

    @property
    def of_its_plan(self) -> Contents:
        """What there is of the plan that was last run; the rest, of other plans, is in no report."""
        plan = self.experiment.tags["plan_identity"]
        parents = {identity: each for identity, each in self.contents.parents.items() if plan in each.plans}
        ended = {identity: run for identity, run in self.contents.ended.items() if run.setting in parents}
        return Contents(parents, ended, self.contents.unfinished)


@dataclass(frozen=True)
class Merged:
    """What came of one study: its experiment, and how many of the other folders' runs were copied, were there already, or
    are of other plans than the one that was last run there.
    """

    name: str
    copied: int
    known: int
    others: int

    def __str__(self) -> str:
        others = f", left out, of other plans: {self.others}" if self.others else ""
        return f"{self.name}: runs copied: {self.copied}, there already: {self.known}{others}"


def merge(folders: Sequence[Path], home: Path, command: str) -> list[Merged]:
    """Copies what other results folders have recorded into the one that is `home`.

    Raises `UserError`, before anything is written, where a folder has no record, where two have other plans of a study, or
    other numbers of one run.
    """
    uris = [sqlite_url(folder / "mlflow.db") for folder in folders]
    if any(folder.resolve() == home.resolve() for folder in folders):
        raise UserError(f"{home} is the results folder that is merged into; name the others")
    if missing := [folder for folder in folders if not (folder / "mlflow.db").exists()]:
        raise UserError(
            f"{missing[0]} {'has no record' if missing[0].is_dir() else 'is no folder'}; name results folders"
        )
    parts = [part for uri in uris for part in _parts(uri)]
    names = sorted({part.experiment.name for part in parts})
    if not names:
        raise UserError(f"nothing is recorded in {', '.join(map(str, folders))}")
    target = sqlite_url(home / "mlflow.db")
    make_writable(home)
    with ExitStack() as locks:
        for name in names:
            locks.enter_context(sole_writer(home, name, command))
        own = {part.experiment.name: part for part in _own_parts(target)}
        groups = {name: [part for part in parts if part.experiment.name == name] for name in names}
        for name, others in groups.items():
            _check([*([own[name]] if name in own else []), *others])
        client = connect(target, create=True)
        return [_merge(client, home, own.get(name), others) for name, others in groups.items()]


def _own_parts(uri: str) -> Iterator[Part]:
    try:
        yield from _parts(uri)
    except NoStore:
        return


def _parts(uri: str) -> Iterator[Part]:
    """The studies of a store."""
    source = open_source(uri)
    for experiment in own_experiments(source):
        if schema_version(experiment.name, experiment.tags) != SCHEMA_VERSION:
            raise UserError(f"{experiment.name} in {uri} is of an earlier schema; `ablate run` brings it up to date")
        yield Part(uri, source, experiment, contents(source.runs(experiment.experiment_id)))


def _check(parts: Sequence[Part]) -> None:
    """Raises `UserError` where parts of a study are of other plans, or have other numbers of one run."""
    first, *others = parts
    for part in others:
        if part.experiment.tags["plan_identity"] != first.experiment.tags["plan_identity"]:
            raise UserError(
                f"{first.experiment.name} is of one plan in {first.uri} and of another in {part.uri}: {_differing(first, part)} "
                "differs; only records of one plan are merged (`ablate compare` shows two)"
            )
    where: dict[str, tuple[Part, RunRecord]] = {}
    for part in parts:
        for identity, run in part.contents.ended.items():
            known = where.setdefault(identity, (part, run))
            if known[0] is not part and _numbers(*known) != _numbers(part, run):
                setting = part.contents.parents[run.setting].run.name
                raise UserError(
                    f"{setting} {run.kind} {run.number} of {part.experiment.name} has other numbers in {part.uri} than in "
                    f"{known[0].uri}, under one identity; delete one of them in MLflow"
                )


def _differing(a: Part, b: Part) -> str:
    plans = [read_json(part.experiment.tags, "plan") for part in (a, b)]
    return ", ".join(key for key in plans[0] if plans[0][key] != plans[1].get(key)) or "the code of some setting"


def _numbers(part: Part, run: RunRecord) -> tuple[Any, ...]:
    """What two records of one run must agree in: its status, factors, and latest values; of a timed round that alone."""
    if run.kind == "cost":
        return (run.status,)
    factors = {name: value for name, value in run.factors.items() if name != "backend"}
    metrics = {name: repr(value) for name, value in run.metrics.items() if name not in TIMES}
    return run.status, factors, metrics


def _merge(client: MlflowClient, home: Path, own: Part | None, others: Sequence[Part]) -> Merged:
    experiment_id = own.experiment.experiment_id if own else _new_experiment(client, home, others[0].experiment)
    copier = Copier(client, experiment_id, own.contents if own else None)
    copied = known = left_out = 0
    for part in others:
        there = part.of_its_plan
        fresh = [run for identity, run in there.ended.items() if identity not in copier.ended]
        known += len(there.ended) - len(fresh)
        copied += len(fresh)
        left_out += len(part.contents.ended) - len(there.ended)
        wanted = {run.run_id: list(run.metrics) for run in fresh}
        curves = part.source.curves(part.experiment.experiment_id, wanted) if fresh else {}
        copier.copy(connect(part.uri), there, fresh, curves)
    provenance = _provenance([*([own] if own else []), *others])
    for key, value in json_tags("provenance", provenance).items():
        client.set_experiment_tag(experiment_id, key, value)
    name = others[0].experiment.name
    if experiment := _experiment_named(client, name):
        write_views(client, experiment)
    return Merged(name, copied, known, left_out)


def _new_experiment(client: MlflowClient, home: Path, original: Experiment) -> str:
    """An experiment like that of another store, without runs; the one that a killed command has half made, if there is one."""
    name, uri = original.name, client.tracking_uri
    half_made = _experiment_named(client, name)
    experiment_id = (
        half_made.experiment_id
        if half_made
        else str(client.create_experiment(name, artifact_location(uri, name, home / "artifacts")))
    )
    kept = {key: value for key, value in original.tags.items() if not key.startswith("mlflow.sharedViewState.")}
    for key in sorted(kept, key="plan_identity".__eq__):  # last: with it, the experiment is a record
        client.set_experiment_tag(experiment_id, key, kept[key])
    return experiment_id


def _experiment_named(client: MlflowClient, name: str) -> Experiment | None:
    return experiment_named(open_source(client.tracking_uri), name, client.tracking_uri)


def _provenance(parts: Sequence[Part]) -> Mapping[str, Any]:
    """Of the part that was begun first, with the time of all of them."""
    each = [read_json(part.experiment.tags, "provenance") for part in parts if "provenance" in part.experiment.tags]
    if not each:
        return {}
    first = min(each, key=lambda facts: str(facts.get("started", "")))
    commits = sorted({str(facts.get("commit", "unknown")) for facts in each})
    merged = {"merged_commits": commits} if len(commits) > 1 else {}
    return {**first, **merged, "wall_seconds": sum(facts.get("wall_seconds", 0.0) for facts in each)}
