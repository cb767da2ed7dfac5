"""Makes the report's document from a study's record."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime

import pandas as pd

from ablations.record.again import command_again
from ablations.record.pages import experiment_page, run_page
from ablations.record.schema import StudyRecord
from reports.alarm import check_ceilings
from reports.capability import capability_blocks
from reports.claim_pages import claim_blocks, ledger
from reports.claims import Verdict
from reports.comparison import comparison_blocks
from reports.document import Block, Document, Heading, Note, Table
from reports.estimates import Estimates
from reports.explorer import explorer, pairs
from reports.figures import FIGURES
from reports.literature import literature_blocks
from reports.method import equation_blocks, failure_blocks, method_blocks, provenance_blocks
from reports.page_one.page import page_one
from reports.page_one.solvers import solver_table
from reports.page_one.verdict_strip import strip_table
from reports.prose import counted
from reports.result_tables import ResultTables
from reports.rules import rule_blocks
from reports.search_factors import size_note
from reports.search_summary import search_blocks
from reports.statistics.simulation import SimulatedTables, simulated_tables
from reports.task_pages import task_blocks
from reports.theorems import measured, theorem_blocks
from reports.verdicts import judge_claims
from reports.written_answers import written_blocks, written_tables

PRINTED_TABLES = ("score_matrix", "cost_growth")
"""The figures whose table is printed below them. The tables of all figures are written as CSV files."""

AUTHOR = "recurrent-ablations"
"""Who wrote the report: the program. Who ran the study is not in its record."""

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
    data["verdicts"] = ledger(verdicts)
    data |= {"verdict_strip": strip_table(verdicts), "who_solves_what": solver_table(estimates)}
    blocks: list[Block] = [
        *_partial(results),
        page_one(estimates, verdicts),
        *(_found(estimates, verdicts, data, say) if study.has_runs else ()),
        *failure_blocks(results),
        *method_blocks(results),
        *rule_blocks(simulated()),
        *provenance_blocks(results),
    ]
    data |= {block.name: block.frame for block in blocks if isinstance(block, Table)}
    blocks = [block for block in blocks if not (isinstance(block, Table) and block.frame.empty)]
    title, subtitle = study.plan["question"], f"Recurrent ablations: {study.name}, {study.scale} scale"
    view = explorer(estimates, data["learning_curves"])
    data["pairs"] = view.pairs if view else pairs(estimates)
    return Document(title, subtitle, blocks, AUTHOR, _day(study), record_pages(study), view), data


def _found(
    estimates: Estimates, verdicts: Mapping[str, Verdict], data: Mapping[str, pd.DataFrame], say: Say
) -> Iterator[Block]:
    """What the runs of a study have come to."""
    results = estimates.results
    yield from claim_blocks(verdicts, size_note(results.study))
    yield from literature_blocks(results, verdicts)
    yield from task_blocks(results)
    yield from theorem_blocks(results.study, data["theorems"])
    yield from comparison_blocks(estimates)
    yield from capability_blocks(estimates)
    yield from _figure_blocks(data, say)
    yield from search_blocks(results)
    yield from written_blocks(data, say)
    yield from equation_blocks(results)


def record_pages(study: StudyRecord) -> dict[str, str]:
    """The addresses in the MLflow UI of what a text may name: runs by their first eight letters, and the experiment."""
    runs = (*study.trials, *study.replicates, *study.transferred, *study.costs)
    ids = [*(setting.run_id for setting in study.settings), *(run.run_id for run in runs)]
    experiment = f"{study.name}-{study.scale} (id {study.experiment_id})"
    return {
        experiment: experiment_page(study.uri, study.experiment_id),
        **{run[:8]: run_page(study.uri, study.experiment_id, run) for run in ids if run},
    }


def _day(study: StudyRecord) -> date | None:
    """The day on which the study was started; None where the record does not say it."""
    try:
        return datetime.fromisoformat(str(study.provenance["started"])).date()
    except ValueError:
        return None


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
            f"These results are partial. Of {counted(settings, 'setting')}, not started: {absent}; with fewer than the planned "
            f"{counted(replicates, 'replicate')}: {incomplete}; failed: {failed}. Missing runs with the parent's "
            f"hyperparameters: {transferred}. `{command_again(results.study)}` continues the study.",
            "warning",
        )


def _figure_blocks(data: Mapping[str, pd.DataFrame], say: Say) -> Iterator[Block]:
    drawn = {name: figure for name, figure in FIGURES.items() if not data[name].empty}
    if drawn:
        yield Heading("Evidence")
    for name, figure in drawn.items():
        say("drawing the figures", figure.topic)
        yield Heading(figure.topic, level=2)
        yield figure.picture(name, data[name])
        if name in PRINTED_TABLES:
            yield Table(name, data[name], f"The numbers of the figure “{figure.topic}”.")
