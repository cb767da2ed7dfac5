"""Study files with something wrong, and the words that the one line about each must have."""

from collections.abc import Iterator
from typing import NamedTuple


class File(NamedTuple):
    """The text of a study's file, and the words; `what` tells it from the others."""

    what: str
    text: str
    words: str


HEAD = """
import sys, os, random, torch, optuna
import numpy as np
from dataclasses import dataclass, field, replace
from functools import partial
from ablations.models import CELLS, MODELS, Cell, Network
from ablations.models.gate import Gate
from ablations.models.rnn import RNN
from ablations.models.variant import HiddenSizeOf, Parameters
from ablations.study import VARIANTS, Budget, Choice, Costs, Range, Scale, Study, Variant
from tasks import TASKS
from tasks.adding import Adding
nan, inf = float("nan"), float("inf")
"""

PARTS = {
    "variants": '(VARIANTS["rnn"], VARIANTS["lstm"])',
    "baseline": "variants[0].name",
    "tasks": '{"adding": TASKS["adding"](length=4)}',
    "budget": "{}",
    "nuisance": '{"lr": Range(1e-3, 1e-1)}',
    "fixed": "{}",
    "scale": "{}",
    "study": "{}",
}

END = """
variants = {variants}
numbers = dict(trials=1, trials_per_round=1, search_seeds=1, replicates=1, steps=2, segments=2, batch=4, parameters=99,
               validation=8, test=8)
budget = Budget(**{{**numbers, **{budget}}})
scale = Scale(**{{**dict(tasks={tasks}, budget=budget), **{scale}}})
STUDY = Study(**{{**dict(name="own", question="?", variants=variants, baseline={baseline}, fixed={fixed},
                       nuisance={nuisance}, scales={{"smoke": scale}}), **{study}}})
"""


def study_file(before: str = "", **parts: str) -> str:
    """A small study's file; `before` stands before it, and `parts` are expressions in place of those of `PARTS`."""
    return HEAD + before + END.format(**{**PARTS, **parts})


COUNTS = (
    "trials",
    "trials_per_round",
    "search_seeds",
    "replicates",
    "steps",
    "segments",
    "batch",
    "parameters",
    "validation",
    "test",
)
NO_COUNTS = ("0", "-1", "1.5", "nan", "inf", "'4'", "None", "True", "10**30")

STUDIES = [
    ("name", "''"),
    ("name", "'Own'"),
    ("name", "'a/b'"),
    ("name", "'..'"),
    ("name", "'a b'"),
    ("name", "3"),
    ("name", "None"),
    ("name", "'x' * 300"),
    ("name", "'a\\n'"),
    ("name", "'ünit'"),
    ("question", "None"),
    ("question", "''"),
    ("question", "'  '"),
    ("question", "'a' * 100_000"),
    ("variants", "()"),
    ("variants", "None"),
    ("variants", "('rnn',)"),
    ("variants", "[1]"),
    ("scales", "None"),
    ("scales", "{'': scale}"),
    ("scales", "{'a/b': scale}"),
    ("scales", "{'smoke': 1}"),
    ("scales", "{'x' * 300: scale}"),
    ("seed", "-1"),
    ("seed", "1.5"),
    ("seed", "None"),
    ("seed", "'a'"),
    ("seed", "True"),
    ("optimiser", "'adma'"),
    ("optimiser", "None"),
    ("optimiser", "''"),
    ("sampler", "'pte'"),
    ("sampler", "None"),
    ("sampler", "5"),
    ("sampler", "optuna.samplers.TPESampler"),
    ("sampler", "optuna.pruners.MedianPruner()"),
    ("pruner", "'mdian'"),
    ("pruner", "None"),
    ("pruner", "0.5"),
    ("pruner", "optuna.pruners.MedianPruner"),
    ("solved_at", "nan"),
    ("solved_at", "inf"),
    ("solved_at", "0"),
    ("solved_at", "-0.5"),
    ("solved_at", "1.5"),
    ("solved_at", "'high'"),
    ("solved_at", "None"),
    ("transferred", "'maybe'"),
    ("transferred", "None"),
    ("baseline", "'gru'"),
    ("baseline", "None"),
    ("baseline", "''"),
    ("nuisances", "{}"),
    ("nuisance", "None"),
    ("nuisance", "[]"),
    ("fixed", "None"),
]
"""A field of the study and what it cannot be."""

