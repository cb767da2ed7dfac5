"""A report with all that belongs to it: its files, and the texts and figures in MLflow.

To import MLflow and to simulate studies takes seconds, and neither needs the report: a second process does both while
this one composes it. So each function imports what it needs when it is called.
"""

from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING

from ablations.record.schema import StudyRecord

if TYPE_CHECKING:
    from reports.compose import Say
    from reports.statistics.simulation import SimulatedTables


def publish(study: StudyRecord, folder: Path, beside: Executor, say: "Say") -> tuple[Path, Path]:
    """Writes the report of a study and describes the study in MLflow; returns the paths of the HTML and the PDF.

    beside: runs jobs one after the other, at best in another process.
    """
    simulated = beside.submit(_simulated)
    settings = beside.submit(_describe_settings, study)
    from reports.write import write

    paths = write(study, folder, say, simulated.result)
    say("describing the settings in MLflow", "")
    settings.result()
    say("putting the report into MLflow", "")
    beside.submit(_describe_study, study, folder).result()
    return paths


def _simulated() -> "SimulatedTables":
    from reports.statistics.simulation import simulated_tables

    return simulated_tables()


def _describe_settings(study: StudyRecord) -> None:
    from reports.mlflow_texts import describe_settings

    describe_settings(study)


def _describe_study(study: StudyRecord, folder: Path) -> None:
    from reports.mlflow_texts import describe_study

    describe_study(study, folder)
