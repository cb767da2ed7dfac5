"""Cells drawn at random: gates of all roles, states, vectors, and a step of all that a step may be made of."""

from itertools import product
from random import Random
from types import SimpleNamespace
from typing import Any

from ablations.models.cell import Cell, Functions
from ablations.models.gate import Gate

ROLES = [
    {"recurrent": recurrent, "operand": operand, "feedback": feedback}
    for recurrent, operand, feedback in product(("added", "apart", "none"), (False, True), (False, True))
    if not (operand and recurrent == "none")
]
"""Every combination of roles that a gate can have."""

Tree = Any
"""An expression as data: a leaf's path such as ("a", "n", "x"), a number, or an operation and its parts."""

OPERATIONS = ("sigmoid", "tanh", "relu", "exp", "maximum", "+", "-", "*", "/")


def random_cell(seed: int) -> type[Cell]:
    """The same cell for the same seed."""
    rng = Random(seed)
    gates = tuple(Gate(name, **rng.choice(ROLES)) for name in rng.sample("ifgnoz", rng.randint(1, 5)))
    fed_back = [gate.name for gate in gates if gate.feedback]
    more = [*fed_back, *rng.sample(["c", "m"], rng.randint(0, 2))]
    rng.shuffle(more)
    vectors = tuple(rng.sample("pqw", rng.randint(0, 2)))
    leaves = [path for gate in gates for path in _paths(gate)]
    others = [path for gate in gates if not gate.operand for path in _paths(gate)]
    operand_tree = _tree(rng, [*others, ("s", "h")], depth=2)
    known = [*leaves, *(("s", name) for name in ("h", *more)), *(("v", name) for name in vectors)]
    trees: dict[str, Tree] = {}
    for name in rng.sample(quantities := ["k", *dict.fromkeys(("h", *more))], len(quantities)):
        trees[name] = _tree(rng, known, depth=3)
        known.append(("q", name))
    for leaf in (*leaves, *(("s", name) for name in more), *(("v", name) for name in vectors)):
        trees["h"] = ("+", trees["h"], ("tanh", leaf, leaf))  # a cell uses all that it declares

    def step(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for name, tree in trees.items():
            made[name] = _evaluate(tree, f, {"a": a, "s": s, "v": v, "q": SimpleNamespace(**made)})
        return made

    def operand(f: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> Any:
        return _evaluate(operand_tree, f, {"a": a, "s": s, "v": v})

    parts = {"gates": gates, "state": ("h", *more), "vectors": vectors, "step": staticmethod(step)}
    if any(gate.operand for gate in gates):
        parts["operand"] = staticmethod(operand)
    return type("RandomCell", (Cell,), {"name": f"random-{seed}", **parts})


def _paths(gate: Gate) -> list[tuple[str, ...]]:
    return [("a", gate.name, side) for side in "xh"] if gate.recurrent == "apart" else [("a", gate.name)]


def _tree(rng: Random, leaves: list[tuple[str, ...]], depth: int) -> Tree:
    """An expression whose values and slopes stay small: what exp is of and what is divided by is bounded."""
    if not depth or rng.random() < 0.1:
        return rng.choice(leaves)
    operation = rng.choice(OPERATIONS)
    left, right = (_tree(rng, leaves, depth - 1) for _ in range(2))
    if operation == "-" and left == right:
        operation = "+"  # that the cell does not compute constants
    if operation in "+-*" and rng.random() < 0.2:
        right = rng.choice([0.5, -2, 3, 1])
    return operation, left, right


def _evaluate(tree: Tree, f: Functions, known: dict[str, Any]) -> Any:
    if isinstance(tree, int | float):
        return tree
    if tree[0] not in OPERATIONS:
        value: Any = known[tree[0]]
        for name in tree[1:]:
            value = getattr(value, name)
        return value
    operation, left, right = tree[0], _evaluate(tree[1], f, known), _evaluate(tree[2], f, known)
    computed: dict[str, Any] = {
        "+": lambda: left + right,
        "-": lambda: left - right,
        "*": lambda: f.tanh(left) * right,
        "/": lambda: left / (1.5 + f.sigmoid(right)),
        "maximum": lambda: f.maximum(left, right),
        "exp": lambda: f.exp(f.tanh(left)),
    }
    return computed[operation]() if operation in computed else getattr(f, operation)(left)