SPACES = [
    ("Range(-1, 1)", "low > 0"),
    ("Range(0, 1)", "low > 0"),
    ("Range(1, 1)", "low < high"),
    ("Range(0.1, 0.01)", "low < high"),
    ("Range(nan, 1)", "finite"),
    ("Range(0.1, nan)", "finite"),
    ("Range(0.1, inf)", "finite"),
    ("Range(-inf, 1, log=False)", "finite"),
    ("Range('a', 'b')", "Range"),
    ("Range(0.1)", "required"),
    ("Range()", "required"),
    ("Range(None, 1)", "Range"),
    ("Range(0.1, 1, step=0)", "step"),
    ("Range(0.1, 1, log=False, step=-1)", "step"),
    ("Range(0.1, 1, log=False, step=nan)", "step"),
    ("Range(0.1, 1, log=False, step=5)", "step"),
    ("Range(0.1, 1, log=False, step=inf)", "step"),
    ("Range(0.1, 1, step=0.1)", "step"),
    ("Range(True, 2)", "Range"),
    ("Range(0.1, 1, lgo=False)", "lgo"),
    ("Range(0.1, 1, where=3)", "where"),
    ("Range(0.1, 1, where={'optimiser': 'sgd'})", "names 'optimiser'"),
    ("Range(0.1, 1, where={'lr': 1})", "names 'lr'"),
    ("Range(0.1, 1, where={'variant': 'gru'})", "'gru'"),
    ("Range(0.1, 1, where={'task': 'copying'})", "can have no condition"),
    ("Range(0.1, 1, where={'task': ()})", "where"),
    ("Choice([])", "two values"),
    ("Choice([0.1])", "two values"),
    ("Choice([0.1, 0.1])", "two values"),
    ("Choice('ab')", "Choice"),
    ("Choice([0.1, nan])", "finite"),
    ("Choice([0.1, inf])", "finite"),
    ("Choice([0.1, -1])", "learning rate above 0"),
    ("Choice([0.1, 0])", "learning rate above 0"),
    ("Choice([0.1, 'big'])", "learning rate above 0"),
    ("Choice([0.1, None])", "learning rate above 0"),
    ("Choice([0.1, [1]])", "Choice"),
    ("Choice([0.1, True])", "learning rate above 0"),
    ("Choice()", "required"),
    ("Choice(0.1, 0.2)", "Choice: 0: "),
    ("Choice(None)", "Choice"),
    ("Choice({'a': 1, 'b': 2})", "Choice"),
    ("0.1", "is a Range"),
    ("(0.1, 1)", "is a Range"),
    ("'log'", "is a Range"),
    ("None", "is a Range"),
    ("Range", "is a Range"),
    ("lambda: 1", "is a Range"),
    ("optuna.distributions.FloatDistribution(-1, 1)", "learning rate above 0"),
    ("optuna.distributions.IntDistribution(0, 5)", "learning rate above 0"),
    ("optuna.distributions.CategoricalDistribution(['a', 'b'])", "learning rate above 0"),
    ("Range(1e-3, 1e300 * 1e300)", "finite"),
    ("Range(10**400, 10**401)", "finite"),
    ("Choice([0.1, 10**400])", "finite"),
    ("Choice([0.1, lambda: 1])", "is a text, a number, True, False or None"),
    ("Choice([0.1, torch.ones(2)])", "is a text, a number, True, False or None"),
    ("Range(0.1, 1, where={'variant': np.ones(2)})", "is a text, a number, True, False or None"),
]
"""What the learning rate cannot be drawn from."""

