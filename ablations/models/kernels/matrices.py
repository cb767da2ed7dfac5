"""Matrices in scratch memory: parts of them, and their copies, transposes and sums, a vector at a time.

torch has a row for each sequence, kernels a column (N of them), so that the same unit of LANES sequences is one vector;
hence the transposes.

Nothing here looks at bounds or counts references: what a part is of must outlive it.
"""

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.imputils import impl_ret_borrowed
from numba.extending import intrinsic
from numba.np import arrayobj

from ablations.models.kernels.lanes import (
    INT,
    LANES,
    compiled,
    fetch,
    llvm_function,
    load,
    place,
    select,
    splat,
    store,
    store_to,
    total,
    vector,
)


@intrinsic
def noinline(typing: Any) -> Any:
    """Keeps the function that it stands in from being copied into its callers, or unrolled: that takes long to compile."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
        for attribute in ("noinline", "optsize"):
            builder.function.attributes.add(attribute)
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic
def strided(typing: Any, array: types.Array) -> Any:
    """The same array, typed as one whose rows may lie apart, so that functions are compiled for one type only."""
    general = array.copy(layout="A", readonly=False)

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
        return impl_ret_borrowed(context, builder, signature.return_type, arguments[0])

    return general(array), generate


@intrinsic
def submatrix(typing: Any, matrix: Any, i: Any, j: Any, rows: Any, columns: Any) -> Any:
    """matrix[i : i + rows, j : j + columns], without a look at the bounds; the matrix must outlive it."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
        matrix, i, j, rows, columns = arguments
        down = builder.extract_value(context.make_array(signature.args[0])(context, builder, matrix).strides, 0)
        pointer = place(context, builder, signature.args[0], matrix, i, j)
        return _matrix(context, builder, signature.return_type, pointer, rows, columns, down)

    return matrix.copy(layout="A")(matrix, *[types.intp] * 4), generate


