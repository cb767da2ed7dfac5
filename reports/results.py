"""Results as data: what `ablations.open` gives. Tables are data frames, a replicate's curves one of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from ablations.record.long_tags import read_json
from ablations.record.lookup import replicate_of, setting_of
from ablations.record.opening import open_source
from ablations.record.reader import read
from ablations.record.schema import StudyRecord
from ablations.record.source import own_experiments
from reports.table_columns import typed

if TYPE_CHECKING:
    from reports.study_tables import StudyTables

Load = Callable[[str, str], Any]
"""Loads the network of a URI such as `runs:/<run id>` from the MLflow store at another."""

STUDY = {"study": str, "scale": str, "question": str}
POINT = {"curve": str, "step": int, "value": float}


@dataclass(frozen=True)
class Results:
    """The studies in an MLflow store. Raises `RecordError` where there is no store."""

    uri: str
    _load: Load = field(repr=False)

    def __post_init__(self) -> None:
        open_source(self.uri)

    @property
    def studies(self) -> pd.DataFrame:
        """One row for each study at a scale, `STUDY`."""
        return typed([[plan["name"], plan["scale"], plan["question"]] for plan in self._plans()], STUDY)

    def study(self, name: str, scale: str = "demo") -> "StudyResults":
        """A study at a scale, as it is recorded now. Raises `RecordError`, with all that there are, where there is none."""
        return StudyResults(read(self.uri, name, scale), self._load)

    def _plans(self) -> Iterator[dict[str, Any]]:
        for experiment in own_experiments(open_source(self.uri)):
            yield read_json(experiment.tags, "plan")


@dataclass(frozen=True)
class StudyResults:
    """A study at one scale. A task and a variant that it does not have together raise `RecordError`."""

    record: StudyRecord = field(repr=False)
    _load: Load = field(repr=False)

    def __repr__(self) -> str:
        return f"StudyResults({self.record.name!r}, {self.record.scale!r}, replicates: {len(self.record.replicates)})"

    @cached_property
    def tables(self) -> "StudyTables":
        """The tables of the study, each a data frame; `dir(study.tables)` has their names.

        They are those of the record, `settings`, `replicates`, `transferred`, `trials`, `curves`, `difficulty`, `gradient`,
        `gradient_at_cue` and `costs`; and those that the report computes from them, under the names of its CSV files:
        `verdicts`, `who_solves_what`, `ranking`, `differences`, `search_windows`, `best_values`, and each figure's, as
        `importance` or `search`.
        """
        from reports.study_tables import StudyTables  # it loads what draws figures

        return StudyTables(self.record)

    def curves(self, task: str, variant: str, seed: int) -> pd.DataFrame:
        """All curves of one replicate, `POINT`. What a step counts is said in `ablations.record.schema.CURVES`."""
        _, _, run = replicate_of(self.record, task, variant, seed)
        return typed([[name, *point] for name, curve in run.history.items() for point in curve], POINT)

    def load(self, task: str, variant: str, seed: int | None = None) -> Any:
        """The trained network of a replicate, by default the setting's best one, as `ablations.load` gives it.

        Raises `UserError` where it was not kept.
        """
        if seed is None:
            run_id = setting_of(self.record, task, variant).run_id
        else:
            run_id = replicate_of(self.record, task, variant, seed)[2].run_id
        return self._load(f"runs:/{run_id}", self.record.uri)
