"""The gated recurrent unit, what becomes of it when one thing is changed, and a later form of it."""

from types import SimpleNamespace
from typing import ClassVar

from ablations.models.cell import Cell, Functions, Value
from ablations.models.gate import Gate

RESET, UPDATE, CANDIDATE = Gate("r"), Gate("z"), Gate("n", recurrent="apart")


class GRU(Cell):
    """The gated recurrent unit with its reset gate after the product, as torch.nn.GRU computes it.

    Cho et al. (2014) put the reset gate before the product; this form, cuDNN's, needs one product per step.
    """

    name = "gru"
    gates: ClassVar[tuple[Gate, ...]] = (RESET, UPDATE, CANDIDATE)

    @staticmethod
    def step(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Value]:
        reset, update = f.sigmoid(a.r), f.sigmoid(a.z)
        new = f.tanh(a.n.x + reset * a.n.h)
        return {"r": reset, "z": update, "n": new, "h": (1 - update) * new + update * s.h}


class GRUWithoutReset(GRU):
    """The candidate always sees all of the state."""

    name = "gru-no-reset"
    parent, change = GRU, "no reset gate"
    gates = (UPDATE, Gate("n"))

    @staticmethod
    def step(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Value]:
        update, new = f.sigmoid(a.z), f.tanh(a.n)
        return {"z": update, "n": new, "h": (1 - update) * new + update * s.h}


class GRUWithoutUpdate(GRU):
    """The candidate always takes the place of the state."""

    name = "gru-no-update"
    parent, change = GRU, "no update gate"
    gates = (RESET, CANDIDATE)

    @staticmethod
    def step(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Value]:
        reset = f.sigmoid(a.r)
        return {"r": reset, "h": f.tanh(a.n.x + reset * a.n.h)}


class GRUResetBefore(GRU):
    """The gated recurrent unit as it was published (Cho et al. 2014): R multiplies the state that the reset gate lets by."""

    name = "gru-reset-before"
    parent, change = GRU, "reset gate before the product with R"
    gates: ClassVar[tuple[Gate, ...]] = (RESET, UPDATE, Gate("n", operand=True))

    @staticmethod
    def operand(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> Value:
        return f.sigmoid(a.r) * s.h

    @staticmethod
    def step(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Value]:
        reset, update, new = f.sigmoid(a.r), f.sigmoid(a.z), f.tanh(a.n)
        return {"r": reset, "z": update, "n": new, "h": (1 - update) * new + update * s.h}


class MGU(GRUResetBefore):
    """The minimal gated unit (Zhou et al. 2016): one gate says what the candidate sees and how much of it is taken."""

    name = "mgu"
    parent, change = GRUResetBefore, "one gate for both, r = f and z = 1 − f"
    gates = (Gate("f"), Gate("n", operand=True))

    @staticmethod
    def operand(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> Value:
        return f.sigmoid(a.f) * s.h

    @staticmethod
    def step(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Value]:
        forget, new = f.sigmoid(a.f), f.tanh(a.n)
        return {"f": forget, "n": new, "h": forget * new + (1 - forget) * s.h}


class MinGRU(Cell):
    """The minGRU of Feng et al. (2024): gate and candidate see the input only, and the candidate is linear."""

    name = "mingru"
    gates = (Gate("z", recurrent="none"), Gate("n", recurrent="none"))

    @staticmethod
    def step(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Value]:
        update = f.sigmoid(a.z)
        return {"z": update, "n": a.n, "h": (1 - update) * s.h + update * a.n}


class SignedMinGRU(MinGRU):
    """The minGRU whose state can change its sign: the factor of the old state lies in [−1, 1], not in [0, 1].

    Grazzi et al. (2025), "Unlocking state-tracking in linear RNNs through negative eigenvalues", put 2a − 1 in place of a
    factor a of [0, 1]; here a is 1 − z. Sarrof, Veitsman & Hahn (2024) show what a factor that is never negative cannot do.
    """

    name = "mingru-signed"
    parent, change = MinGRU, "old state times 1 − 2z, in [−1, 1]"

    @staticmethod
    def step(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Value]:
        update = f.sigmoid(a.z)
        return {"z": update, "n": a.n, "h": (1 - 2 * update) * s.h + update * a.n}