FACTORS = [
    ("{}", "need a learning rate"),
    ("{'lrr': Range(1e-3, 1e-1)}", "did you mean 'lr'?"),
    ("{'lr': Range(1e-3, 1e-1), 'momentum': Range(0.1, 0.9)}", "adam has no 'momentum'"),
    ("{'lr': Range(1e-3, 1e-1), 'optimiser': Choice(['adam', 'sdg'])}", "'sdg'"),
    ("{'lr': Range(1e-3, 1e-1), 'optimiser': Range(1, 2)}", "cannot be a range"),
    ("{'lr': Range(1e-3, 1e-1), 'batch': Range(0.5, 2.5)}", "'batch'"),
    ("{'lr': Range(1e-3, 1e-1), 'batch': Choice([0, 4])}", "'batch'"),
    ("{'lr': Range(1e-3, 1e-1), 'batch': Choice([4, 10**12])}", "GB of memory"),
    ("{'lr': Range(1e-3, 1e-1), 'hidden': Choice([-1, 4])}", "'hidden'"),
    ("{'lr': Range(1e-3, 1e-1), 'hidden': Choice([4, 10**9])}", "GB of memory"),
    ("{'lr': Range(1e-3, 1e-1), 'hidden': Choice([4, 8]), 'parameters': Choice([99, 200])}", "search one of them"),
    ("{'lr': Range(1e-3, 1e-1), 'parameters': Choice([1, 99])}", "cannot be met"),
    ("{'lr': Range(1e-3, 1e-1), 'layers': Choice([0, 1])}", "layers"),
    ("{'lr': Range(1e-3, 1e-1), 'layers': Choice([1, 'two'])}", "layers"),
    ("{'lr': Range(1e-3, 1e-1), 'cell': Choice(['rnn', 'gru'])}", "'cell'"),
    ("{'lr': Range(1e-3, 1e-1), 'seed': Range(1, 5)}", "'seed'"),
    ("{'lr': Range(1e-3, 1e-1), '': Range(1, 5)}", "unknown"),
    ("{'lr': Range(1e-3, 1e-1), 5: Range(1, 5)}", "nuisance"),
    ("{'lr': Range(1e-3, 1e-1), 'clip': Range(-1, 1, log=False)}", "above 0"),
    ("{'lr': Range(1e-3, 1e-1), 'clip': Choice([1.0, nan])}", "finite"),
    ("{'lr': Range(1e-3, 1e-1), 'warmup': Choice([0.1, 1.0])}", "below 1"),
    ("{'lr': Range(1e-3, 1e-1), 'schedule': Choice(['linear', 'cosin'])}", "'cosin'"),
]
"""Nuisance factors that cannot be searched."""

FIXED = [
    ("{'clip': nan}", "above 0"),
    ("{'clip': -1.0}", "above 0"),
    ("{'clip': 0}", "above 0"),
    ("{'clip': inf}", "above 0"),
    ("{'clip': '1'}", "above 0"),
    ("{'clip': None}", "above 0"),
    ("{'clip': True}", "above 0"),
    ("{'clp': 1.0}", "did you mean 'clip'?"),
    ("{'weight_decay': -0.1}", "0 or more"),
    ("{'weight_decay': nan}", "0 or more"),
    ("{'weight_decay': inf}", "0 or more"),
    ("{'momentum': 1.0}", "below 1"),
    ("{'momentum': 0.9}", "adam has no 'momentum'"),
    ("{'warmup': nan}", "below 1"),
    ("{'schedule': 'cosin'}", "linear, cosine, constant"),
    ("{'curriculum': 3}", "logarithmic"),
    ("{'batch': 4}", "budget's"),
    ("{'optimiser': 'sgd'}", "study's `optimiser`"),
    ("{'lr': 0.1}", "among both"),
    ("{'hidden': 4}", "variants"),
    ("{3: 4}", "fixed"),
    ("{'clip': 10**400}", "above 0"),
    *(
        (f"{{'clip': {value}}}", "fixed.clip: it is a text, a number, True, False or None")
        for value in ("lambda: 1", "RNN", "torch.ones(2)", "np.ones(2)", "{1}", "[1]")
    ),
]

