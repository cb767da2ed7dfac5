"""The factors of the optimiser and the training that a study can search or fix, and what each may be.

The factors of a model are its own flags; `ablations.study.search_space` joins the two.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ablations.checks import is_number
from ablations.errors import UserError
from ablations.registry import check_known
from ablations.study.space import Choice, Range, Space, Value

OPTIMISERS = ("adam", "adamw", "rmsprop", "sgd")
SCHEDULES = ("linear", "cosine", "constant")
CURRICULA = ("logarithmic", "uniform", "nominal", "growing")
MOMENTUM = ("rmsprop", "sgd")
"""The optimisers that have a momentum; Adam's mean of gradients is one of its own."""


@dataclass(frozen=True)
class Factor:
    """What a factor may be: the type of its values, a sentence about them, and the test of one.

    default: the value where it is neither searched nor fixed; None where the study's budget or its variants have it.
    """

    type: type
    allowed: str
    is_allowed: Callable[[float], bool] = lambda value: True
    names: tuple[str, ...] = ()
    default: Value = None

    def check(self, name: str, value: Value) -> None:
        """Raises `UserError` where the factor cannot have that value."""
        if self.names:
            is_right = value in self.names
        else:
            types = (int,) if self.type is int else (int, float)
            is_right = isinstance(value, types) and is_number(value) and self.is_allowed(value)
        if not is_right:
            finite = "" if self.names else ", and finite"
            raise UserError(f"the factor {name!r} cannot be {value!r}; it is {self.allowed}{finite}")


def _named(names: tuple[str, ...], default: str | None) -> Factor:
    return Factor(str, f"one of {', '.join(names)}", names=names, default=default)


TRAINING: Mapping[str, Factor] = {
    "lr": Factor(float, "a learning rate above 0", lambda value: value > 0),
    "clip": Factor(float, "a limit of the gradient's norm above 0", lambda value: value > 0, default=1.0),
    "weight_decay": Factor(float, "a weight decay of 0 or more", lambda value: value >= 0, default=0.0),
    "momentum": Factor(float, "a momentum of 0 or more, below 1", lambda value: 0 <= value < 1, default=0.0),
    "warmup": Factor(float, "a share of the steps, 0 or more, below 1", lambda value: 0 <= value < 1, default=0.0),
    "schedule": _named(SCHEDULES, "linear"),
    "curriculum": _named(CURRICULA, "logarithmic"),
    "optimiser": _named(OPTIMISERS, None),
    "batch": Factor(int, "a whole number of sequences, 1 or more", lambda value: value >= 1),
    "hidden": Factor(int, "a hidden size, a whole number of 1 or more", lambda value: value >= 1),
    "parameters": Factor(int, "a whole number of parameters, 1 or more", lambda value: value >= 1),
}
"""The factors of every study by name; `hidden` and `parameters` are two ways to choose a model's size."""

MEANINGS: Mapping[str, str] = {
    "clip": "larger gradients are scaled down to it",
    "warmup": "in these the learning rate rises to its value",
    "schedule": "how the learning rate falls",
    "curriculum": "which difficulties are drawn in training",
    "batch": "those of one step",
    "hidden": "the units of each layer",
    "parameters": "the hidden size follows from it",
    "merge": "how the states of two directions become one",
    "layers": "how many layers are stacked, each as wide as the others",
    "pooling": "what one answer per sequence is read from: last, mean or max of the states",
    "forget_bias": "what the forget gate's bias starts from, a number or chrono",
    "dropout": "the share of a layer's outputs that the next layer does not see",
    "initialisation": "what the matrices start from: orthogonal, xavier, identity, or None for the usual",
    "weights": "whether attention learns its weights, or weighs all alike",
}
"""What factors do, where their names do not say it; those after `parameters` are flags of the models."""

SIZES = ("hidden", "parameters")
"""Those of them that belong to the network."""

SIDE_BY_SIDE = ("momentum", "schedule", "warmup")
"""Those in which runs can differ that train side by side, beside their hyperparameters and what their networks start from."""

FIXABLE = ("lr", "clip", "weight_decay", "momentum", "warmup", "schedule", "curriculum")
"""What a study can fix. The others stand elsewhere: in its `optimiser`, its budget, and its variants."""

DEFAULTS: Mapping[str, Value] = {"clip": 1.0, "weight_decay": 0.0}
"""What is recorded of every study, also where it does not say it."""


def check_fixed(fixed: Mapping[str, Value]) -> None:
    """Raises `UserError` where what a study fixes is no factor that it can fix, or no value of one."""
    for name, value in fixed.items():
        if name in TRAINING and name not in FIXABLE:
            place = {"optimiser": "the study's `optimiser`", "batch": "the budget's `batch`"}.get(name, "the variants")
            raise UserError(f"the factor {name!r} is not fixed here; {place} says it")
        check_known(FIXABLE, name, "fixed factor")
        TRAINING[name].check(name, value)


def of_type(name: str, space: Space, factor: Factor) -> Space:
    """The space with numbers of the factor's type. Raises `UserError` where it has a value that the factor cannot have."""
    if isinstance(space, Range) and factor.names:
        raise UserError(f"the factor {name!r} cannot be a range; it is {factor.allowed}, in a Choice")
    if isinstance(space, Range) and factor.type is float:
        space = space.as_floats()
    if isinstance(space, Choice) and factor.type is float:
        space = Choice(tuple(float(v) if isinstance(v, int) and not isinstance(v, bool) else v for v in space.values),
                       space.where)  # fmt: skip
    for value in space.ends:
        factor.check(name, value)
    return space
