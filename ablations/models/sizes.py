"""How many parameters a variant has at a hidden size, and the hidden size that its rule gives it."""

from collections.abc import Callable
from functools import cache, lru_cache
from math import ceil, sqrt
from typing import NamedTuple

from ablations.errors import UserError
from ablations.models.network import Network
from ablations.models.variant import HiddenSizeOf, Variant
from tasks import TaskSpec

LARGEST = 1 << 16
"""The largest hidden size that is tried: a recurrent layer of that size has billions of weights."""


def count_parameters(variant: Variant, spec: TaskSpec, size: int) -> int:
    """All parameters of the network, frozen ones included."""
    return _count(shapes_of(variant, spec, size))


def shapes_of(variant: Variant, spec: TaskSpec, size: int) -> Network:
    """The network on the meta device, to read and not to change: whoever asks again gets the same object."""
    return _shapes(variant, variant.registered, spec, size)


@lru_cache(maxsize=2048)  # of about 20 kB each
def _shapes(variant: Variant, registered: tuple[object, ...], spec: TaskSpec, size: int) -> Network:
    return variant.shapes(spec, size)


def _count(network: Network) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


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
    @cache
    def count(size: int) -> int:
        return _count(variant.shapes(spec, size))

    if count(1) > 2 * parameters:
        raise UserError(f"{variant.name} has {count(1)} parameters at least; {parameters} cannot be met")
    curve = _Parabola.through(count(1), count(2), count(4))
    low = curve.size_below(parameters)
    if low < LARGEST and curve.at(low) < parameters <= curve.at(low + 1):
        size = _nearest(curve.at, low, parameters)
        if round(curve.at(size)) == count_parameters(variant, spec, size):
            return size
    return _nearest(count, _bisection(variant.name, count, parameters), parameters)


def _nearest(count: Callable[[int], float], low: int, parameters: int) -> int:
    """Of a size and the next, the one whose count is nearer to `parameters`."""
    return min(low, low + 1, key=lambda size: abs(count(size) - parameters))


class _Parabola(NamedTuple):
    """Size to count of parameters, as most networks have it: four of them are built where a bisection builds twelve."""

    start: float
    slope: float
    curvature: float

    @classmethod
    def through(cls, one: int, two: int, four: int) -> "_Parabola":
        """The parabola through the counts at the sizes 1, 2 and 4."""
        steepness = two - one
        curvature = ((four - two) / 2 - steepness) / 3
        slope = steepness - 3 * curvature
        return cls(one - slope - curvature, slope, curvature)

    def at(self, size: int) -> float:
        return self.start + self.slope * size + self.curvature * size**2

    def size_below(self, parameters: int) -> int:
        """The largest size, at least 1, with fewer parameters."""
        rest = parameters - self.start
        root = 2 * rest / (self.slope + sqrt(max(0.0, self.slope**2 + 4 * self.curvature * rest)) or 1)
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
