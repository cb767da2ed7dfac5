"""Numbers, intervals and lists of names as they stand in a sentence. Tables print theirs in `reports.document`."""

from collections.abc import Sequence
from math import floor, isfinite, isnan, log10

from reports.statistics.sample import Estimate

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

SMALL = 0.001
"""Numbers below this are written with a power of ten."""


def in_prose(number: float, decimals: int | None = None) -> str:
    """A number with two decimals, or as many as are given; small ones with a power of ten, large ones without decimals.

    >>> [in_prose(number) for number in (0.6417, -0.0039, 0.0, 3.59e-5, 764.9, 1234567.0, float("nan"))]
    ['0.64', '−0.004', '0.00', '3.6·10⁻⁵', '765', '1,234,567', '–']
    >>> in_prose(0.03, decimals=3)
    '0.030'
    """
    if isnan(number):
        return "–"
    if not isfinite(number):
        return "∞" if number > 0 else "−∞"
    if 0 < abs(number) < SMALL and decimals is None:
        digits, exponent = f"{number:.1e}".split("e")
        return f"{digits}·10{str(int(exponent)).translate(SUPERSCRIPTS)}".replace("-", "−", 1)
    if decimals is None:
        decimals = 0 if abs(number) >= 100 else 3 if 0 < abs(number) < 0.01 else 2
    text = f"{number:,.{decimals}f}"
    return text.replace("-", "−", 1) if float(text.replace(",", "")) else text.removeprefix("-")


def with_interval(estimate: Estimate) -> str:
    """A number and its interval, with as many decimals as two digits of the interval's width need; "–" where there is none.

    >>> with_interval(Estimate(0.6417, 0.5761, 0.7072, 30)), with_interval(Estimate(1.0, 0.998, 1.0, 10))
    ('0.64 [0.58, 0.71]', '1.000 [0.998, 1.000]')
    >>> with_interval(Estimate(3.6e-5, 2.4e-5, 4.3e-5, 10)), with_interval(Estimate(0.75, float("nan"), float("nan"), 7))
    ('3.6·10⁻⁵ [2.4·10⁻⁵, 4.3·10⁻⁵]', '0.75')
    """
    if isnan(estimate.low):
        return in_prose(estimate.value)
    ends = (estimate.value, estimate.low, estimate.high)
    decimals = None if max(map(abs, ends)) < SMALL else _decimals(estimate.high - estimate.low)
    value, low, high = (in_prose(end, decimals) for end in ends)
    return f"{value} [{low}, {high}]"


def _decimals(width: float) -> int:
    """The decimals that show two digits of an interval's width, from none to three; two where it has no width."""
    return max(0, min(3, 1 - floor(log10(width)))) if 0 < width < float("inf") else 2


def in_a_row(names: Sequence[str], most: int | None = None) -> str:
    """Names as a text, no more than `most` of them.

    >>> in_a_row(["a", "b", "c"]), in_a_row(["a"]), in_a_row(["a", "b", "c", "d"], most=2)
    ('a, b and c', 'a', 'a, b and 2 more')
    """
    if most is not None and len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def of_all(phrases: Sequence[str], most: int) -> str:
    """Phrases in a row, a first word that all have in common only once.

    >>> of_all(["of rnn", "of lstm"], 4), of_all(["at 3,000", "over the GRU"], 4), of_all(["of a", "of b", "of c"], 2)
    ('of rnn and lstm', 'at 3,000 and over the GRU', 'of a, b and 1 more')
    """
    first = {phrase.partition(" ")[0] for phrase in phrases}
    if len(first) > 1 or len(phrases) == 1:
        return in_a_row(phrases, most)
    return f"{first.pop()} {in_a_row([phrase.partition(' ')[2] for phrase in phrases], most)}"


def counted(number: int, noun: str) -> str:
    """A number with its noun, which has an s where it is not one.

    >>> counted(1, "claim"), counted(0, "claim"), counted(1200, "trial")
    ('1 claim', '0 claims', '1,200 trials')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def capitalised(sentence: str) -> str:
    """A sentence with its first letter large; the others stay as they are."""
    return sentence[:1].upper() + sentence[1:]
