"""A report in MLflow: each setting's run gets a description and numbers, the experiment too, and a run gets the files."""

from pathlib import Path

from ablations.record.links import run_page, view_page
from ablations.record.report_run import log_report
from ablations.record.schema import StudyRecord
from ablations.record.store import connect
from ablations.record.writer import LONGEST_NOTE, describe, describe_experiment
from reports.estimates import Estimates
from reports.page_one.markdown import FILE
from reports.result_tables import ResultTables
from reports.setting_summary import summaries


def describe_settings(study: StudyRecord) -> None:
    """Gives the run of each setting that has replicates a text, aggregates and a figure."""
    client = connect(study.uri)
    for summary in summaries(Estimates(ResultTables(study))):
        describe(client, summary.setting.run_id, summary.text, summary.metrics, {"setting.svg": summary.svg})


def describe_study(study: StudyRecord, folder: Path) -> None:
    """Gives the experiment the text of the report in the folder, and makes the report's files artifacts of a run."""
    client, text = connect(study.uri), study_text(study, folder)
    run_id = log_report(client, study.experiment_id, text, folder)
    files = f"[The whole report, its tables and its figures]({run_page(study.experiment_id, run_id)})"
    describe_experiment(client, study.experiment_id, f"{text[: LONGEST_NOTE - len(files) - 2]}\n\n{files}")


def study_text(study: StudyRecord, folder: Path) -> str:
    """What the report in the folder says first, as Markdown, and where in MLflow the runs behind it are."""
    views = {"All settings, best first": "settings", "failed and diverged runs": "failed"}
    links = ", ".join(f"[{name}]({view_page(study.experiment_id, key)})" for name, key in views.items())
    return f"{(folder / FILE).read_text(encoding='utf-8')}\n{links}."
