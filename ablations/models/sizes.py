"""How many parameters a variant has at a hidden size, and the hidden size that its rule gives it."""

from collections.abc import Callable
from functools import lru_cache
from math import ceil, sqrt

from ablations.errors import UserError
from ablations.models.variant import HiddenSizeOf, Variant
from tasks import TaskSpec

LARGEST = 1 << 16
"""The largest hidden size that is tried: a recurrent layer of that size has billions of weights."""


def count_parameters(variant: Variant, spec: TaskSpec, size: int) -> int:
    """All parameters of the network, frozen ones included."""
    return _count(variant, variant.registered, spec, size)


@lru_cache(maxsize=4096)
def _count(variant: Variant, registered: tuple[object, ...], spec: TaskSpec, size: int) -> int:
    return sum(parameter.numel() for parameter in variant.shapes(spec, size).parameters())


def hidden_size(variant: Variant, spec: TaskSpec, parameters: int) -> int:
    """The hidden size that a variant's rule gives it on a task, at a budget of that many parameters."""
    rule = variant.size_rule(parameters)
    if isinstance(rule, HiddenSizeOf):
        return hidden_size(rule.variant, spec, parameters)
    return solve_size(variant, spec, rule.number)


def solve_size(variant: Variant, spec: TaskSpec, parameters: int) -> int:
    """The hidden size at which the variant's parameter count comes nearest to `parameters`.

    Raises `UserError` where even the smallest network has more than twice as many, or where no size has as many.
    """
    return _solved(variant, variant.registered, spec, parameters)


@lru_cache(maxsize=1024)
def _solved(variant: Variant, registered: tuple[object, ...], spec: TaskSpec, parameters: int) -> int:
    def count(size: int) -> int:
        return count_parameters(variant, spec, size)

    if count(1) > 2 * parameters:
        raise UserError(f"{variant.name} has {count(1)} parameters at least; {parameters} cannot be met")
    low = _quadratic_root(count, parameters)
    if not (low < LARGEST and count(low) < parameters <= count(low + 1)):
        low = _bisection(variant.name, count, parameters)
    return min(low, low + 1, key=lambda size: abs(count(size) - parameters))


def _quadratic_root(count: Callable[[int], int], parameters: int) -> int:
    """The size below which a parabola through the counts at three sizes has fewer parameters.

    The counts of most networks lie on it, and five networks are built where a bisection builds twelve.
    """
    steepness = count(2) - count(1)
    curvature = ((count(4) - count(2)) / 2 - steepness) / 3
    slope = steepness - 3 * curvature
    rest = parameters - (count(1) - slope - curvature)
    root = 2 * rest / (slope + sqrt(max(0.0, slope**2 + 4 * curvature * rest)) or 1)
    return max(1, min(LARGEST, ceil(root) - 1))


def _bisection(name: str, count: Callable[[int], int], parameters: int) -> int:
    """The largest size, at least 1, whose count is below `parameters`. Raises `UserError` where no count reaches that."""
    high = 2
    while count(high) < parameters:
        high *= 2
        if high > LARGEST:
            raise UserError(
                f"{name} has {count(high)} parameters at hidden size {high}; {parameters} cannot be met. "
                "Does the model ignore its size?"
            )
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if count(middle) < parameters else (low, middle)
    return low