NOT_PLAIN = {
    "lambda z: z": "a function",
    "torch.tanh": "a function",
    "RNN": "the class RNN",
    "partial(print)": "of type partial",
    "torch.tensor(1.0)": "of type Tensor",
    "np.ones(3)": "of type ndarray",
    "{1, 2}": "of type set",
    "b'x'": "of type bytes",
    "1j": "of type complex",
    "nan": "nan, no finite number",
    "-inf": "-inf, no finite number",
    "10**400": "a number beyond all floats",
    "[1, lambda: 1]": "a function",
    "{'a': {1}}": "of type set",
}
"""Values that cannot be recorded, and what a message says of each."""

VARIANTS = [
    ("(Variant('x', 'lsmt'),)", "unknown model 'lsmt'"),
    ("(Variant('x', 'recurrent', {'cell': 'lsmt'}),)", "did you mean 'lstm'?"),
    ("(Variant('x', 'recurrent', {'cel': 'lstm'}),)", "did you mean 'cell'?"),
    ("(Variant('x', 'recurrent', {'cell': 5}),)", "cell"),
    ("(Variant('x', 'recurrent', {'layers': 0}),)", "layers"),
    ("(Variant('x', 'recurrent', {'layers': 'two'}),)", "layers"),
    ("(Variant('x', 'recurrent', {'layers': 10**9}),)", "layers"),
    ("(Variant('x', 'recurrent', {'direction': 'up'}),)", "direction"),
    ("(Variant('', 'recurrent'),)", "name"),
    ("(Variant(5, 'recurrent'),)", "name"),
    ("(Variant('a/b', 'recurrent'),)", "name"),
    ("(Variant('x' * 300, 'recurrent'),)", "name"),
    ("(Variant('a\\nb', 'recurrent'),)", "name"),
    ("(Variant('x', None),)", "unknown model"),
    ("(Variant('x', MODELS['cnn']),)", "a model is given by its name, here 'cnn'"),
    ("(Variant('x', Cell),)", "a model is given by its name in MODELS"),
    ("(Variant('x', 'recurrnt'),)", "did you mean 'recurrent'?"),
    ("(Variant('x', 'recurrent', None),)", "flags"),
    ("(Variant('x', 'recurrent', {5: 1}),)", "flag"),
    *(
        (f"(Variant('x', 'recurrent', {{'layers': {value}}}),)", f"variant 'x': its flag 'layers' is {what}; flags are")
        for value, what in NOT_PLAIN.items()
    ),
    ("(Variant('x', 'recurrent', {'cell': RNN}),)", "its name in CELLS is 'rnn'"),
    ("(Variant('x', 'recurrent', {}, 'lstm', lambda: 1),)", "its change is a text"),
    ("(Variant('x', 'recurrent', {}, 5, 'y'),)", "its parent is a text"),
    ("(Variant('x', 'recurrent', base=RNN),)", "its base is a text"),
    ("(VARIANTS['rnn'], VARIANTS['rnn'])", "same name"),
    ("(Variant('x', 'recurrent', {}, 'x', 'y'),)", "parent"),
    ("(Variant('x', 'recurrent', {}, 'lstm'),)", "says the change"),
    ("(Variant('x', 'recurrent', {}, None, 'y'),)", "parent"),
    ("(Variant('x', 'recurrent', {}, 'lsmt', 'y'),)", "did you mean 'lstm'?"),
    (
        "(Variant('a', 'recurrent', {'cell': 'rnn'}, 'b', 'y'), Variant('b', 'recurrent', {'cell': 'lstm'}, 'a', 'z'))",
        "its own ancestor",
    ),
    ("(VARIANTS['lstm'], Variant('x', 'recurrent', {'cell': 'gru', 'layers': 2}, 'lstm', 'y'))", "in 2 flags"),
    ("(Variant('x', 'recurrent', size=Parameters(0)),)", "whole number"),
    ("(Variant('x', 'recurrent', size=Parameters('many')),)", "whole number"),
    ("(Variant('x', 'recurrent', size=5),)", "size"),
    ("(Variant('x', 'tcn', {'kernel': 0}),)", "known: none"),
    ("(Variant('lstm', 'recurrent', {'cell': 'lstm'}, size=Parameters(10**12)),)", "cannot be met"),
]

