"""The functions that equations are written with, on lanes: float32 by polynomials, float64 by the machine's library.

The library's functions are called once for each number; a polynomial is a few instructions for a whole vector. Its error,
below 4e-7, is near float32's own rounding.
"""

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from ablations.models.kernels.lanes import FLAGS, INT, LANES, LanesType, compiled, llvm_function, select, vector

# 2 to the power of f for |f| <= 1/2, the constant term first: relative error 2e-8 before rounding.
POWER = (1.0, 0.69314718, 0.24022652, 0.055503324, 0.0096184373, 0.0013398874, 0.00015469732)
LOG2_E = 1.4426950408889634
LN_2 = (0.693359375, -2.12194440e-4)  # ln 2 in two parts, the first of them exact in products with small integers
LOWEST, HIGHEST = -127.0, 128.0  # exponents at which a float32 is 0 and infinite

# tanh(x) = x P(x²) / Q(x²) for |x| <= 9, fitted to a relative error of 6e-8 before rounding; 3e-7 after it.
OVER = (0.999999941, 0.129192271, 0.00292076058, 9.26741256e-06, -1.27804266e-08, 1.82552351e-11)
UNDER = (1.0, 0.46252511, 0.0237631631, 0.000228100048)
SATURATED = 9.0


def constant(type_: ir.VectorType, value: float) -> ir.Constant:
    """A number in every lane."""
    return ir.Constant(type_, [value] * type_.count)


def _function(
    single: Callable[[ir.IRBuilder, ir.Value], ir.Value], double: Callable[[ir.IRBuilder, ir.Value], ir.Value]
) -> Any:
    """A function of lanes that is made of one body for float32 and another for float64."""

    @intrinsic
    def function(typing: Any, x: LanesType) -> Any:
        body = double if x.dtype == types.float64 else single
        return x(x), lambda context, builder, signature, arguments: body(builder, arguments[0])

    return function


def _exp(builder: ir.IRBuilder, x: ir.Value) -> ir.Value:
    x = _clipped(builder, x, LOWEST / LOG2_E, HIGHEST / LOG2_E)
    power = builder.fmul(x, constant(x.type, LOG2_E))
    whole = builder.call(llvm_function(builder, f"llvm.rint.v{LANES}f32", x.type, x.type), [power])
    for part in LN_2:
        product = builder.fmul(whole, constant(x.type, part), flags=("contract",))
        x = builder.fsub(x, product, flags=("contract",))
    fraction = _polynomial(builder, builder.fmul(x, constant(x.type, LOG2_E)), POWER)
    integers = vector(INT)
    exponent = builder.add(builder.fptosi(whole, integers), constant(integers, 127))
    scale = builder.bitcast(builder.shl(exponent, constant(integers, 23)), x.type)
    return builder.fmul(fraction, scale)


def _by_llvm(name: str) -> Callable[[ir.IRBuilder, ir.Value], ir.Value]:
    """A function that LLVM has for all kinds of floats."""

    def body(builder: ir.IRBuilder, x: ir.Value) -> ir.Value:
        bits = 64 if isinstance(x.type.element, ir.DoubleType) else 32
        return builder.call(llvm_function(builder, f"llvm.{name}.v{LANES}f{bits}", x.type, x.type), [x])

    return body


_exp_double = _by_llvm("exp")


def _tanh(builder: ir.IRBuilder, x: ir.Value) -> ir.Value:
    x = _clipped(builder, x, -SATURATED, SATURATED)
    square = builder.fmul(x, x, flags=FLAGS)
    over = builder.fmul(x, _polynomial(builder, square, OVER), flags=FLAGS)
    return builder.fdiv(over, _polynomial(builder, square, UNDER), flags=FLAGS)


def _tanh_double(builder: ir.IRBuilder, x: ir.Value) -> ir.Value:
    one, two = constant(x.type, 1.0), constant(x.type, 2.0)
    return builder.fsub(one, builder.fdiv(two, builder.fadd(one, _exp_double(builder, builder.fmul(two, x)))))


def _clipped(builder: ir.IRBuilder, x: ir.Value, low: float, high: float) -> ir.Value:
    for sign, limit in (("<", low), (">", high)):  # a comparison with not-a-number is false, and x stays
        beyond = builder.fcmp_ordered(sign, x, constant(x.type, limit))
        x = builder.select(beyond, constant(x.type, limit), x)
    return x


def _polynomial(builder: ir.IRBuilder, x: ir.Value, coefficients: Sequence[float]) -> ir.Value:
    value = constant(x.type, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        product = builder.fmul(value, x, flags=FLAGS)
        value = builder.fadd(product, constant(x.type, coefficient), flags=FLAGS)
    return value


def _softplus(exp_of: Callable[[ir.IRBuilder, ir.Value], ir.Value]) -> Callable[[ir.IRBuilder, ir.Value], ir.Value]:
    """max(x, 0) + log(1 + e), e = exp(-|x|). What 1 + e loses by rounding is put back (Kahan), so that a small e stays."""

    def body(builder: ir.IRBuilder, x: ir.Value) -> ir.Value:
        zero, one = constant(x.type, 0.0), constant(x.type, 1.0)
        small = exp_of(builder, builder.fneg(_by_llvm("fabs")(builder, x)))
        above = builder.fadd(one, small)  # without fast-math flags: they would take (1 + e) - 1 for e
        rest = builder.fsub(above, one)
        ratio = builder.fdiv(builder.fmul(_by_llvm("log")(builder, above), small), rest)
        logarithm = builder.select(builder.fcmp_ordered("==", rest, zero), small, ratio)
        positive_part = builder.select(builder.fcmp_ordered("<", x, zero), zero, x)  # not-a-number stays
        return builder.fadd(positive_part, logarithm)

    return body


log = _function(_by_llvm("log"), _by_llvm("log"))
root = sqrt = _function(_by_llvm("sqrt"), _by_llvm("sqrt"))
sin = _function(_by_llvm("sin"), _by_llvm("sin"))
cos = _function(_by_llvm("cos"), _by_llvm("cos"))
absolute = _function(_by_llvm("fabs"), _by_llvm("fabs"))
softplus = _function(_softplus(_exp), _softplus(_exp_double))
exp = _function(_exp, _exp_double)
tanh = _function(_tanh, _tanh_double)


@compiled
def sigmoid(x):
    return 0.5 + 0.5 * tanh(0.5 * x)


@compiled
def relu(x):
    return select(-x, 0.0, x)  # so that not-a-number stays


@compiled
def maximum(x, y):
    return select(x - y, x, select(y - x, y, 0.5 * (x + y)))  # the last where they are equal, or not a number


@compiled
def positive(x):
    """The derivative of relu: 1 above zero, else 0."""
    return select(x, 1.0, 0.0)


@compiled
def sign(x):
    """The derivative of the absolute value."""
    return select(x, 1.0, select(-x, -1.0, 0.0))


@compiled
def larger(x, y):
    """The derivative of maximum by its first argument: 1 where that is the larger, 1/2 where both are equal."""
    return select(x - y, 1.0, select(y - x, 0.0, 0.5))
