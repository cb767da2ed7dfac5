"""Numbers as text. Every number that a reader sees, in the HTML, the PDF, TeX and MLflow, is printed by these functions."""

from collections.abc import Iterable, Sequence
from math import floor, isfinite, isinf, isnan, log10

import numpy as np

SHARE = 3
"""Decimals of what is about 1, such as a score, a skill, a share or a p-value. The same everywhere, so that nothing differs."""

LEAST = 0.01
"""Below this, a largest value is printed with three significant digits instead."""

ABSENT = "–"


def is_number(value: object) -> bool:
    """True for a number, but not for a truth value."""
    return isinstance(value, int | float | np.number) and not isinstance(value, bool | np.bool_)


def as_text(value: object) -> str:
    """A value alone as text, a number with three significant digits.

    >>> [as_text(value) for value in (0.12345, 32000.0, float("inf"), float("nan"), True, "lstm", -0.5, None)]
    ['0.123', '32,000', '∞', '–', 'yes', 'lstm', '−0.5', '–']
    """
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if value is None:
        return ABSENT
    if not is_number(value):
        return str(value)
    number = _without_rounding_error(float(value))  # type: ignore[arg-type]
    if not isfinite(number):
        return fixed(number, 0)
    return _signed(f"{number:,.0f}" if number.is_integer() or abs(number) >= 1000 else f"{number:.3g}")


def decimals(values: Iterable[float]) -> int:
    """The decimals with which these numbers are printed, all alike: by the largest of them; none for whole numbers.

    >>> decimals([0.2, 1.0]), decimals([23.4, 0.1]), decimals([1234.5]), decimals([0.0000068]), decimals([3, float("nan")])
    (3, 2, 0, 8, 0)
    """
    finite = [abs(_without_rounding_error(value)) for value in values if isfinite(value)]
    if all(value.is_integer() for value in finite):
        return 0
    largest = max(finite)
    power = floor(log10(largest))
    return max(0, SHARE - max(0, power)) if largest >= LEAST else 2 - power


def fixed(value: float, places: int) -> str:
    """A number with so many decimals; – for NaN, ∞ for infinity. What is rounded to 0 has no sign.

    >>> [fixed(value, 3) for value in (0.5, -1234.5678, -0.0001, float("nan"), float("-inf"))]
    ['0.500', '−1,234.568', '0.000', '–', '−∞']
    """
    if isnan(value):
        return ABSENT
    if isinf(value):
        return "∞" if value > 0 else "−∞"
    text = f"{value:,.{places}f}"
    return _signed(text if float(text.replace(",", "")) else text.lstrip("-"))


def column(values: Sequence[float], places: int) -> list[str]:
    """The numbers of a column. In one without negative numbers, what is rounded to 0 and is not 0 is below the last decimal.

    >>> column([0.5, 0.00001, 0.0], 3), column([-0.5, 0.00001], 3)
    (['0.500', '<0.001', '0.000'], ['−0.500', '0.000'])
    """
    least = 10.0**-places
    is_signed = min(values, default=0.0) < 0
    return [
        f"<{least:.{places}f}" if 0 < value < least / 2 and not is_signed else fixed(value, places) for value in values
    ]


def interval(value: float, low: float, high: float) -> str:
    """A number with the ends of its interval, all with the same decimals; without ends where they are NaN.

    >>> interval(0.425, 0.3, 0.5), interval(-0.5, float("nan"), float("nan")), interval(12.0, 8.0, 19.0)
    ('0.425 [0.300, 0.500]', '−0.500', '12 [8, 19]')
    """
    places = decimals((value, low, high))
    middle = fixed(value, places)
    return middle if isnan(low) else f"{middle} [{fixed(low, places)}, {fixed(high, places)}]"


def _without_rounding_error(value: float) -> float:
    """A sum that cancels leaves a rounding error, which is no number to print."""
    return 0.0 if abs(value) < 1e-12 else float(value)


def _signed(text: str) -> str:
    return text.replace("-", "−", 1) if text.startswith("-") else text
