"""Some floats of a row side by side, as one value of compiled code: loads, stores, arithmetic and functions.

N columns: B sequences, padded to a multiple of LANES, so that no loop has a remainder.

Numba's compiler seldom turns a long loop body over many arrays into vector instructions, since any two of the arrays
might overlap. Here the vector is a type of its own, so that there is nothing to find out.
"""

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import binding, ir
from numba import njit
from numba.core import cgutils, types
from numba.extending import (
    intrinsic,
    lower_builtin,
    models,
    register_jitable,
    register_model,
    type_callable,
)

WIDE = bool(binding.get_host_cpu_features().get("avx512f"))
LANES = 16 if WIDE else 8
"""How many floats a vector holds: an AVX-512 register of float32, or half as many on other machines."""

FLAGS = ("contract", "reassoc", "nsz", "arcp")
"""Fast-math flags, without nnan and ninf, so that not-a-number propagates: a diverged run must be seen to diverge."""

INT = ir.IntType(32)


@register_jitable
def padded(number: int) -> int:
    """The next multiple of LANES."""
    return -(-number // LANES) * LANES


compiled = njit(error_model="numpy", _nrt=False)
"""Compiles a function that neither makes nor keeps arrays, so that none has to be counted."""


class LanesType(types.Type):
    """The Numba type of `LANES` floats of one kind."""

    def __init__(self, dtype: types.Float) -> None:
        self.dtype = dtype
        super().__init__(name=f"Lanes({dtype})")


@register_model(LanesType)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, lanes: LanesType) -> None:
        super().__init__(manager, lanes, vector(manager.lookup(lanes.dtype).get_value_type()))


def vector(element: ir.Type) -> ir.VectorType:
    return ir.VectorType(element, LANES)


def splat(builder: ir.IRBuilder, value: ir.Value) -> ir.Value:
    """A scalar in every lane."""
    one = builder.insert_element(ir.Constant(vector(value.type), ir.Undefined), value, ir.Constant(INT, 0))
    return builder.shuffle_vector(one, one, ir.Constant(vector(INT), None))


def llvm_function(builder: ir.IRBuilder, name: str, result: ir.Type, *arguments: ir.Type) -> ir.Function:
    """An LLVM intrinsic by its full name."""
    return cgutils.get_or_insert_function(builder.module, ir.FunctionType(result, arguments), name)


def suffix(dtype: types.Float) -> str:
    """How LLVM calls the vector type in the names of its intrinsics."""
    return f"v{LANES}f{dtype.bitwidth}"