TASK_DICTS = [
    ("{}", "task"),
    ("None", "tasks"),
    ("{'x': 5}", "tasks"),
    ("{'x': Adding}", "tasks"),
    ("{'x': 'adding'}", "tasks"),
    ("{'': Adding(length=4)}", "the task's name"),
    ("{'a/b': Adding(length=4)}", "the task's name"),
    ("{'x' * 300: Adding(length=4)}", "the task's name"),
    ("{'a\\nb': Adding(length=4)}", "the task's name"),
    ("{5: Adding(length=4)}", "tasks"),
    ("{'x': Adding(length=0)}", "length"),
    ("{'x': Adding(length=-4)}", "length"),
    ("{'x': Adding(length=4.5)}", "length"),
    ("{'x': Adding(length=nan)}", "length"),
    ("{'x': Adding(length='four')}", "length"),
    ("{'x': Adding(lenght=4)}", "lenght"),
    ("{'x': Adding(length=4, shortest=9)}", "shortest"),
    ("{'x': Adding(length=4, protocol='other')}", "protocol"),
    ("{'x': Adding(length=10**12)}", "GB of memory"),
    ("{'x': TASKS['copying'](delay=-1)}", "delay"),
    ("{'x': TASKS['copying'](items=0)}", "items"),
    ("{'x': TASKS['coping']()}", "KeyError"),
    ("{'x': TASKS['france'](gap=-1)}", "gap"),
    ("{'x': Adding(length=10**30)}", "GB of memory"),
    ("{'x': TASKS['copying'](delay=10**12)}", "cannot be met"),
    ("{'x': TASKS['copying'](delay=10**30)}", "cannot be met"),
]

SCALES = [
    ("{'budget': None}", "budget"),
    ("{'variants': {'copying': ('rnn',)}}", "unknown task"),
    ("{'variants': {'adding': ('gru',)}}", "unknown variant"),
    ("{'variants': {'adding': ('lstm',)}}", "needs 'rnn'"),
    ("{'variants': {'adding': ()}}", "adding"),
    ("{'variants': 5}", "variants"),
    ("{'costs': 5}", "costs"),
    ("{'costs': Costs(cells=('lsmt',), reference='lstm', hidden=(4,), rounds=1, length=4, batch=4)}", "lsmt"),
    ("{'costs': Costs(cells=(), reference='lstm', hidden=(4,), rounds=1, length=4, batch=4)}", "cells"),
    ("{'costs': Costs(cells=('lstm',), reference='lsmt', hidden=(4,), rounds=1, length=4, batch=4)}", "lsmt"),
    ("{'costs': Costs(cells=('lstm',), reference='lstm', hidden=(), rounds=1, length=4, batch=4)}", "hidden"),
    ("{'costs': Costs(cells=('lstm',), reference='lstm', hidden=(4,), rounds=0, length=4, batch=4)}", "rounds"),
    ("{'budget': replace(budget, far=(4,))}", "far"),
    ("{'budget': replace(budget, far=(-1,))}", "far"),
    ("{'budget': replace(budget, far=(50, 40))}", "far"),
    ("{'budget': replace(budget, far='x')}", "far"),
    ("{'budget': replace(budget, far=(10**30,))}", "far"),
    ("{'tsaks': {}}", "tsaks"),
]

