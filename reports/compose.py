"""Makes the report's document from a study's record."""

from collections.abc import Callable, Iterator, Mapping

import pandas as pd

from ablations.record.schema import StudyRecord
from reports.alarm import check_ceilings
from reports.capability import capability_blocks
from reports.comparison import comparison_blocks
from reports.document import Block, Document, Heading, Note, Table
from reports.estimates import Estimates
from reports.figures import FIGURES
from reports.literature import literature_blocks
from reports.method import equation_blocks, failure_blocks, method_blocks, provenance_blocks
from reports.result_tables import ResultTables
from reports.rules import rule_blocks
from reports.search_summary import search_blocks
from reports.statistics.simulation import SimulatedTables, simulated_tables
from reports.theorems import measured, theorem_blocks
from reports.verdicts import judge_claims, verdict_blocks
from reports.written_answers import written_blocks, written_tables

PRINTED_TABLES = ("score_matrix", "cost_growth")
"""The figures whose table is printed below them. The tables of all figures are written as CSV files."""


Say = Callable[[str, str], object]
"""Is told the stage that a report is in, and a detail of it."""


def silent(stage: str, detail: str) -> None:
    """Says nothing."""


def compose(
    study: StudyRecord, say: Say = silent, simulated: Callable[[], SimulatedTables] = simulated_tables
) -> tuple[Document, dict[str, pd.DataFrame]]:
    """The report of a study, and all of its tables by name. `simulated` gives the tables of the rules' errors.

    Raises `CeilingPassedError` if a measurement lies beyond an exact ceiling.
    """
    say("computing the tables", "")
    results = ResultTables(study)
    estimates = Estimates(results)
    data = {"ceilings": check_ceilings(estimates)}
    verdicts = judge_claims(estimates)
    data |= {name: figure.table(estimates) for name, figure in FIGURES.items()}
    data |= written_tables(estimates)
    data |= {"replicates": results.replicates, "transferred": results.transferred, "trials": results.trials}
    data["theorems"] = measured(study)
    blocks = [
        *_partial(results),
        *verdict_blocks(verdicts),
        *literature_blocks(results, verdicts),
        *theorem_blocks(study, data["theorems"]),
        *comparison_blocks(estimates),
        *capability_blocks(estimates),
        *_figure_blocks(data, say),
        *search_blocks(results),
        *written_blocks(data, say),
        *equation_blocks(results),
        *failure_blocks(results),
        *method_blocks(results),
        *rule_blocks(simulated()),
        *provenance_blocks(results),
    ]
    data |= {block.name: block.frame for block in blocks if isinstance(block, Table)}
    blocks = [block for block in blocks if not (isinstance(block, Table) and block.frame.empty)]
    return Document(f"{study.name}, {study.scale} scale", study.plan["question"], blocks), data


def _partial(results: ResultTables) -> Iterator[Block]:
    """A warning where the record does not hold all that was planned."""
    plan = results.study.plan
    replicates = plan["budget"]["replicates"]
    incomplete = int((results.settings["replicates"] < replicates).sum())
    failed = sum(setting.failure is not None for setting in results.study.settings)
    settings = len(results.planned)
    absent = settings - len(results.settings)
    ablations = sum(variant in plan["parents"] for _, variant in results.planned)
    transferred = max(0, ablations * replicates - len(results.transferred))
    if absent or incomplete or failed or transferred:
        yield Note(
            f"These results are partial. Of {settings} settings, {absent} have not been started, {incomplete} have fewer than "
            f"the planned {replicates} replicates, and {failed} failed; {transferred} runs with the parent's hyperparameters "
            "are missing. `ablate run` continues the study.",
            "warning",
        )


def _figure_blocks(data: Mapping[str, pd.DataFrame], say: Say) -> Iterator[Block]:
    yield Heading("Evidence")
    for name, figure in FIGURES.items():
        if data[name].empty:
            continue
        say("drawing the figures", figure.topic)
        yield Heading(figure.topic, level=2)
        yield figure.picture(name, data[name])
        if name in PRINTED_TABLES:
            yield Table(name, data[name], f"The numbers of the figure “{figure.topic}”.")
