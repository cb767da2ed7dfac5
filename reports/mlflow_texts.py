"""Texts and figures of a report, in MLflow: each setting's run gets a description, and so does the experiment."""

from pathlib import Path

from ablations.record.schema import StudyRecord
from ablations.record.store import connect
from ablations.record.writer import describe, describe_experiment
from reports.estimates import Estimates
from reports.page_one.markdown import FILE
from reports.result_tables import ResultTables
from reports.setting_summary import summaries


def describe_settings(study: StudyRecord) -> None:
    """Gives the run of each setting that has replicates a text, aggregates and a figure."""
    client = connect(study.uri)
    for summary in summaries(Estimates(ResultTables(study))):
        describe(client, summary.setting.run_id, summary.text, summary.metrics, {"setting.svg": summary.svg})


def describe_experiment_by(study: StudyRecord, folder: Path) -> None:
    """Gives the experiment the first page of the report in the folder."""
    text = (folder / FILE).read_text(encoding="utf-8")
    describe_experiment(connect(study.uri), study.experiment_id, text)