CELL = """
class Own(Cell):
    name, gates = "own", (Gate("z"),)
{body}
CELLS["own"] = Own
"""
STEP = "    step = staticmethod(lambda f, a, s, v: {})"
OWN = """(Variant("own", "recurrent", {"cell": "own"}),)"""

DECLARATIONS = [
    ("name = 5", "it must be a text"),
    ("name = ''", "name"),
    ("name = 'a/b'", "name"),
    ("name = '../x'", "name"),
    ("name = 'x' * 300", "name"),
    ("name = 'a\\nb'", "name"),
    ("name = None", "name"),
    ("name = '7'", "name"),
    ("gates = ()", "tuple of gates"),
    ("gates = None", "gates"),
    ("gates = Gate('z')", "tuple of gates"),
    ("gates = ('z',)", "write Gate('z')"),
    ("gates = (Gate('z'), Gate('z'))", "twice"),
    ("gates = (Gate('1z'),)", "identifier"),
    ("gates = (Gate(''),)", "identifier"),
    ("gates = (Gate(5),)", "identifier"),
    ("gates = (Gate('lambda'),)", "name"),
    ("gates = (Gate('z', recurrent='no'),)", "known: added, apart, none"),
    ("gates = (Gate('z', bias=nan),)", "finite number"),
    ("gates = (Gate('z', bias='one'),)", "finite number"),
    ("gates = (Gate('z', bias=inf),)", "finite number"),
    ("gates = (Gate('z', bias=True),)", "finite number"),
    ("gates = (Gate('z', bias=10**400),)", "finite number"),
    ("gates = (Gate('z', bias=[1]),)", "finite number"),
    ("gates = (Gate('z', operand=True),)", "no method operand"),
    ("gates = (Gate('z', feedback=True),)", "not in its state"),
    ("gates = (Gate('z', operand='yes'),)", "True or False"),
    ("gates = (Gate('z', colour=1),)", "colour"),
    ("state = ()", "begin with h"),
    ("state = ('c', 'h')", "begin with h"),
    ("state = 'h'", "tuple of names"),
    ("state = ('h', 'h')", "twice"),
    ("state = ('h', 5)", "identifier"),
    ("vectors = ('z',)", "clash"),
    ("vectors = ('h',)", "clash"),
    ("vectors = 'p'", "tuple of names"),
    ("vectors = ('p', 'p')", "twice"),
    ("vectors = ('1',)", "identifier"),
    ("vectors = ('W',)", "clash"),
    ("start = 'zero'", "known: uniform, identity"),
    ("parent = 'lstm'", "cell's class"),
    ("parent = 5", "cell's class"),
    ("vector = ('p',)", "did you mean 'vectors'?"),
    ("bias = {'z': 1}", "say it of each gate"),
    ("change = 5", "change"),
    ("parent = RNN", "change"),
]
"""What a cell's class cannot say."""

