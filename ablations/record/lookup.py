"""Finding one setting or replicate in a record, by its place in a study; a replicate also by its MLflow run id."""

import re

from ablations.record.long_tags import read_json
from ablations.record.opening import open_source
from ablations.record.reader import read
from ablations.record.schema import RecordError, RunRecord, SettingRecord, StudyRecord
from ablations.record.source import own_experiments

RUN_ID = re.compile(r"[0-9a-f]{32}")
PLACE = re.compile(r"([^/]+)/([^/]+)/([^/]+)/(\d+)")
"""STUDY/TASK/VARIANT/number."""
SETTING = re.compile(r"([^/]+)/([^/]+)/([^/]+)(?<!\.py)")
"""STUDY/TASK/VARIANT, which is no file's path."""

Found = tuple[StudyRecord, SettingRecord, RunRecord]


def is_replicate(name: str) -> bool:
    """Whether a name can be that of a replicate.

    >>> is_replicate("claims/copying/lstm/0"), is_replicate("0" * 32), is_replicate("lstm")
    (True, True, False)
    """
    return bool(RUN_ID.fullmatch(name) or PLACE.fullmatch(name))


def is_setting(name: str) -> bool:
    """Whether a name can be that of a setting.

    >>> is_setting("claims/copying/lstm"), is_setting("my/own/cell.py"), is_setting("lstm")
    (True, False, False)
    """
    return bool(SETTING.fullmatch(name))


def find_setting(uri: str, name: str, scale: str) -> tuple[StudyRecord, SettingRecord]:
    """The setting at that place of a study at that scale, and the study without curves. Raises `RecordError`."""
    place = SETTING.fullmatch(name)
    assert place
    record = read(uri, place[1], scale, curves=False)
    return record, setting_of(record, place[2], place[3])


def find_replicate(uri: str, name: str, scale: str) -> Found:
    """The replicate of that run id, in whatever study it is, or at that place of a study at that scale.

    Raises `RecordError` where there is none.
    """
    place = PLACE.fullmatch(name)
    return replicate_at(read(uri, place[1], scale), name) if place else replicate_with_id(uri, name)


def replicate_with_id(uri: str, run_id: str) -> Found:
    """The replicate with that MLflow run id. Raises `RecordError` where there is none."""
    source = open_source(uri)
    for experiment in own_experiments(source):
        if any(run.run_id == run_id for run in source.runs(experiment.experiment_id)):
            plan = read_json(experiment.tags, "plan")  # the name of a scale may have hyphens too
            record = read(uri, plan["name"], plan["scale"])
            for run in record.replicates:
                if run.run_id == run_id:
                    return record, _setting(record, run), run
            raise RecordError(f"run {run_id} is no replicate of {experiment.name} as it is planned now")
    raise RecordError(f"no run {run_id} is recorded")


def replicate_at(record: StudyRecord, name: str) -> Found:
    """The replicate at a place in a study, given its record. Raises `RecordError` where there is none."""
    place = PLACE.fullmatch(name)
    assert place
    return replicate_of(record, place[2], place[3], int(place[4]))


def replicate_of(record: StudyRecord, task: str, variant: str, number: int) -> Found:
    """The replicate of a task and a variant with that number. Raises `RecordError` where there is none."""
    setting = setting_of(record, task, variant)
    runs = {run.number: run for run in record.replicates if run.setting == setting.identity}
    if number not in runs:
        numbers = ", ".join(map(str, sorted(runs))) or "none"
        place = f"{record.name}/{task}/{variant}"
        raise RecordError(f"{place} at scale {record.scale} has no replicate {number}; its replicates are {numbers}")
    return record, setting, runs[number]


def setting_of(record: StudyRecord, task: str, variant: str) -> SettingRecord:
    """The setting of a task and a variant. Raises `RecordError` where there is none."""
    for setting in record.settings:
        if (setting.task, setting.variant) == (task, variant):
            return setting
    settings = ", ".join(f"{s.task}/{s.variant}" for s in record.settings)
    raise RecordError(
        f"{record.name} at scale {record.scale} has no setting {task}/{variant}; its settings are {settings}"
    )


def _setting(record: StudyRecord, run: RunRecord) -> SettingRecord:
    return next(setting for setting in record.settings if setting.identity == run.setting)
