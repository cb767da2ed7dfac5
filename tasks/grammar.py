"""The forms of sentences that judge a film, what each says, and what readers of less than all of it can know."""

from collections import Counter, defaultdict
from collections.abc import Hashable
from functools import cache
from itertools import product
from math import log
from typing import Literal, NamedTuple

JOINS = ("but", "although", "although …", "and")
"""What joins the clauses A and B: "A , but B", "A , although B", "although A , B", "A , and B"."""


class Clause(NamedTuple):
    """What a clause says, without its nouns and its scale.

    film: 0 where the clause is on a part of the film, or where the film stands in a comparison, 1 (first) or 2 (last).
    strength: 1 with a weak intensifier, 2 without any, 3 with a strong one.
    polarity: the end of the scale, −1 or 1.
    """

    film: int
    negated: bool
    strength: int
    polarity: int

    @property
    def value(self) -> int:
        """What the clause says of the film, from −3 to 3."""
        return self.strength * self.polarity * (-1 if self.negated else 1) * (-1 if self.film == 2 else 1)


class Form(NamedTuple):
    """A sentence without its nouns, scales and fillers."""

    join: str
    first: Clause
    second: Clause

    @property
    def value(self) -> int:
        """The judgement: below zero it is negative, above it positive; zero is a tie, which is no sentence."""
        if self.join == "and":
            return self.first.value + self.second.value
        return self.first.value if self.join == "although" else self.second.value


CLAUSES = [Clause(*choice) for choice in product((0, 1, 2), (False, True), (1, 2, 3), (-1, 1))]
FORMS = [form for choice in product(JOINS, CLAUSES, CLAUSES) if (form := Form(*choice)).value]


def _last_clause(form: Form) -> Hashable:
    """What follows the comma: a join, unless it stands at the beginning, and the second clause."""
    return ("" if form.join == "although …" else form.join), form.second


def _bag(form: Form, scales: tuple[int, int]) -> Hashable:
    """The words without their order. Nouns and fillers are left out: they are independent of everything else, but for
    the nouns of a comparison, which the comparative gives away."""
    words = [form.join.split()[0]]
    for clause, scale in zip(form[1:], scales, strict=True):
        words += [f"scale {scale}, end {clause.polarity}, comparison {clause.film > 0}", f"strength {clause.strength}"]
        words += ["not"] * clause.negated
    return tuple(sorted(words))


@cache
def best_reader(view: Literal["bag of words", "last clause"]) -> tuple[float, float]:
    """The accuracy and the cross-entropy of the best reader of a view, exactly: every form is counted."""
    counts: dict[Hashable, Counter[bool]] = defaultdict(Counter)
    for form in FORMS:
        if view == "last clause":
            counts[_last_clause(form)][form.value > 0] += 1
        else:  # either scale may come first
            for scales in ((0, 1), (1, 0)):
                counts[_bag(form, scales)][form.value > 0] += 1
    total = sum(labels.total() for labels in counts.values())
    right = sum(max(labels.values()) for labels in counts.values())
    nats = sum(count * log(labels.total() / count) for labels in counts.values() for count in labels.values())
    return right / total, nats / total