STEPS = [
    ("{'h': a.q}", "there is no 'q' among z"),
    ("{'h': s.c}", "there is no 'c' among h"),
    ("{'h': v.p}", "there is no 'p' among nothing"),
    ("{'h': f.gelu(a.z)}", "no function 'gelu'"),
    ("{'h': 0.5}", "not computed from anything"),
    ("{'h': a.z * 0 + float('nan')}", "h"),
    ("{'h': a.z * float('nan')}", "finite"),
    ("{'h': a.z / 0}", "finite"),
    ("{'h': None}", "not computed from anything"),
    ("{'h': nan}", "not computed from anything"),
    ("{'c': a.z}", "returns no 'h'"),
    ("{}", "returns no 'h'"),
    ("a.z", "no dictionary"),
    ("None", "no dictionary"),
    ("[a.z]", "no dictionary"),
    ("{'h': a.z, 5: a.z}", "5"),
    ("{'h': a.z, 'a b': a.z}", "'a b'"),
    ("{'h': a.z * random.random()}", "random"),
    ("{'h': a.z + torch.randn(1)}", "random"),
    ("{'h': a.z * np.random.rand()}", "random"),
    ("{'h': a.z if a.z > 0 else s.h}", "no equations"),
    ("{'h': torch.softmax(a.z, -1)}", "no equations"),
    ("{'h': a.z.mean()}", "h"),
    ("{'h': torch.cat([a.z, a.z])}", "h"),
    *(
        (f"{{'h': {over_units}}}", "write it as a model: `ablate new model NAME` shows how")
        for over_units in (
            "(a.z - a.z.mean()) / a.z.std()",
            "(a.z - a.z.mean(-1, keepdim=True)) / (a.z.var(-1, keepdim=True) + 1e-5).sqrt()",
            "torch.std(a.z)",
            "torch.var(a.z, -1)",
            "a.z / a.z.norm()",
            "torch.linalg.norm(a.z)",
            "a.z / a.z.sum(-1, keepdim=True)",
            "a.z.softmax(-1)",
            "a.z.max(-1).values",
            "max(a.z)",
            "sum(a.z)",
            "a.z @ torch.ones(1, 1)",
            "torch.nn.functional.linear(a.z, torch.ones(1, 1))",
            "torch.nn.functional.layer_norm(a.z, (1,))",
            "torch.roll(a.z, 1, -1)",
            "a.z[..., :1]",
            "f.mean(a.z)",
            "f.std(a.z)",
            "np.mean(a.z)",
            "np.std(a.z)",
            "np.linalg.norm(a.z)",
            "np.tanh(a.z)",
        )
    ),
    ("{'h': a.z - a.z}", "always 0"),
    ("{'h': a.z ** s.h}", "h"),
    ("{'h': 1 / 0}", "ZeroDivisionError"),
    ("sys.exit(3)", "SystemExit"),
    ("setattr(s, 'h', a.z) or {'h': a.z + s.h}", "changes"),
    ("{'h': a.z.add_(1)}", "changes"),
    ("{'h': counter.append(1) or a.z * len(counter)}", "not deterministic"),
    ("{'h': f.exp(1000 * a.z + 1000)}", "finite"),
    ("{'h': f.log(-1 - a.z * a.z)}", "finite"),
    ("{'h': 'text'}", "not computed"),
    ("{'h': f.tanh(a.z, a.z)}", "TypeError"),
]

OWN_TASK = """
from typing import Any
from tasks import Task
{decorator}
class Own({base}):
    {body}
"""
FROZEN = "@dataclass(frozen=True, kw_only=True)"
FIELDS = {
    "length": "length: int = 4",
    "shortest": "shortest: int | None = None",
    "difficulty_sampling": "difficulty_sampling: str = 'uniform'",
    "difficulty": "difficulty = 'length'",
    "rest": "spec = sample = loss = score = references = loss_references = read = grid = lambda self: (1,)",
}


def own_task(decorator: str = FROZEN, without: str = "") -> str:
    """A task that is declared from the ground up, but for one line; no sequence of it can be drawn."""
    body = "\n    ".join(line for name, line in FIELDS.items() if name != without)
    return OWN_TASK.format(decorator=decorator, base="Task", body=body)


TASK_CLASSES = [
    *(
        (
            OWN_TASK.format(
                decorator=FROZEN, base="Adding", body=f"extra: Any = field(default_factory=lambda: {value})"
            ),
            what,
        )
        for value, what in NOT_PLAIN.items()
    ),
    (
        OWN_TASK.format(decorator="", base="Adding", body="extra: int = 3"),
        "has 'extra', which is no field: write @data",
    ),
    (own_task(decorator=""), "is no dataclass: write @dataclass(frozen=True, kw_only=True) above `class Own`"),
    (
        own_task(decorator="@dataclass(kw_only=True)"),
        "can be changed after it was recorded: write @dataclass(frozen=True",
    ),
    (own_task(without="shortest"), "has no field 'shortest'; every task has `length`, its difficulty, `shortest: int"),
    (own_task(without="difficulty_sampling"), "has no field 'difficulty_sampling'; every task has `length`, its"),
    (own_task(without="length"), "has no field 'length'; every task has `length`"),
    (own_task(without="difficulty"), "has no `difficulty`: the name of the field that makes it harder"),
]
"""Tasks that are declared as no task can be."""

