"""The Card class: a statement that is proved, of which networks and tasks, and where the proof is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ablations.record.schema import SettingRecord

Side = Literal["cannot", "can"]
"""What a theorem says of a network on a task: there is a length at which it fails, or there are weights that never fail."""


@dataclass(frozen=True)
class Card:
    """A provable statement, without a number; what was measured is put beside it.

    `side` tells what it says of a setting; None where it says nothing. `consequence` says what follows, and for whom.
    `limits` says what does not follow.
    """

    title: str
    statement: str
    source: str
    consequence: str
    limits: str
    side: Callable[[SettingRecord], Side | None]


def of_networks(
    tasks: tuple[str, ...], cannot: tuple[str, ...], can: tuple[str, ...]
) -> Callable[[SettingRecord], Side | None]:
    """The `side` of a card about some variants, by name and at any size, on some tasks."""

    def side(setting: SettingRecord) -> Side | None:
        name = setting.base or setting.variant
        if setting.task not in tasks:
            return None
        return "cannot" if name in cannot else "can" if name in can else None

    return side


def of_causal_readers(setting: SettingRecord) -> Side | None:
    """The `side` of the card about all who read from left to right, on tasks that ask for what comes later."""
    if setting.references.get("causal", 1.0) >= 1.0:
        return None
    return "cannot" if setting.causal else "can"
