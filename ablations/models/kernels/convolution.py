"""Convolutions over time of one run's frame, and the gradient of their weights, as products without a copy of windows.

C channels, O outputs, k taps, n sequences, T steps. `frames.py` says what a frame is. A tap of the convolution is the
frame's rows, shifted by whole steps. A tile of the result stays in registers until all taps and channels are in it.
"""

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic
from numba.np import arrayobj

from ablations.models.kernels.lanes import (
    INT,
    LANES,
    compiled,
    llvm_function,
    load_from,
    place,
    splat,
    store_to,
    suffix,
    vector,
)
from ablations.models.kernels.matrices import noinline
from ablations.models.kernels.products import ROWS, SOME

WIDTH = 2
"""The vectors of a tile of the output side by side."""

HIGH = 4
"""The outputs of a tile of the weights' gradient; it has LANES // HIGH channels, so that its sums are one vector."""


def _rows(builder: ir.IRBuilder, first: ir.Value, count: int, rows: ir.Value) -> list[ir.Value]:
    """The numbers of `count` rows from the first; the last row again where there are no more."""
    last = builder.sub(rows, ir.Constant(rows.type, 1))
    numbers = [builder.add(first, ir.Constant(first.type, index)) for index in range(count)]
    return [builder.select(builder.icmp_signed("<", number, last), number, last) for number in numbers]


def _fma(builder: ir.IRBuilder, dtype: types.Float, type_: ir.Type) -> ir.Function:
    return llvm_function(builder, f"llvm.fma.{suffix(dtype)}", type_, type_, type_, type_)


def _bounded(builder: ir.IRBuilder, value: ir.Value, least: ir.Value, shown: ir.Value) -> ir.Value:
    """The value, not below the least one, where `shown` is above zero, else 0. What is not a number stays."""
    value = builder.select(builder.fcmp_ordered("<", value, least), least, value)
    none = ir.Constant(value.type, None)
    return builder.select(builder.fcmp_ordered(">", shown, none), value, none)


def _tile(rows: int) -> Any:
    """Some rows and WIDTH vectors of the output, from all taps and channels."""

    @intrinsic
    def tile(
        typing: Any, y: Any, weight: Any, bias: Any, x: Any, i: Any, j: Any, shift: Any, floor: Any, mask: Any
    ) -> Any:
        return types.void(y, weight, bias, x, *[types.intp] * 3, x.dtype, mask), generate

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
        (y, weight, bias, x, i, j, shift, floor, mask), mask_type = arguments, signature.args[-1]
        y_type, weight_type, bias_type, x_type = signature.args[:4]
        size, type_ = x_type.dtype.bitwidth // 8, vector(floor.type)
        left, start = (
            context.make_array(t)(context, builder, a) for t, a in ((weight_type, weight), (bias_type, bias))
        )
        numbers = _rows(builder, i, rows, builder.extract_value(left.shape, 0))
        columns = [builder.add(j, ir.Constant(j.type, index * LANES)) for index in range(WIDTH)]
        sums = []
        for number in numbers:
            value = splat(builder, builder.load(builder.gep(start.data, [number])))
            sums.append([cgutils.alloca_once_value(builder, value) for _ in columns])
        fma = _fma(builder, x_type.dtype, type_)
        down, deep, along = (builder.extract_value(left.strides, axis) for axis in range(3))
        starts = [cgutils.pointer_add(builder, left.data, builder.mul(number, down)) for number in numbers]
        taps, channels = (builder.extract_value(left.shape, axis) for axis in (2, 1))
        with cgutils.for_range(builder, taps) as tap:
            first = builder.mul(tap.index, along)
            shifted = [builder.add(column, builder.mul(tap.index, shift)) for column in columns]
            with cgutils.for_range(builder, channels) as channel:
                right = [
                    load_from(builder, place(context, builder, x_type, x, channel.index, c), size) for c in shifted
                ]
                offset = builder.add(first, builder.mul(channel.index, deep))
                for row in range(rows):
                    factor = splat(builder, builder.load(cgutils.pointer_add(builder, starts[row], offset)))
                    for sum_, column in zip(sums[row], right, strict=True):
                        builder.store(builder.call(fma, [factor, column, builder.load(sum_)]), sum_)
        for column, line in zip(columns, zip(*sums, strict=True), strict=True):
            shown = load_from(builder, place(context, builder, mask_type, mask, column), size)
            for number, sum_ in zip(numbers, line, strict=True):
                value = _bounded(builder, builder.load(sum_), splat(builder, floor), shown)
                store_to(builder, value, place(context, builder, y_type, y, number, column), size)
        return context.get_dummy_value()

    return tile


_tall, _some = _tile(ROWS), _tile(SOME)


@compiled
def convolve_frame(y, weight, bias, frame, shift, floor, mask):
    """y (O, T·n) = bias (O,) + Σ over taps of weight (O, C, k) times the frame's columns from tap · shift on.

    Not below `floor`, and 0 in the columns whose mask (T·n,) is 0. They are at least WIDTH · LANES: the last tile overlaps
    the one before.
    """
    noinline()
    rows, columns = y.shape
    for column in range(0, columns, WIDTH * LANES):
        j, i = min(column, columns - WIDTH * LANES), 0
        while rows - i > ROWS - SOME:
            _tall(y, weight, bias, frame, i, j, shift, floor, mask)
            i += ROWS
        while i < rows:
            _some(y, weight, bias, frame, i, j, shift, floor, mask)
            i += SOME


