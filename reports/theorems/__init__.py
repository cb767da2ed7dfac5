"""What is provable of networks, and what was measured of them."""

from reports.theorems.cards import CARDS
from reports.theorems.measured import measured
from reports.theorems.section import theorem_blocks

__all__ = ["CARDS", "measured", "theorem_blocks"]
