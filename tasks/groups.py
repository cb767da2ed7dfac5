"""Finite groups as tables: numbers under addition, and permutations of letters."""

from functools import lru_cache
from itertools import permutations
from typing import NamedTuple

import numpy as np


class Group(NamedTuple):
    """A finite group of k elements, the first of which is the neutral one.

    names: their names. table: (k, k), the number of the product "first a, then b" in row a and column b.
    """

    names: tuple[str, ...]
    table: np.ndarray


@lru_cache
def cyclic(order: int) -> Group:
    """The numbers below `order`; products are sums modulo `order`."""
    numbers = np.arange(order)
    return Group(tuple(map(str, numbers)), (numbers[:, None] + numbers) % order)


@lru_cache
def rearrangements(letters: str, even: bool) -> Group:
    """All permutations of some letters, or the even ones alone. Each is named by what it makes of the letters in order.

    >>> three = rearrangements("abc", even=False)
    >>> three.names[three.table[three.names.index("bac"), three.names.index("bca")]]
    'acb'
    """
    elements = [p for p in permutations(range(len(letters))) if not even or _is_even(p)]
    index = {p: number for number, p in enumerate(elements)}
    table = np.array([[index[tuple(p[k] for k in q)] for q in elements] for p in elements])
    return Group(tuple("".join(letters[k] for k in p) for p in elements), table)


def _is_even(permutation: tuple[int, ...]) -> bool:
    return sum(a > b for k, a in enumerate(permutation) for b in permutation[k + 1 :]) % 2 == 0
