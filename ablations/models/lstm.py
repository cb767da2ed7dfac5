"""Long short-term memory, what becomes of it when one thing is changed (Greff et al. 2015), and a later form of it."""

from types import SimpleNamespace
from typing import ClassVar

from ablations.models.cell import Cell, Functions, Value
from ablations.models.gate import Gate

INPUT, FORGET, UPDATE, OUTPUT = Gate("i"), Gate("f", bias=1.0), Gate("g"), Gate("o")


class LSTM(Cell):
    """Long short-term memory with a forget gate (Gers et al. 2000), as torch.nn.LSTM computes it.

    The forget gate's bias starts from 1 (Jozefowicz et al. 2015); torch.nn has no option for that.
    """

    name = "lstm"
    gates: ClassVar[tuple[Gate, ...]] = (INPUT, FORGET, UPDATE, OUTPUT)
    state: ClassVar[tuple[str, ...]] = ("h", "c")

    @staticmethod
    def step(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Value]:
        input_, forget, output = f.sigmoid(a.i), f.sigmoid(a.f), f.sigmoid(a.o)
        update = f.tanh(a.g)
        c = forget * s.c + input_ * update
        return {"i": input_, "f": forget, "g": update, "o": output, "c": c, "h": output * f.tanh(c)}


class LSTMWithoutInputGate(LSTM):
    """Everything enters the memory (Greff et al. 2015: NIG)."""

    name = "lstm-no-input-gate"
    parent, change = LSTM, "no input gate"
    gates = (FORGET, UPDATE, OUTPUT)

    @staticmethod
    def step(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Value]:
        forget, update, output = f.sigmoid(a.f), f.tanh(a.g), f.sigmoid(a.o)
        c = forget * s.c + update
        return {"f": forget, "g": update, "o": output, "c": c, "h": output * f.tanh(c)}


class LSTMWithoutForgetGate(LSTM):
    """Nothing leaves the memory, as in the first LSTM (Hochreiter & Schmidhuber 1997; Greff et al. 2015: NFG)."""

    name = "lstm-no-forget-gate"
    parent, change = LSTM, "no forget gate"
    gates = (INPUT, UPDATE, OUTPUT)

    @staticmethod
    def step(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Value]:
        input_, update, output = f.sigmoid(a.i), f.tanh(a.g), f.sigmoid(a.o)
        c = s.c + input_ * update
        return {"i": input_, "g": update, "o": output, "c": c, "h": output * f.tanh(c)}


class LSTMWithoutOutputGate(LSTM):
    """All of the memory is shown (Greff et al. 2015: NOG)."""

    name = "lstm-no-output-gate"
    parent, change = LSTM, "no output gate"
    gates = (INPUT, FORGET, UPDATE)

    @staticmethod
    def step(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Value]:
        input_, forget, update = f.sigmoid(a.i), f.sigmoid(a.f), f.tanh(a.g)
        c = forget * s.c + input_ * update
        return {"i": input_, "f": forget, "g": update, "c": c, "h": f.tanh(c)}


class LSTMWithoutInputActivation(LSTM):
    """What enters the memory is linear (Greff et al. 2015: NIAF)."""

    name = "lstm-no-input-activation"
    parent, change = LSTM, "no tanh on what enters the memory"

    @staticmethod
    def step(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Value]:
        input_, forget, output = f.sigmoid(a.i), f.sigmoid(a.f), f.sigmoid(a.o)
        c = forget * s.c + input_ * a.g
        return {"i": input_, "f": forget, "g": a.g, "o": output, "c": c, "h": output * f.tanh(c)}


class LSTMWithoutOutputActivation(LSTM):
    """What leaves the memory is linear (Greff et al. 2015: NOAF)."""

    name = "lstm-no-output-activation"
    parent, change = LSTM, "no tanh on what leaves the memory"

    @staticmethod
    def step(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Value]:
        input_, forget, output = f.sigmoid(a.i), f.sigmoid(a.f), f.sigmoid(a.o)
        update = f.tanh(a.g)
        c = forget * s.c + input_ * update
        return {"i": input_, "f": forget, "g": update, "o": output, "c": c, "h": output * c}


class LSTMCoupled(LSTM):
    """What enters takes the place of what is forgotten (Greff et al. 2015: CIFG).

    The input gate's bias starts from −1, so that the forget gate starts where the parent's does.
    """

    name = "lstm-coupled"
    parent, change = LSTM, "forget gate coupled to the input gate, f = 1 − i"
    gates = (Gate("i", bias=-1.0), UPDATE, OUTPUT)

    @staticmethod
    def step(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Value]:
        input_, update, output = f.sigmoid(a.i), f.tanh(a.g), f.sigmoid(a.o)
        forget = 1 - input_
        c = forget * s.c + input_ * update
        return {"i": input_, "f": forget, "g": update, "o": output, "c": c, "h": output * f.tanh(c)}


class LSTMPeepholes(LSTM):
    """The gates see the memory, each unit its own (Gers & Schmidhuber 2000); p, q, u are the weights of that."""

    name = "lstm-peepholes"
    parent, change = LSTM, "peepholes from the memory to the gates"
    vectors = ("p", "q", "u")

    @staticmethod
    def step(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Value]:
        input_, forget = f.sigmoid(a.i + v.p * s.c), f.sigmoid(a.f + v.q * s.c)
        update = f.tanh(a.g)
        c = forget * s.c + input_ * update
        output = f.sigmoid(a.o + v.u * c)
        return {"i": input_, "f": forget, "g": update, "c": c, "o": output, "h": output * f.tanh(c)}


class LSTMFullGateRecurrence(LSTM):
    """The gates see all gates of the step before (Hochreiter & Schmidhuber 1997; Greff et al. 2015: FGR)."""

    name = "lstm-full-gate-recurrence"
    parent, change = LSTM, "gates also see the gates of the step before"
    gates = (Gate("i", feedback=True), Gate("f", feedback=True, bias=1.0), UPDATE, Gate("o", feedback=True))
    state = ("h", "c", "i", "f", "o")


class SLSTM(Cell):
    """The sLSTM of Beck et al. (2024, section 2.2): exponential gates, a normaliser n and a stabiliser m."""

    name = "slstm"
    gates = (Gate("i"), Gate("f", bias=1.0), Gate("z"), Gate("o"))
    state = ("h", "c", "n", "m")

    @staticmethod
    def step(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Value]:
        m = f.maximum(a.f + s.m, a.i)
        input_, forget = f.exp(a.i - m), f.exp(a.f + s.m - m)
        value, output = f.tanh(a.z), f.sigmoid(a.o)
        c = forget * s.c + input_ * value
        n = forget * s.n + input_
        return {"m": m, "i": input_, "f": forget, "z": value, "o": output, "c": c, "n": n, "h": output * (c / n)}
