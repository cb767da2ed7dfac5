"""Which part a text belongs to: that which is trained on, that by which networks are chosen, or that of the test."""

from typing import Literal
from zlib import crc32

Split = Literal["training", "validation", "test"]


def split_of(text: str) -> Split:
    """The part of a text, by a hash: of ten, seven to training, one to validation, two to the test.

    >>> split_of("a triumph .")
    'training'
    """
    remainder = crc32(text.encode()) % 10
    return "test" if remainder < 2 else "validation" if remainder == 2 else "training"
