"""A function of tensors, recorded once for each kind of inputs and then replayed: torch's operations without the rest.

In a study's small steps most of the time is not spent in operations but between them: in `vmap`, in modules, in autograd.
A recording holds what these have led to, the plain operations, and no more.
"""

import operator
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.fx import Graph, GraphModule, Node
from torch.utils._python_dispatch import TorchDispatchMode

from ablations.models.kernels import opaque
from ablations.train.noise import Noise, is_random

Function = Callable[..., tuple[Tensor, ...]]
PLAIN = (int, float, bool, str, type(None), torch.dtype, torch.device, torch.layout, torch.memory_format)
"""Arguments that stand in a recording as they are."""

_aten = torch.ops.aten
FILLING = {_aten.new_zeros.default, _aten.new_ones.default, _aten.zeros_like.default, _aten.ones_like.default}
"""Operations that read the shape of a tensor and not its numbers."""


class Replayed:
    """A function of tensors, recorded for inputs of each shape.

    The first inputs of a shape are computed and recorded, the next ones computed both ways. Only where both ways give the
    same bits are all others replayed: a function that reads anything but its inputs, say a counter, is computed as it is.
    Tensors that it reads beside its inputs are read anew each time, and what is random comes from `noise`. What is not
    `is_recorded` is computed each time: networks that `vmap` cannot run may branch on what is in a tensor.
    """

    def __init__(self, function: Function, noise: Noise, is_recorded: bool = True) -> None:
        self._function, self._noise, self._is_recorded = function, noise, is_recorded
        self._recordings: dict[tuple[Any, ...], Function] = {}
        self._trusted: set[tuple[Any, ...]] = set()

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        if not self._is_recorded:
            return self._computed(*inputs)
        key = tuple((tensor.shape, tensor.stride(), tensor.dtype) for tensor in inputs)
        if key in self._trusted:
            return self._recordings[key](*inputs)
        if key not in self._recordings:
            outputs, self._recordings[key] = record(self._function, inputs, self._noise)
            return outputs
        replayed = self._recordings[key](*inputs)
        self._noise.restart()
        with self._noise:
            outputs = self._function(*inputs)
        if not all(map(_same, outputs, replayed)):
            self._recordings[key] = self._computed
        self._trusted.add(key)
        return outputs

    def _computed(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        with self._noise:
            return self._function(*inputs)


def _same(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors are equal to the bit; what is not a number equals itself."""
    return a.shape == b.shape and bool(((a == b) | ((a != a) & (b != b))).all())


def record(function: Function, inputs: Sequence[Tensor], noise: Noise) -> tuple[tuple[Tensor, ...], Function]:
    """The outputs of a function for some inputs, and what it has done to get there as a function of such inputs."""
    recorder = _Recorder(inputs, noise)
    with recorder, opaque.observed_by(recorder.call):
        outputs = function(*inputs)
    return outputs, recorder.replay(outputs)


class _Recorder(TorchDispatchMode):
    """Writes down every operation that is executed within it, as a graph.

    A tensor is known by its place in memory and its form, which no other has as long as all are kept alive; another view
    of the same form, as `detach` gives it, is the same value.
    """

    def __init__(self, inputs: Sequence[Tensor], noise: Noise) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._noise, self._graph, self._constants = noise, Graph(), torch.nn.Module()
        self._nodes: dict[tuple[Any, ...], Node] = {}
        self._alive: list[Any] = []
        self._made: dict[Node, Tensor] = {}
        self._changed: set[int | None] = set()
        self._is_calling = False
        for index, tensor in enumerate(inputs):
            self._name(tensor, self._graph.placeholder(f"input_{index}"))

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if is_random(function):
            function = self._noise.drawing(function)
        result = function(*args, **kwargs)
        if not self._is_calling and not self._is_known(function, args, kwargs, result):
            self._add(function, args, kwargs, result)
        return result

    def call(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """A call of compiled code, one operation whatever happens inside."""
        self._is_calling = True
        result = function(*arguments)
        self._is_calling = False
        self._add(function, arguments, {}, result)
        return result

    def replay(self, outputs: Sequence[Tensor]) -> Function:
        """The graph as a function of the inputs."""
        self._graph.output(tuple(self._argument(tensor.detach()) for tensor in outputs))
        self._fold_constants()
        self._graph.eliminate_dead_code(lambda node: node.is_impure() or _has_effect(node.target))
        forward = GraphModule(self._constants, self._graph).forward

        @torch.no_grad()
        def replayed(*inputs: Tensor) -> tuple[Tensor, ...]:
            return forward(*inputs)

        return replayed

    def _fold_constants(self) -> None:
        """Keeps the values of operations that read no tensor's numbers, unless somebody changes them in place."""
        static: set[Node] = set()
        for node, value in self._made.items():
            reads_nothing = node.target in FILLING or all(read in static for read in node.all_input_nodes)
            if reads_nothing and not _has_effect(node.target) and _storage(value) not in self._changed:
                with self._graph.inserting_before(node):
                    constant = self._constant(value)
                node.replace_all_uses_with(constant)
                static |= {node, constant}

    def _is_known(self, function: Any, args: Any, kwargs: Any, result: Any) -> bool:
        """Whether a result is memory that is known already: a tensor in the form that it has, or a view of a constant."""
        if _has_effect(function):
            return False
        parts = result if type(result) in (tuple, list) else [result]
        read = [value for value in (*args, *kwargs.values()) if isinstance(value, Tensor) and self._is_constant(value)]
        constants = set(map(_storage, read))
        return all(_key(part) in self._nodes or _storage(part) in constants for part in parts)

    def _is_constant(self, tensor: Tensor) -> bool:
        node = self._nodes.get(_key(tensor))
        return node is None or node.op == "get_attr"

    def _add(self, function: Callable[..., Any], args: Any, kwargs: Any, result: Any) -> None:
        node = self._graph.call_function(function, self._argument(args), self._argument(kwargs))
        if _has_effect(function):
            self._changed |= set(map(_storage, args))
        if isinstance(result, Tensor):
            self._made[node] = result
        if type(result) in (tuple, list):
            for index, part in enumerate(result):
                if part is not None:
                    self._name(part, self._graph.call_function(operator.getitem, (node, index)))
        else:
            self._name(result, node)

    def _name(self, value: Any, node: Node) -> None:
        self._alive.append(value)
        self._nodes[_key(value)] = node

    def _argument(self, value: Any) -> Any:
        """An argument as it stands in the graph: a node for what an operation has made, a constant for what none has."""
        if type(value) in (tuple, list):
            return type(value)(self._argument(part) for part in value)
        if type(value) is dict:
            return {name: self._argument(part) for name, part in value.items()}
        if _key(value) not in self._nodes:
            if isinstance(value, PLAIN):
                return value
            self._name(value, self._constant(value))
        return self._nodes[_key(value)]

    def _constant(self, value: Any) -> Node:
        name = f"constant_{len(self._graph.nodes)}"
        setattr(self._constants, name, value.detach() if isinstance(value, Tensor) else value)
        return self._graph.get_attr(name)


def _key(value: Any) -> tuple[Any, ...]:
    if isinstance(value, Tensor):
        return value.data_ptr(), value.dtype, value.shape, value.stride()
    return (id(value),)


def _storage(value: Any) -> int | None:
    return value.untyped_storage().data_ptr() if isinstance(value, Tensor) else None


def _has_effect(function: Any) -> bool:
    """Whether an operation changes one of its arguments, or a random stream."""
    is_operation = isinstance(function, torch._ops.OpOverload)
    return function._schema.is_mutable if is_operation else hasattr(function, "draws_by")
