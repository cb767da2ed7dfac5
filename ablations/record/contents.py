"""What the runs of an experiment say, checked: a person may have edited, deleted or added some in the MLflow UI.

A run that is not ours is passed over. One of ours whose tags make no sense is too, with a warning. Of several with one
identity, the earliest counts.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields
from typing import NamedTuple

from ablations.record.long_tags import read_json
from ablations.record.mechanisms import mechanisms_of
from ablations.record.migration import migrated_factors, migrated_kind, migrated_status
from ablations.record.protocol import as_recorded
from ablations.record.schema import (
    INTERRUPTED,
    KINDS,
    MLFLOW_STATUS,
    PARENT,
    RunRecord,
    SettingRecord,
)
from ablations.record.source import Run

OVER = set(MLFLOW_STATUS.values())
log = logging.getLogger(__name__)


class Parent(NamedTuple):
    """A setting or a measurement of costs: its run, and the identities of the plans that it was part of."""

    run: Run
    plans: frozenset[str]


class Contents(NamedTuple):
    """Parents and ended runs by identity, and the runs that a dead writer left unfinished.

    The curves of runs are not read; the latest value of each is among its run's metrics.
    """

    parents: Mapping[str, Parent]
    ended: Mapping[str, RunRecord]
    unfinished: Sequence[Run]


def contents(runs: Iterable[Run]) -> Contents:
    """What is in an experiment, given its runs that are not deleted; a run whose parent is deleted does not count."""
    ordered = sorted(runs, key=lambda run: (run.start_time, run.run_id))
    doubles: dict[str, list[Run]] = {}
    for run in ordered:
        if _is_parent(run):
            doubles.setdefault(run.tags["identity"], []).append(run)
    parent_of = {run.run_id: identity for identity, runs in doubles.items() for run in runs}
    ended: dict[str, RunRecord] = {}
    unfinished = []
    for run in ordered:
        parent = parent_of.get(run.tags.get(PARENT, ""))
        if parent is None or "identity" not in run.tags or run.tags.get("status") == INTERRUPTED:
            continue
        if run.status not in OVER:
            unfinished.append(run)
        elif record := _run_record(run, parent):
            ended.setdefault(record.identity, record)
    return Contents({identity: _parent(runs) for identity, runs in doubles.items()}, ended, unfinished)


def setting_record(run: Run) -> SettingRecord | None:
    """The setting that a parent run holds; None where its tags make no sense."""
    tags = run.tags
    names = {field.name for field in fields(SettingRecord)}
    try:
        data = {key: value for key, value in read_json(tags, "setting").items() if key in names}
        best = int(tags["best_trial"]) if "best_trial" in tags else None
        failure = failure_of(run)
        own = {"run_id": run.run_id, "best_trial": best, "failure": failure or None}
        return SettingRecord(**{**data, **own})
    except (ValueError, TypeError) as error:
        _warn(run, str(error))
        return None


def failure_of(run: Run) -> str:
    """The first line of why a parent failed; empty where it did not. Up to version 2 of the schema, the tag was `error`."""
    reason = run.tags.get("reason", run.tags.get("error", ""))
    return reason.partition("\n")[0] if run.status == "FAILED" else ""


def _is_parent(run: Run) -> bool:
    """True for the parent of a setting or of costs. What has none of our tags is passed over without a word."""
    tags = run.tags
    if PARENT in tags or not tags.get("identity"):
        return False
    if tags.get("kind") not in ("setting", "costs"):
        _warn(run, f"its kind is {tags.get('kind')!r}")
        return False
    with suppress(ValueError):  # the next writer mends the rest of the setting
        if read_json(tags, "setting").get("identity", tags["identity"]) != tags["identity"]:
            _warn(run, "its identity is not that of its setting")
            return False
    return True


def _parent(doubles: Sequence[Run]) -> Parent:
    """The earliest, of those whose search is over if there are any."""
    chosen = next((run for run in doubles if "best_trial" in run.tags), doubles[0])
    return Parent(chosen, frozenset(run.tags.get("plan", "") for run in doubles))


def _run_record(run: Run, parent: str) -> RunRecord | None:
    tags = run.tags
    kind, number = migrated_kind(tags.get("kind", "")), tags.get("number", "")
    status = migrated_status(tags.get("status", ""))
    if kind not in KINDS or not number.isdecimal() or status not in MLFLOW_STATUS:
        _warn(run, f"its kind is {kind!r}, its number {number!r}, its status {status!r}")
        return None
    return RunRecord(
        identity=tags["identity"],
        kind=kind,
        number=int(number),
        status=status,
        factors=migrated_factors(as_recorded(run.params)),
        metrics=run.metrics,
        mechanisms=mechanisms_of(run),
        setting=parent,
        run_id=run.run_id,
        reason=tags.get("reason", ""),
    )


def _warn(run: Run, reason: str) -> None:
    log.warning("run %s (%s) of the record is ignored: %s", run.run_id, run.name, reason)
