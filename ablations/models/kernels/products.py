"""Matrix products for the matrices of one time step, too small and too many for a BLAS.

A BLAS packs its operands anew at each call, which at a hidden size of 32 takes as long as the product. Here a tile of the
result stays in registers while a row of the right matrix, two vectors wide, meets a column of the left one. In a step
the left matrix is weights (G·H rows), the right one h above x, and both have N columns: B sequences, padded.
"""

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from ablations.models.kernels.lanes import (
    LANES,
    WIDE,
    compiled,
    llvm_function,
    load_from,
    place,
    splat,
    store_to,
    vector,
)
from ablations.models.kernels.matrices import noinline

ROWS, SOME = (12, 4) if WIDE else (4, 2)
"""The rows of a tile, and of a smaller one for the rest. Twelve rows of two vectors are 24 of AVX-512's 32 registers; the
others hold the operands. With 16 registers four rows are as many as leave room."""


def _tile(rows: int, vectors: int) -> Any:
    """C[i:i+rows, j:j+vectors·LANES] = A[i:i+rows] B[:, j:…], or += where `beta`, as a BLAS calls it, is not 0."""

    @intrinsic
    def tile(typing: Any, c: Any, a: Any, b: Any, i: Any, j: Any, beta: Any) -> Any:
        return types.void(c, a, b, types.intp, types.intp, types.float64), generate

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
        (c, a, b, i, j, beta), (c_type, a_type, b_type) = arguments, signature.args[:3]
        size = c_type.dtype.bitwidth // 8
        columns = [builder.add(j, ir.Constant(j.type, index * LANES)) for index in range(vectors)]
        rows_ = [builder.add(i, ir.Constant(i.type, index)) for index in range(rows)]
        places = [[place(context, builder, c_type, c, row, column) for column in columns] for row in rows_]
        left = context.make_array(a_type)(context, builder, a)
        type_ = vector(left.data.type.pointee)
        sums = [[cgutils.alloca_once_value(builder, ir.Constant(type_, None)) for _ in columns] for _ in rows_]
        with builder.if_then(builder.fcmp_ordered("!=", beta, ir.Constant(beta.type, 0.0))):
            for row in range(rows):
                for column in range(vectors):
                    builder.store(load_from(builder, places[row][column], size), sums[row][column])
        fma = llvm_function(builder, f"llvm.fma.v{LANES}f{8 * size}", type_, type_, type_, type_)
        down, along = (builder.extract_value(left.strides, axis) for axis in (0, 1))
        starts = [cgutils.pointer_add(builder, left.data, builder.mul(row, down)) for row in rows_]
        with cgutils.for_range(builder, builder.extract_value(left.shape, 1)) as loop:
            right = [load_from(builder, place(context, builder, b_type, b, loop.index, x), size) for x in columns]
            offset = builder.mul(loop.index, along)
            for row in range(rows):
                factor = splat(builder, builder.load(cgutils.pointer_add(builder, starts[row], offset)))
                for column in range(vectors):
                    old = builder.load(sums[row][column])
                    builder.store(builder.call(fma, [factor, right[column], old]), sums[row][column])
        for row in range(rows):
            for column in range(vectors):
                store_to(builder, builder.load(sums[row][column]), places[row][column], size)
        return context.get_dummy_value()

    return tile


_tall_two, _some_two, _one_two = (_tile(rows, 2) for rows in (ROWS, SOME, 1))
_tall_one, _some_one, _one_one = (_tile(rows, 1) for rows in (ROWS, SOME, 1))


@compiled
def multiply(c, a, b):
    """C = A B. The rows of B and C are contiguous, and their length is a multiple of LANES; A is anything."""
    _product(c, a, b, 0.0)


@compiled
def add_product(c, a, b):
    """C += A B, likewise."""
    _product(c, a, b, 1.0)


@compiled
def _product(c, a, b, beta):
    noinline()
    rows, columns = c.shape
    for j in range(0, columns - LANES, 2 * LANES):
        i = 0
        while i + ROWS <= rows:
            _tall_two(c, a, b, i, j, beta)
            i += ROWS
        while i + SOME <= rows:
            _some_two(c, a, b, i, j, beta)
            i += SOME
        while i < rows:
            _one_two(c, a, b, i, j, beta)
            i += 1
    if columns % (2 * LANES):
        j, i = columns - LANES, 0
        while i + ROWS <= rows:
            _tall_one(c, a, b, i, j, beta)
            i += ROWS
        while i + SOME <= rows:
            _some_one(c, a, b, i, j, beta)
            i += SOME
        while i < rows:
            _one_one(c, a, b, i, j, beta)
            i += 1