def place(context: Any, builder: ir.IRBuilder, array_type: Any, array: ir.Value, *index: ir.Value) -> ir.Value:
    """Where in memory a vector begins: the pointer to array[i, j] of a matrix whose rows are contiguous."""
    struct = context.make_array(array_type)(context, builder, array)
    *rows, column = index
    byte = builder.mul(column, ir.Constant(column.type, array_type.dtype.bitwidth // 8))
    for number, row in enumerate(rows):
        byte = builder.add(byte, builder.mul(row, builder.extract_value(struct.strides, number)))
    address = cgutils.pointer_add(builder, struct.data, byte)
    return builder.bitcast(address, vector(struct.data.type.pointee).as_pointer())


def load_from(builder: ir.IRBuilder, pointer: ir.Value, align: int) -> ir.Value:
    value = builder.load(pointer)
    value.align = align
    return value


def store_to(builder: ir.IRBuilder, value: ir.Value, pointer: ir.Value, align: int) -> None:
    builder.store(value, pointer).align = align


@intrinsic
def load(typing: Any, array: Any, row: Any, column: Any) -> Any:
    """The lanes that begin at array[row, column]."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
        pointer = place(context, builder, signature.args[0], *arguments)
        return load_from(builder, pointer, signature.args[0].dtype.bitwidth // 8)

    return LanesType(array.dtype)(array, types.intp, types.intp), generate


@intrinsic
def store(typing: Any, value: Any, array: Any, row: Any, column: Any) -> Any:
    """Puts lanes, or a number in all of them, where array[row, column] begins."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
        value_type, array_type = signature.args[:2]
        lanes = _as_lanes(context, builder, arguments[0], value_type, array_type.dtype)
        store_to(builder, lanes, place(context, builder, array_type, *arguments[1:]), array_type.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(value, array, types.intp, types.intp), generate


def _fetch(builder: ir.IRBuilder, pointer: ir.Value) -> None:
    """Asks for the line of memory at an address, which need not exist.

    It comes to the second cache: in the first, rows of sequences many steps apart would drive each other out.
    """
    function = llvm_function(builder, "llvm.prefetch.p0", ir.VoidType(), pointer.type, INT, INT, INT)
    builder.call(function, [pointer, *(ir.Constant(INT, flag) for flag in (0, 2, 1))])


@intrinsic
def fetch(typing: Any, array: Any, row: Any, column: Any) -> Any:
    """Asks for the memory of the lanes that begin at array[row, column], so that it is near when they are needed."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
        _fetch(builder, place(context, builder, signature.args[0], *arguments))
        return context.get_dummy_value()

    return types.void(array, types.intp, types.intp), generate


def _beside(context: Any, builder: ir.IRBuilder, type_: Any, array: ir.Value, pointer: ir.Value, side: int) -> ir.Value:
    """The same place in the matrix of that shape after this one in memory, or before it where `side` is -1."""
    struct = context.make_array(type_)(context, builder, array)
    size = builder.mul(builder.extract_value(struct.shape, 0), builder.extract_value(struct.strides, 0))
    offset = builder.mul(size, ir.Constant(size.type, side))
    return builder.bitcast(cgutils.pointer_add(builder, pointer, offset), pointer.type)


@intrinsic
def recall(typing: Any, array: Any, row: Any, column: Any) -> Any:
    """`load` from one of many matrices that follow each other; asks for the same of the one before."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
        pointer = place(context, builder, signature.args[0], *arguments)
        _fetch(builder, _beside(context, builder, signature.args[0], arguments[0], pointer, -1))
        return load_from(builder, pointer, signature.args[0].dtype.bitwidth // 8)

    return LanesType(array.dtype)(array, types.intp, types.intp), generate


@intrinsic
def save(typing: Any, value: LanesType, array: Any, row: Any, column: Any) -> Any:
    """`store` to one of many matrices that follow each other; asks for the same of the one after."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
        pointer = place(context, builder, signature.args[1], *arguments[1:])
        _fetch(builder, _beside(context, builder, signature.args[1], arguments[1], pointer, 1))
        store_to(builder, arguments[0], pointer, signature.args[1].dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(value, array, types.intp, types.intp), generate


@intrinsic
def total(typing: Any, value: LanesType) -> Any:
    """The sum over all lanes, a float."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
        element = arguments[0].type.element
        name = f"llvm.vector.reduce.fadd.{suffix(signature.args[0].dtype)}"
        function = llvm_function(builder, name, element, element, arguments[0].type)
        return builder.call(function, [ir.Constant(element, 0.0), arguments[0]], fastmath=("reassoc",))

    return value.dtype(value), generate


@intrinsic
def filled(typing: Any, like: Any, value: Any) -> Any:
    """A float in every lane, of the array's kind."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
        return splat(builder, context.cast(builder, arguments[1], signature.args[1], signature.args[0].dtype))

    return LanesType(like.dtype)(like, value), generate


@intrinsic
def select(typing: Any, condition: LanesType, yes: Any, no: Any) -> Any:
    """Lane by lane `yes` where `condition` is above zero, else `no`; either may be a number."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
        lanes = signature.args[0]
        where = builder.fcmp_ordered(">", arguments[0], ir.Constant(arguments[0].type, None))
        pair = zip(arguments[1:], signature.args[1:], strict=True)
        return builder.select(where, *(_as_lanes(context, builder, value, type_, lanes.dtype) for value, type_ in pair))

    return condition(condition, yes, no), generate


def _as_lanes(context: Any, builder: ir.IRBuilder, value: ir.Value, type_: types.Type, dtype: types.Float) -> ir.Value:
    return value if isinstance(type_, LanesType) else splat(builder, context.cast(builder, value, type_, dtype))


def _arithmetic(operation: Callable[..., Any], instruction: str) -> None:
    """Makes an operator work between lanes, and between lanes and numbers."""

    @type_callable(operation)
    def typing(context: Any) -> Callable[..., types.Type | None]:
        def typer(left: types.Type, right: types.Type) -> types.Type | None:
            lanes = [side for side in (left, right) if isinstance(side, LanesType)]
            return lanes[0] if lanes and all(isinstance(s, LanesType | types.Number) for s in (left, right)) else None

        return typer

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
        pairs = zip(arguments, signature.args, strict=True)
        sides = [_as_lanes(context, builder, value, type_, signature.return_type.dtype) for value, type_ in pairs]
        return getattr(builder, instruction)(*sides, flags=FLAGS)

    for left, right in ((LanesType, LanesType), (LanesType, types.Number), (types.Number, LanesType)):
        lower_builtin(operation, left, right)(generate)


for _operator, _instruction in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _arithmetic(_operator, _instruction)


@type_callable(operator.neg)
def _neg_type(context: Any) -> Callable[[types.Type], types.Type | None]:
    return lambda value: value if isinstance(value, LanesType) else None


@lower_builtin(operator.neg, LanesType)
def _neg(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
    return builder.fneg(arguments[0])
