"""The mechanisms that replicates have recorded, in the order of the study."""

from collections.abc import Iterator

from ablations.record.schema import RunRecord, SettingRecord
from reports.result_tables import ResultTables


def replicates_with(results: ResultTables, name: str) -> Iterator[tuple[SettingRecord, RunRecord]]:
    """The replicates that have recorded a mechanism of that name, with their settings: in the study's order, then by number."""
    return ((setting, run) for run, setting in results.runs("replicates") if name in run.mechanisms)


def first_replicates(results: ResultTables, name: str) -> Iterator[tuple[SettingRecord, RunRecord]]:
    """Of each setting the first of these replicates."""
    last = None
    for setting, run in replicates_with(results, name):
        if setting is not last:
            yield setting, run
        last = setting
