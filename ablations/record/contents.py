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
from ablations.record.protocol import PLACE, factors_of
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
    orphans = 0
    for run in ordered:
        parent = parent_of.get(run.tags.get(PARENT, ""))
        is_ours = (
            PARENT in run.tags and {"kind", "identity"} & run.tags.keys() and run.tags.get("status") != INTERRUPTED
        )
        if parent is None or not is_ours:
            orphans += bool(is_ours and "identity" in run.tags)
        elif run.status not in OVER:
            unfinished.append(run)
        elif record := _run_record(run, parent):
            ended.setdefault(record.identity, record)
    if orphans:
        log.warning("%d runs of the record are ignored: their setting is not there, or was deleted", orphans)
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


def warn_of_lost_replicates(
    parents: Mapping[str, Run], runs: Iterable[RunRecord], replicates: Iterable[RunRecord]
) -> None:
    """Warns of settings that are done and have replicates, none of which is of the trial that is said to be the best."""
    with_some, with_chosen = (
        {run.setting for run in runs if run.kind == "replicate"},
        {run.setting for run in replicates},
    )
    for identity in with_some - with_chosen:
        if parents[identity].status == MLFLOW_STATUS["finished"]:
            log.warning(
                "the replicates of %s are ignored: its best trial is said to be %s; `ablate run` mends that",
                parents[identity].name,
                parents[identity].tags.get("best_trial", "none"),
            )


def _is_parent(run: Run) -> bool:
    """True for the parent of a setting or of costs. What has none of our tags is passed over without a word."""
    tags = run.tags
    if PARENT in tags or not {"identity", "plan"} & tags.keys():
        return False
    if not tags.get("identity") or not tags.get("plan"):
        _warn(run, "its identity or its plan is missing")
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
    if not tags.get("identity") or not _fits(kind, int(number), run):
        _warn(run, "its identity is missing, or its kind or number is not that of its parameters and metrics")
        return None
    return RunRecord(
        identity=tags["identity"],
        kind=kind,
        number=int(number),
        status=status,
        factors=migrated_factors(factors_of(run.params)),
        metrics=run.metrics,
        mechanisms=mechanisms_of(run),
        setting=parent,
        run_id=run.run_id,
        reason=tags.get("reason", ""),
    )


def _fits(kind: str, number: int, run: Run) -> bool:
    """Whether a run can be of that kind and number: parameters and metrics cannot be edited in the MLflow UI, tags can."""
    is_again = kind in ("replicate", "transferred")  # with the hyperparameters of a trial
    is_its = kind == "cost" or ("trial" in run.params) == is_again  # older records have no more than this
    place = tuple(run.params.get(name, own) for name, own in zip(PLACE, (kind, str(number)), strict=True))
    return bool(run.metrics) and is_its and place == (kind, str(number))


def _warn(run: Run, reason: str) -> None:
    log.warning("run %s (%s) of the record is ignored: %s", run.run_id, run.name, reason)