@intrinsic
def _gradient_tile(typing: Any, d_weight: Any, d_y: Any, x: Any, i: Any, c: Any, tap: Any, shift: Any) -> Any:
    """d_weight[i : i + HIGH, c : c + LANES // HIGH, tap] = d_y times the rows of x from column `tap · shift` on."""
    return types.void(d_weight, d_y, x, *[types.intp] * 4), _generate_gradient


def _generate_gradient(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
    (d_weight, d_y, x, i, c, tap, shift), (weight_type, d_y_type, x_type) = arguments, signature.args[:3]
    size, begin = x_type.dtype.bitwidth // 8, builder.mul(tap, shift)
    to, from_ = (context.make_array(t)(context, builder, a) for t, a in ((weight_type, d_weight), (d_y_type, d_y)))
    type_ = vector(to.data.type.pointee)
    outputs = _rows(builder, i, HIGH, builder.extract_value(to.shape, 0))
    channels = _rows(builder, c, LANES // HIGH, builder.extract_value(to.shape, 1))
    pairs = [(output, channel) for output in range(HIGH) for channel in range(LANES // HIGH)]
    sums = [cgutils.alloca_once_value(builder, ir.Constant(type_, None)) for _ in pairs]
    fma = _fma(builder, x_type.dtype, type_)
    step, zero = (ir.Constant(i.type, value) for value in (LANES, 0))
    with cgutils.for_range_slice(builder, zero, builder.extract_value(from_.shape, 1), step, inc=True) as (column, _):
        above = [load_from(builder, place(context, builder, d_y_type, d_y, row, column), size) for row in outputs]
        beside = builder.add(begin, column)
        below = [load_from(builder, place(context, builder, x_type, x, row, beside), size) for row in channels]
        for (output, channel), sum_ in zip(pairs, sums, strict=True):
            builder.store(builder.call(fma, [above[output], below[channel], builder.load(sum_)]), sum_)
    lanes, order = _lane_sums(builder, [builder.load(sum_) for sum_ in sums])
    down, deep, along = (builder.extract_value(to.strides, axis) for axis in range(3))
    for lane, index in enumerate(order):
        output, channel = pairs[index]
        byte = builder.add(builder.mul(outputs[output], down), builder.mul(channels[channel], deep))
        address = cgutils.pointer_add(builder, to.data, builder.add(byte, builder.mul(tap, along)))
        builder.store(builder.extract_element(lanes, ir.Constant(INT, lane)), address)
    return context.get_dummy_value()


def _lane_sums(builder: ir.IRBuilder, vectors: list[ir.Value]) -> tuple[ir.Value, list[int]]:
    """The sums over the lanes of LANES vectors, as one vector; and which vector each of its lanes is the sum of.

    Two vectors are folded to one of the same length, as often as it takes: each part of them to a part of half the length.
    """
    orders = [[index] for index in range(LANES)]
    half = LANES // 2
    while half:
        parts = range(0, LANES, 2 * half)
        low = [lane for part in parts for side in (0, LANES) for lane in range(side + part, side + part + half)]
        masks = [ir.Constant(vector(INT), [lane + first for lane in low]) for first in (0, half)]
        pairs = list(zip(vectors[::2], vectors[1::2], strict=True))
        vectors = [builder.fadd(*(builder.shuffle_vector(a, b, mask) for mask in masks)) for a, b in pairs]
        orders = [
            [index for both in zip(a, b, strict=True) for index in both]
            for a, b in zip(orders[::2], orders[1::2], strict=True)
        ]
        half //= 2
    return vectors[0], orders[0]


@intrinsic
def adjoint(typing: Any, weight: Any) -> Any:
    """The weight (C, O, k) that takes gradients back: weight (O, C, k) transposed, its last tap first."""
    general = weight.copy(layout="A")

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
        from_ = context.make_array(signature.args[0])(context, builder, arguments[0])
        to = context.make_array(signature.return_type)(context, builder)
        (outputs, channels, taps), (down, deep, along) = (
            cgutils.unpack_tuple(builder, getattr(from_, name), 3) for name in ("shape", "strides")
        )
        last = builder.mul(along, builder.sub(taps, ir.Constant(taps.type, 1)))
        arrayobj.populate_array(
            to,
            data=builder.bitcast(cgutils.pointer_add(builder, from_.data, last), from_.data.type),
            shape=cgutils.pack_array(builder, (channels, outputs, taps)),
            strides=cgutils.pack_array(builder, (deep, down, builder.neg(along))),
            itemsize=from_.itemsize,
            meminfo=None,
        )
        return to._getvalue()

    return general(weight), generate


@compiled
def weight_gradient(d_weight, d_y, frame, shift):
    """d_weight (O, C, k) from d_y (O, columns) and the frame of the input; the columns are a multiple of LANES."""
    noinline()
    outputs, channels, taps = d_weight.shape
    for i in range(0, outputs, HIGH):
        for tap in range(taps):
            for c in range(0, channels, LANES // HIGH):
                _gradient_tile(d_weight, d_y, frame, i, c, tap, shift)
