"""What a replicate did inside, as its tags hold it, checked: a person may have edited them in the MLflow UI.

attention: `source` and `answer` as texts, and `weights`, a row for each symbol of the answer and its end, in it a weight for
each character of the source.

reading: two sequences. `steps` are their words, of which the one at `asked` is answered; the right ones are their `answers`,
out of K `classes`. `probabilities` has for each sequence, and for each step from the asked one on, the K probabilities that
the network gives when it is shown the sequence up to there; `known` those of a reader who knows the task.

memory: one sequence of T `steps`, with their `roles` ("store", "answer" or nothing). `quantities` has for each that the cell's
equations name the `mean` over units, and `low` and `high`, between which 80 % of the units are, each of T numbers. `state` is the
name of the memory, and `units` has T values for each of the units that change most.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from ablations.record.long_tags import read_json
from ablations.record.schema import MECHANISMS
from ablations.record.source import Run

log = logging.getLogger(__name__)


def mechanisms_of(run: Run) -> dict[str, Any]:
    """The mechanisms in the tags of a run, by name. One that makes no sense is left out, with a warning."""
    mechanisms = {}
    for name in MECHANISMS:
        if name in run.tags:
            try:
                mechanisms[name] = CHECKS[name](read_json(run.tags, name))
            except ValueError as error:
                log.warning("the %s of run %s (%s) of the record is ignored: %s", name, run.run_id, run.name, error)
    return mechanisms


def _checked_attention(attention: dict[str, Any]) -> dict[str, Any]:
    match attention:
        case {"source": str(source), "answer": str(answer), "weights": weights}:
            if _is_table(weights, len(answer) + 1, len(source), lowest=0, highest=1):
                return attention
    raise ValueError("its attention is no table of weights on a source and an answer")


def _checked_reading(reading: dict[str, Any]) -> dict[str, Any]:
    match reading:
        case {
            "steps": [list(first), list(second)],
            "asked": int(asked),
            "answers": [str(), str()],
            "classes": list(classes),
            "probabilities": [list(), list()] as probabilities,
            "known": [list(), list()] as known,
        }:
            shapes = [(len(steps) - asked, len(classes)) for steps in (first, second)]
            tables = [*zip(probabilities, shapes, strict=True), *zip(known, shapes, strict=True)]
            if all(_is_table(table, *shape, lowest=0, highest=1) for table, shape in tables) and _are_texts(
                [*first, *second, *classes]
            ):
                return reading
    raise ValueError("it is no table of probabilities over two sentences")


def _checked_memory(memory: dict[str, Any]) -> dict[str, Any]:
    match memory:
        case {
            "steps": list(steps),
            "roles": list(roles),
            "quantities": dict(quantities),
            "state": str(),
            "units": list(units),
        }:
            rows = [[each.get(name) for name in ("mean", "low", "high")] for each in quantities.values()]
            tables = [_is_table(each, 3, len(steps)) for each in rows]
            if all([*tables, _is_table(units, len(units), len(steps)), _are_texts([*steps, *roles])]):
                return memory
    raise ValueError("it is no table of gates over a sequence")


CHECKS: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "attention": _checked_attention,
    "reading": _checked_reading,
    "memory": _checked_memory,
}
"""For each of `MECHANISMS` a function that returns what it is given, or raises ValueError."""


def _are_texts(values: list[Any]) -> bool:
    return all(isinstance(each, str) for each in values)


def _is_table(
    table: Any, rows: int, columns: int, lowest: float = float("-inf"), highest: float = float("inf")
) -> bool:
    """Whether it is a list of so many lists of so many numbers from the lowest to the highest."""
    return (
        isinstance(table, list)
        and len(table) == rows
        and all(isinstance(row, list) and len(row) == columns for row in table)
        and all(isinstance(each, int | float) and lowest <= each <= highest for row in table for each in row)
    )