@intrinsic
def carve(typing: Any, workspace: Any, position: Any, rows: Any, columns: Any) -> Any:
    """A matrix of that shape from that position of `workspace` on, a row of floats that must outlive it."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
        workspace, position, rows, columns = arguments
        pointer = place(context, builder, signature.args[0], workspace, position)
        down = builder.mul(columns, ir.Constant(columns.type, signature.args[0].dtype.bitwidth // 8))
        return _matrix(context, builder, signature.return_type, pointer, rows, columns, down)

    return workspace.copy(ndim=2, layout="A")(workspace, *[types.intp] * 3), generate


def _matrix(
    context: Any, builder: ir.IRBuilder, type_: Any, pointer: ir.Value, rows: Any, columns: Any, down: Any
) -> ir.Value:
    struct = context.make_array(type_)(context, builder)
    size = ir.Constant(rows.type, type_.dtype.bitwidth // 8)
    data = builder.bitcast(pointer, struct.data.type)
    shape, strides = (cgutils.pack_array(builder, pair) for pair in ((rows, columns), (down, size)))
    arrayobj.populate_array(struct, data=data, shape=shape, strides=strides, itemsize=size, meminfo=None)
    return struct._getvalue()


@intrinsic
def _block(typing: Any, to: Any, from_: Any, i: Any, j: Any, rows: Any, columns: Any) -> Any:
    """to[j:j+columns, i:i+rows] = from_[i:i+rows, j:j+columns] transposed, for up to LANES rows and columns."""
    return types.void(to, from_, *[types.intp] * 4), _transpose_block


def _transpose_block(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
    to, from_, i, j, rows, columns = arguments
    to_type, from_type = signature.args[:2]
    size = to_type.dtype.bitwidth // 8
    lines = []
    for index in range(LANES):
        number = ir.Constant(i.type, index)
        last = builder.select(builder.icmp_signed("<", number, rows), number, ir.Constant(i.type, 0))
        pointer = place(context, builder, from_type, from_, builder.add(i, last), j)
        lines.append(_masked_load(builder, pointer, _first(builder, columns), size))
    lines = _transposed(builder, lines)
    for index, line in enumerate(lines):
        number = ir.Constant(i.type, index)
        is_inside = builder.icmp_signed("<", number, columns)
        count = builder.select(is_inside, rows, ir.Constant(i.type, 0))
        row = builder.add(j, builder.select(is_inside, number, ir.Constant(i.type, 0)))
        pointer = place(context, builder, to_type, to, row, i)
        _masked_store(builder, line, pointer, _first(builder, count), size)
    return context.get_dummy_value()


def _first(builder: ir.IRBuilder, count: ir.Value) -> ir.Value:
    """The mask of the first `count` lanes."""
    lanes = ir.Constant(vector(INT), list(range(LANES)))
    return builder.icmp_signed("<", lanes, splat(builder, builder.trunc(count, INT)))


def _masked_load(builder: ir.IRBuilder, pointer: ir.Value, mask: ir.Value, size: int) -> ir.Value:
    type_ = pointer.type.pointee
    name = f"llvm.masked.load.v{LANES}f{8 * size}.p0"
    function = llvm_function(builder, name, type_, pointer.type, INT, mask.type, type_)
    return builder.call(function, [pointer, ir.Constant(INT, size), mask, ir.Constant(type_, None)])


def _masked_store(builder: ir.IRBuilder, value: ir.Value, pointer: ir.Value, mask: ir.Value, size: int) -> None:
    name = f"llvm.masked.store.v{LANES}f{8 * size}.p0"
    function = llvm_function(builder, name, ir.VoidType(), value.type, pointer.type, INT, mask.type)
    builder.call(function, [value, pointer, ir.Constant(INT, size), mask])


def _transposed(builder: ir.IRBuilder, lines: list[ir.Value]) -> list[ir.Value]:
    """LANES vectors as the columns of a square, by exchanging halves, quarters and so on between pairs."""
    distance = LANES // 2
    while distance:
        low = [k if not k & distance else LANES + k - distance for k in range(LANES)]
        high = [k + distance if not k & distance else LANES + k for k in range(LANES)]
        masks = [ir.Constant(vector(INT), index) for index in (low, high)]
        exchanged = list(lines)
        for k in range(LANES):
            if not k & distance:
                pair = lines[k], lines[k + distance]
                exchanged[k], exchanged[k + distance] = (builder.shuffle_vector(*pair, mask) for mask in masks)
        lines, distance = exchanged, distance // 2
    return lines


@compiled
def transpose(to, from_):
    """to[:columns, :rows] = from_ (rows, columns) transposed; the rows of both are contiguous."""
    noinline()
    rows, columns = from_.shape
    # The last block overlaps the one before, if there is one: a part of a register is slow to store.
    height, width = min(LANES, rows), min(LANES, columns)
    for i in range(0, rows, LANES):
        for j in range(0, columns, LANES):
            _block(to, from_, min(i, rows - height), min(j, columns - width), height, width)


def _piece(whole: bool) -> Any:
    """to[i, j:j+count] = from_[i, j:j+count] for up to LANES floats; zeros up to LANES of them, if `whole`."""

    @intrinsic
    def piece(typing: Any, to: Any, from_: Any, i: Any, j: Any, count: Any) -> Any:
        return types.void(to, from_, types.intp, types.intp, types.intp), generate

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
        to, from_, i, j, count = arguments
        to_type, from_type = signature.args[:2]
        size, mask = to_type.dtype.bitwidth // 8, _first(builder, count)
        line = _masked_load(builder, place(context, builder, from_type, from_, i, j), mask, size)
        pointer = place(context, builder, to_type, to, i, j)
        if whole:
            store_to(builder, line, pointer, size)
        else:
            _masked_store(builder, line, pointer, mask, size)
        return context.get_dummy_value()

    return piece


_exact_piece, _padded_piece = _piece(whole=False), _piece(whole=True)


@compiled
def copy(to, from_):
    """to[:rows, :columns] = from_ (rows, columns); the rows of both are contiguous."""
    noinline()
    rows, columns = from_.shape
    for i in range(rows):
        for j in range(0, columns, LANES):
            _exact_piece(to, from_, i, j, min(LANES, columns - j))


@compiled
def copy_padded(to, from_):
    """to = from_ (rows, columns) with zeros up to the next multiple of LANES columns: a part of a register is slow to store."""
    noinline()
    rows, columns = from_.shape
    for i in range(rows):
        for j in range(0, columns, LANES):
            _padded_piece(to, from_, i, j, min(LANES, columns - j))


@compiled
def fetch_rows(matrix):
    """Asks for all of a matrix whose rows are contiguous."""
    noinline()
    for i in range(matrix.shape[0]):
        for j in range(0, matrix.shape[1], LANES):
            fetch(matrix, i, j)


@compiled
def add_rows(sums, first, matrix):
    """sums[first + i] += the sum of row i; the row's length is a multiple of LANES."""
    noinline()
    for i in range(matrix.shape[0]):
        row = load(matrix, i, 0)
        for j in range(LANES, matrix.shape[1], LANES):
            row = row + load(matrix, i, j)
        sums[first + i] += total(row)


@compiled
def clear(matrix):
    """Zeros everywhere; the length of a row is a multiple of LANES."""
    noinline()
    for i in range(matrix.shape[0]):
        for j in range(0, matrix.shape[1], LANES):
            store(0.0, matrix, i, j)


@compiled
def clear_inactive(matrix, first, active):
    """Zeros where `active` (1, N) is not above zero, from column `first` on: whatever stood there reaches no sum."""
    noinline()
    for i in range(matrix.shape[0]):
        for n in range(first, matrix.shape[1], LANES):
            store(select(load(active, 0, n), load(matrix, i, n), 0.0), matrix, i, n)
