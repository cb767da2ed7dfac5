"""A cell of all elementary functions, and of powers of all kinds."""

from types import SimpleNamespace
from typing import Any

from ablations.models.cell import Cell, Functions
from ablations.models.gate import Gate


class Elementary(Cell):
    """Every elementary function, and powers of all kinds."""

    name = "elementary"
    gates = (Gate("i"), Gate("g"))
    state = ("h", "c")
    vectors = ("p",)

    @staticmethod
    def step(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Any]:
        size = f.sqrt(1 + a.g**2)
        k = f.log(size) * f.sin(a.i) - f.cos(s.c) ** 3
        c = f.softplus(a.i * v.p) - f.abs(k - s.h) / size + size**-2 + 2 * size**0.5 - size**-1.5
        return {"size": size, "k": k, "c": c, "h": 0.2 * f.tanh(c) ** 2 * (1 - k) ** 2 + 0.1 * (c**2 + 1) ** 0.3}
