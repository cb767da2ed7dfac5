"""A variant: a model with its flags, built from a seed, and sized by a rule: a number of parameters, or a hidden size."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from inspect import signature
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from ablations.checks import check_name
from ablations.errors import UserError, shortened
from ablations.models import CELLS, MODELS, Network
from ablations.models.cell import Cell
from ablations.plain import PLAIN, plain
from ablations.registry import check_known, look_up
from tasks import TaskSpec


@dataclass(frozen=True)
class Parameters:
    """A size rule: the hidden size whose parameter count comes nearest to a number."""

    number: int

    def __post_init__(self) -> None:
        if not isinstance(self.number, int) or isinstance(self.number, bool) or self.number < 1:
            raise UserError(f"a number of parameters is a whole number of at least 1, not {self.number!r}")

    def __str__(self) -> str:
        return f"{self.number:,} parameters"


@dataclass(frozen=True)
class HiddenSizeOf:
    """A size rule: the hidden size that another variant has on the same task. Of a bidirectional one, of each direction."""

    variant: "Variant"

    def __str__(self) -> str:
        return f"hidden size of {self.variant.name}"


@dataclass(frozen=True)
class Variant:
    """A model with its flags, and perhaps a size rule of its own.

    An ablation names its `parent`, and the `change`: the one flag or part of the cell in which they differ. At an equal
    number of parameters they can also differ in hidden size; `at_hidden_of` makes the variant that does not.
    size: how the hidden size is chosen; None is the number of parameters of the study's budget. `base` is the name of
    the variant of which this one is another size.

    >>> from ablations.models.sizes import solve_size
    >>> from tasks import TASKS
    >>> lstm = Variant("lstm", "recurrent", {"cell": "lstm"})
    >>> solve_size(lstm, TASKS["adding"]().spec, parameters=6000)
    37
    """

    name: str
    model: str
    flags: Mapping[str, Any] = field(default_factory=dict)
    parent: str | None = None
    change: str = ""
    size: Parameters | HiddenSizeOf | None = None
    base: str | None = None

    def __post_init__(self) -> None:
        check_name("variant", self.name)
        if not isinstance(self.flags, Mapping):
            raise UserError(f"variant {self.name!r}: its flags map names to values; got {self.flags!r}")
        if not isinstance(self.size, Parameters | HiddenSizeOf | None):
            raise UserError(
                f"variant {self.name!r}: its size is Parameters(number) or HiddenSizeOf(variant); got {self.size!r}"
            )
        texts = {"parent": self.parent or "", "change": self.change, "base": self.base or ""}
        if strange := [name for name, text in texts.items() if not isinstance(text, str)]:
            raise UserError(
                f"variant {self.name!r}: its {strange[0]} is a text; got {shortened(repr(texts[strange[0]]))}"
            )
        flags = {flag: _plain(f"variant {self.name!r}: its flag", flag, value) for flag, value in self.flags.items()}
        object.__setattr__(self, "flags", flags)
        model = look_up(MODELS, self.model, "model")
        for flag, value in getattr(model, "keywords", {}).items():
            _plain(f"the model {self.model!r}: its fixed flag", flag, value)
        known = signature(model).parameters
        for flag in self.flags:
            check_known([*known][2:], flag, f"flag of the model {self.model}")
        if self.parent == self.name or (self.parent is None) != (not self.change):
            raise UserError(f"variant {self.name!r}: an ablation has a parent, another variant, and says the change")

    def __hash__(self) -> int:
        return hash(
            (self.name, self.model, tuple(sorted(self.flags)))
        )  # a value may be a dictionary, which has no hash

    def sized(self, parameters: int) -> "Variant":
        """This variant with that many parameters at any budget; an ablation's parent is its parent at that size.

        >>> Variant("lstm-coupled", "recurrent", {"cell": "lstm-coupled"}, "lstm", "f = 1 - i").sized(10_000).name
        'lstm-coupled-10k'
        """
        rule = Parameters(parameters)
        suffix = f"{parameters // 1000}k" if parameters % 1000 == 0 else f"{parameters}"
        parent = self.parent and f"{self.parent}-{suffix}"
        return replace(self, name=f"{self.name}-{suffix}", parent=parent, size=rule, base=self.base or self.name)

    def at_hidden_of(self, other: "Variant") -> "Variant":
        """This variant with the hidden size of another, of its parent for example.

        >>> Variant("gru", "recurrent", {"cell": "gru"}).at_hidden_of(Variant("lstm", "recurrent")).name
        'gru-same-hidden'
        """
        return replace(self, name=f"{self.name}-same-hidden", size=HiddenSizeOf(other), base=self.base or self.name)

    def with_flags(self, flags: Mapping[str, Any]) -> "Variant":
        """This variant, under its name, with some flags set.

        >>> Variant("lstm", "recurrent", {"cell": "lstm"}).with_flags({"layers": 2}).flags
        {'cell': 'lstm', 'layers': 2}
        """
        return replace(self, flags={**self.flags, **flags}) if flags else self

    def size_rule(self, parameters: int) -> Parameters | HiddenSizeOf:
        """Its size rule at a budget of that many parameters."""
        return self.size or Parameters(parameters)

    def build(self, spec: TaskSpec, size: int, seed: int) -> Network:
        """A fresh network, its random start a pure function of `seed`; no other random state is touched."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return self._network(spec, size)

    def shapes(self, spec: TaskSpec, size: int) -> Network:
        """The network on the meta device, where tensors have shapes and no numbers: nothing is drawn, no memory is taken."""
        with torch.device("meta"), _Undrawn():
            return self._network(spec, size)

    @property
    def registered(self) -> tuple[object, ...]:
        """What its names mean now: a user may register another model or cell under the same name."""
        return MODELS[self.model], self.cell

    def _network(self, spec: TaskSpec, size: int) -> Network:
        network = MODELS[self.model](spec, size, **self.flags)
        if spec.symbols and network.decoder is None:
            raise UserError(f"the model {self.model!r} has no decoder; it cannot write the answers of this task")
        return network

    @property
    def network(self) -> type[Network]:
        """The model's class. Raises `UserError` where what is registered is no `Network`."""
        network = getattr(MODELS[self.model], "func", MODELS[self.model])
        if not (isinstance(network, type) and issubclass(network, Network)):
            raise UserError(f"the model {self.model!r} must be a subclass of Network, or functools.partial of one")
        return network

    @property
    def cell(self) -> type[Cell] | None:
        """The cell whose equations run in this variant, if there is one."""
        return self.network.cell_of(**self.all_flags)

    @property
    def causal(self) -> bool:
        """Whether the variant is a left-to-right reader: no output depends on later steps."""
        return self.network.is_causal(**self.all_flags)

    @property
    def all_flags(self) -> Mapping[str, Any]:
        """The flags that the model's name fixes, and the variant's own."""
        return {**getattr(MODELS[self.model], "keywords", {}), **self.flags}


DRAWS = frozenset(
    {torch.Tensor.normal_, torch.Tensor.uniform_}
    | {function for name, function in vars(nn.init).items() if name.endswith("_") and callable(function)}
)
"""What draws a tensor's random start in place: the first argument of each."""


class _Undrawn(TorchFunctionMode):
    """Leaves out random starts. On the meta device they draw nothing, but torch imports its compiler for them: a second."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        return next(iter((*args, *kwargs.values()))) if func in DRAWS else func(*args, **kwargs)


def _plain(whose: str, flag: str, value: Any) -> Any:
    """A flag as plain data. Raises `UserError` where it is recorded as nothing that could be read again."""
    try:
        return plain(value)
    except ValueError as error:
        names = (name for name, cell in CELLS.items() if cell is value)
        hint = (
            f"its name in CELLS is {name!r}"
            if (name := next(names, None))
            else "give a name, and look it up in the model"
        )
        raise UserError(f"{whose} {flag!r} is {error}; flags are {PLAIN} ({hint})") from None
