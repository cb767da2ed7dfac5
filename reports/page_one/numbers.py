"""The numbers of page one as text: one form for HTML, PDF and Markdown."""

from reports.page_one.blocks import Measurement, StripRow
from reports.prose import in_prose, with_interval


def in_numbers(measurement: Measurement) -> tuple[str, str]:
    """A measurement's value, and its interval, number of runs and limit, as they are printed."""
    value, _, interval = with_interval(measurement.estimate).partition(" ")
    interval = f" {interval}" if interval else ""
    claimed = f"claimed {measurement.side} {in_prose(measurement.limit)}"
    limit = claimed if measurement.is_claimed else f"limit ±{in_prose(abs(measurement.limit))}"
    return value, f"{interval}, n = {measurement.estimate.n}; {limit}"


def in_words(measurement: Measurement) -> str:
    """All of a measurement, in words and numbers."""
    return f"{measurement.label}: {''.join(in_numbers(measurement))}"


def label(row: StripRow) -> str:
    """What a row's numbers are of, where its title does not say that already."""
    return f"{row.measurement.label}: " if row.measurement and row.measurement.label != row.title else ""