FREE = [
    ("syntax", "STUDY = (", "line 1"),
    ("empty", "", "defines no STUDY"),
    ("name", "STUDY = Studie()", "NameError"),
    ("none", "STUDY = None", "defines no STUDY"),
    ("text", "STUDY = 'claims'", "defines no STUDY"),
    ("exit", "import sys; sys.exit(3)", "SystemExit"),
    ("exit 0", "import sys; sys.exit()", "SystemExit"),
    ("quit", "raise SystemExit('bye')", "SystemExit"),
    ("os", "import no_such_module", "no_such_module"),
    ("base", "class B(BaseException): ...\nraise B('odd')", "odd"),
    ("recursion", "def f(): f()\nf()", "RecursionError"),
    ("memory", "x = bytearray(10**18)", "MemoryError"),
    ("assertion", "assert False, 'no'", "AssertionError"),
    ("nul", "x = 1\0", "null bytes"),
    ("tab", "if 1:\n\tx = 1\n        y = 2", "line 3"),
    ("encoding", "# -*- coding: nothing -*-", "encoding"),
    ("stdin", "input()", "own.py, line 1"),
    ("warning", "raise UserWarning('w')", "UserWarning"),
    ("multi-line", "raise ValueError('a\\nb\\nc')", "a b c"),
    ("stop", "raise StopIteration", "StopIteration"),
    ("long", "raise ValueError('x' * 100_000)", "ValueError"),
    ("empty message", "raise ValueError", "ValueError"),
    ("generator exit", "raise GeneratorExit", "GeneratorExit"),
]


def files() -> Iterator[File]:
    """All of them."""
    yield from (File(what, text, words) for what, text, words in FREE)
    for part in COUNTS:
        for value in NO_COUNTS:
            yield File(f"{part} {value}", study_file(budget=f"{{{part!r}: {value}}}"), part)
    for name, value in STUDIES:
        yield File(f"{name} {value}", study_file(study=f"{{{name!r}: {value}}}"), name)
    grid = "optuna.samplers.GridSampler({'lr': [0.1]})"
    yield File("a grid", study_file(study=f"{{'sampler': {grid}}}"), "cannot be asked round by round")
    yield File("no scales", study_file(study="{'scales': {}}"), "scales is empty")
    for kind, cases in (
        ("nuisance", FACTORS),
        ("fixed", FIXED),
        ("variants", VARIANTS),
        ("tasks", TASK_DICTS),
        ("scale", SCALES),
    ):
        for text, words in cases:
            yield File(f"{kind} {text}", study_file(**{kind: text}), words)
    variants = "(Variant('m-base', 'recurrent'), Variant('m-half', 'recurrent', {'layers': 2}))"
    text = study_file(variants=variants, baseline="'m-bse'")
    yield File("a misspelt baseline", text, "unknown baseline 'm-bse'; did you mean 'm-base'? Known: m-base, m-half")
    for text, words in SPACES:
        yield File(text, study_file(nuisance=f"{{'lr': {text}}}"), words)
    for line, words in DECLARATIONS:
        body = "\n".join((STEP.format("{'h': f.tanh(a.z)}"), f"    {line}"))
        yield File(line, study_file(CELL.format(body=body), variants=OWN), words)
    for step, words in STEPS:
        cell = "counter = []\n" + CELL.format(body=STEP.format(step))
        yield File(step, study_file(cell, variants=OWN), words)
    for before, words in TASK_CLASSES:
        yield File(f"{words}: {before}", study_file(before, tasks="{'own': Own()}"), words)
