"""From a study's record to the document that reports it."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from ablations.lab.tracking import StudyRecord
from reports.comparison import comparison_blocks
from reports.document import Block, Document, Heading, Note, Picture, Table
from reports.evidence import Evidence
from reports.figures import FIGURES
from reports.literature import literature_blocks
from reports.method import equation_blocks, failure_blocks, method_blocks, provenance_blocks
from reports.style import as_svg, styled
from reports.verdicts import judged, verdict_blocks

SHOWN = ("score_matrix", "cost_growth")
"""The figures whose table is printed beside them; all tables are written as CSV files."""


def compose(study: StudyRecord, rng: np.random.Generator) -> tuple[Document, dict[str, pd.DataFrame]]:
    """The report of a study, and every table behind it by name."""
    evidence = Evidence(study)
    verdicts = judged(evidence, rng)
    data = {name: kind.table(evidence, rng) for name, kind in FIGURES.items()}
    data |= {"replicates": evidence.replicates, "frozen": evidence.frozen, "trials": evidence.trials}
    blocks = [
        *_partial(evidence),
        *verdict_blocks(verdicts),
        *literature_blocks(evidence, verdicts),
        *comparison_blocks(evidence, rng),
        *_figure_blocks(data),
        *equation_blocks(evidence),
        *failure_blocks(evidence),
        *method_blocks(evidence),
        *provenance_blocks(evidence),
    ]
    data |= {block.name: block.frame for block in blocks if isinstance(block, Table)}
    shown = [block for block in blocks if not (isinstance(block, Table) and block.frame.empty)]
    return Document(f"{study.name}, {study.scale} scale", study.plan["question"], shown), data


def _partial(evidence: Evidence) -> Iterator[Block]:
    plan = evidence.study.plan
    planned = plan["budget"]["replicates"]
    short = evidence.settings[evidence.settings["replicates"] < planned]
    expected = len(plan["tasks"]) * len(plan["variants"])
    absent = expected - len(evidence.settings)
    frozen = len(plan["parents"]) * len(plan["tasks"]) * planned - len(evidence.frozen)
    if absent or len(short) or frozen > 0:
        yield Note(
            f"These results are partial: {absent} of {expected} settings have not been begun, and {len(short)} have "
            f"fewer than the planned {planned} replicates; {max(frozen, 0)} runs with a parent's hyperparameters are "
            "missing. `ablate run` carries on.",
            "warning",
        )


def _figure_blocks(data: Mapping[str, pd.DataFrame]) -> Iterator[Block]:
    yield Heading("Evidence")
    for name, kind in FIGURES.items():
        if data[name].empty:
            continue
        yield Heading(kind.title, level=2)
        caption = f"{kind.caption(data[name])} Numbers: tables/{name}.csv."
        with styled():
            svg = as_svg(kind.draw(data[name]))
        yield Picture(name, svg, caption, alt=caption)
        if name in SHOWN:
            yield Table(name, data[name], f"The numbers of the figure “{kind.title}”.")
