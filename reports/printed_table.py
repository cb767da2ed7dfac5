"""A data frame as it is printed: columns of text, numbers of a column with the same decimals."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass

import pandas as pd

from reports.number_format import as_text, column, decimals, is_number
from reports.table_columns import LOWER_IS_BETTER, SIGNIFICANT

SHORT = 14
"""The most characters of a cell that stays on one line."""


@dataclass(frozen=True)
class Column:
    """A column's name, its cells as text, whether they are numbers, and whether the first in order is the best."""

    name: str
    cells: tuple[str, ...]
    is_numeric: bool
    is_ascending: bool

    @property
    def is_short(self) -> bool:
        """True where no cell needs to be broken into lines, however narrow the page is."""
        return self.is_numeric or all(len(cell) <= SHORT for cell in self.cells)


def printed_columns(frame: pd.DataFrame) -> list[Column]:
    """The columns of a frame. What counts as a number is decided by the values' type, never by how they look.

    A value and the two ends of its interval, in the columns after it, have the same decimals.

    >>> frame = pd.DataFrame({"mean": [0.5, 2.0], "low": [0.25, 1.0], "high": [0.75, 3.0], "fact": ["2 cores", "7"]})
    >>> [column.cells for column in printed_columns(frame)]
    [('0.500', '2.000'), ('0.250', '1.000'), ('0.750', '3.000'), ('2 cores', '7')]
    """
    values = [frame.iloc[:, place].tolist() for place in range(frame.shape[1])]
    places = _decimals(frame)
    return [
        Column(
            str(name).replace("_", " "),
            tuple(_cells(cells, places.get(place))),
            place in places or name in SIGNIFICANT,
            place not in places or name in LOWER_IS_BETTER,
        )
        for place, (name, cells) in enumerate(zip(frame.columns, values, strict=True))
    ]


def _cells(values: list[object], places: int | None) -> list[str]:
    if places is None:
        return [as_text(value) for value in values]
    return column([_as_float(value) for value in values], places)


def _as_float(value: object) -> float:
    return float("nan") if value is None else float(value)  # type: ignore[arg-type]


def _decimals(frame: pd.DataFrame) -> dict[int, int]:
    """The decimals of each column of numbers, by its place; those of `SIGNIFICANT` have none."""
    result: dict[int, int] = {}
    for group in _groups(list(frame.columns)):
        numeric = [
            place for place in group if _is_numeric(frame.iloc[:, place]) and frame.columns[place] not in SIGNIFICANT
        ]
        values = [_as_float(value) for place in numeric for value in frame.iloc[:, place]]
        result |= dict.fromkeys(numeric, decimals(values))
    return result


def _groups(names: list[Hashable]) -> Iterator[list[int]]:
    """The places of columns that belong together: a value, its lower end and its upper end; or one column alone."""
    place = 0
    while place < len(names):
        ends = [str(name) for name in names[place + 1 : place + 3]]
        width = 3 if len(ends) == 2 and ends[0].endswith("low") and ends[1].endswith("high") else 1
        yield list(range(place, place + width))
        place += width


def _is_numeric(values: pd.Series) -> bool:
    """True for a column of numbers, some of which may be absent. One without any value is text."""
    if pd.api.types.is_bool_dtype(values.dtype):
        return False
    if pd.api.types.is_numeric_dtype(values.dtype):
        return True
    known = [value for value in values if value is not None]
    return bool(known) and all(map(is_number, known))
