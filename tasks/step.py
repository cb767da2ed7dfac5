"""What stands at each step of a sequence, in a few characters, for those who look at one."""

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

Role = Literal["store", "answer", ""]


class Step(NamedTuple):
    """What stands at one step of a sequence, in a few characters, and what a network has to do there.

    `role`: "store" what is needed for an answer, "answer", or nothing.
    """

    text: str
    role: Role = ""


def in_steps(texts: Iterable[str], roles: Mapping[int, Role]) -> list[Step]:
    """A step for each text; some places have a role.

    >>> in_steps("ab", {1: "answer"})
    [Step(text='a', role=''), Step(text='b', role='answer')]
    """
    return [Step(text, roles.get(place, "")) for place, text in enumerate(texts)]
