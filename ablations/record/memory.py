"""A record in memory: for tests, and for trying out what needs no database. It ends with the process."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablations.record.long_tags import as_json
from ablations.record.protocol import Closed, Ended, ended, factors_of, parameters_of
from ablations.record.schema import RunRecord, SettingRecord, StudyRecord
from ablations.record.selection import in_order, select

if TYPE_CHECKING:
    from ablations.study import Plan


@dataclass
class _Parent:
    run_id: str
    plan: str
    setting: SettingRecord | None = None
    best_trial: int | None = None
    failure: str | None = None


class MemoryRecorder:
    """A `Recorder` in memory. `earlier` is one whose contents are taken over, as another process takes up a database."""

    def __init__(self, plan: "Plan", earlier: "MemoryRecorder | None" = None) -> None:
        self._plan = plan
        self._parents: dict[str, _Parent] = earlier._parents if earlier else {}
        self._runs: dict[str, RunRecord] = earlier._runs if earlier else {}
        self.finished: dict[str, Ended] = earlier.finished if earlier else {}
        self.provenance: dict[str, Any] = earlier.provenance if earlier else {}
        self.closed: dict[str, Closed] = {}  # every session opens all settings

    @property
    def failed(self) -> set[str]:
        return {identity for identity, parent in self._parents.items() if parent.failure}

    def count_existing(self) -> tuple[int, int]:
        own = set(self._plan.identities.values())
        return sum(end.parent in own for end in self.finished.values()), len(self._parents.keys() - own)

    def open_setting(self, setting: SettingRecord) -> str:
        run_id = self.open_parent("setting", "", setting.identity, {}, {})
        self._parents[setting.identity].setting = replace(setting, run_id=run_id)
        return run_id

    def open_parent(
        self, kind: str, name: str, identity: str, tags: Mapping[str, str], parameters: Mapping[str, Any]
    ) -> str:
        run_id = f"{len(self._parents):032x}"
        parent = self._parents.setdefault(identity, _Parent(run_id, self._plan.identity))
        parent.plan, parent.failure = self._plan.identity, None
        return parent.run_id

    def add(self, run: RunRecord, parent: SettingRecord | None = None, model: Path | None = None) -> None:
        if run.identity not in self.finished:
            run_id = f"{len(self._runs):032x}"
            self._runs[run.identity] = replace(
                run, run_id=run_id, factors=factors_of(parameters_of(run, parent)), history=dict(run.history)
            )
            self.finished[run.identity] = ended(run)

    def close_parent(self, identity: str, tags: Mapping[str, Any] | None = None) -> None:
        if tags and "best_trial" in tags:
            self._parents[identity].best_trial = tags["best_trial"]

    def fail_parent(self, identity: str, reason: str, details: str = "") -> None:
        self._parents[identity].failure = reason.partition("\n")[0]

    def set_provenance(self, provenance: Mapping[str, Any]) -> None:
        self.provenance = dict(provenance)

    def study(self) -> StudyRecord:
        """What a report reads."""
        plan = json.loads(as_json(self._plan.data))
        current = {key: parent for key, parent in self._parents.items() if parent.plan == self._plan.identity}
        settings = in_order(plan, (_as_read(parent) for parent in current.values() if parent.setting))
        runs = select(plan, settings, (run for run in self._runs.values() if run.setting in current))
        return StudyRecord(
            self._plan.name, self._plan.scale, "0", "memory", plan, self.provenance, settings, **runs._asdict()
        )


def _as_read(parent: _Parent) -> SettingRecord:
    assert parent.setting
    data = {**asdict(parent.setting), "best_trial": parent.best_trial, "failure": parent.failure}
    return SettingRecord(**json.loads(as_json(data)))
