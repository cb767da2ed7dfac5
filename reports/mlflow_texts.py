"""Texts and figures of a report, in MLflow: each setting's run gets a description, and so does the experiment."""

from pathlib import Path

import pandas as pd

from ablations.record.schema import StudyRecord
from ablations.record.store import connect
from ablations.record.writer import describe, describe_experiment
from reports.compose import Say, silent
from reports.estimates import Estimates
from reports.result_tables import ResultTables
from reports.setting_summary import summaries
from reports.verdicts import in_brief


def describe_in_mlflow(study: StudyRecord, folder: Path, say: Say = silent) -> None:
    """Describes a study's settings and its experiment, after the report in the folder."""
    client, estimates = connect(study.uri), Estimates(ResultTables(study))
    for summary in summaries(estimates):
        say("describing the settings in MLflow", f"{summary.setting.task}/{summary.setting.variant}")
        describe(client, summary.setting.run_id, summary.text, summary.metrics, {"setting.svg": summary.svg})
    ledger = pd.read_csv(folder / "tables" / "verdicts.csv")
    describe_experiment(client, study.experiment_id, in_brief(study.plan["question"], ledger))
