"""What there is, described in text: tasks, cells, models, studies."""

from collections.abc import Callable, Mapping
from inspect import getdoc

import numpy as np

from ablations.errors import UserError
from ablations.models import CELLS, MODELS, Cell
from ablations.models.backends import backend_of
from ablations.models.equations import marked
from ablations.models.kernels.source import source
from ablations.models.sizes import count_parameters, solve_size
from ablations.models.variant import Variant
from ablations.models.variants import VARIANTS
from ablations.registry import look_up
from ablations.studies import STUDIES
from ablations.study import Plan, Study
from ablations.study.factors import MEANINGS, TRAINING
from ablations.study.own import own_cells, own_models, own_tasks
from ablations.study.search_space import flags_of
from tasks import TASKS, Task

SCIENTIFIC_FLAGS = ("cell", "direction")
"""Flags of models that no study searches: they make another network."""


def first_line(thing: object) -> str:
    """The first line of the docstring, without its backticks, and the flags that a model's name fixes."""
    flags = _fixed(thing)
    line = _prose(thing).partition("\n")[0].replace("`", "")
    return f"{line} ({flags})" if flags else line


def catalogue(claims: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """kind -> name -> a line about it, of everything that there is; the claims, with their sentences, are given."""
    return {
        "tasks": {name: first_line(task) for name, task in TASKS.items()},
        "cells": {name: first_line(cell) for name, cell in CELLS.items()},
        "models": {name: first_line(model) for name, model in MODELS.items()},
        "ablations": {v.name: f"{v.parent}: {v.change}" for v in VARIANTS.values() if v.parent},
        "factors": factors(),
        "studies": {name: study.question for name, study in STUDIES.items()},
        "claims": dict(claims),
    }


def factors() -> dict[str, str]:
    """name -> a line about each factor that a study can search: those of the training, then the flags of models."""
    training = {name: ": ".join(filter(None, (f.allowed, MEANINGS.get(name)))) for name, f in TRAINING.items()}
    models: dict[str, list[str]] = {}
    for variant in (Variant(name, name) for name in MODELS):
        for flag in flags_of(variant):
            if flag not in SCIENTIFIC_FLAGS:
                models.setdefault(flag, []).append(variant.model)
    flags = {
        flag: "; ".join(filter(None, (MEANINGS.get(flag), f"of {', '.join(own)}"))) for flag, own in models.items()
    }
    return {**training, **flags}


def explain(name: str, claims: Mapping[str, str], describe_study: Callable[[Study], str]) -> str:
    """The text about a task, cell, model, ablation, factor, study or claim; those of claims are given."""
    describers: dict[str, Callable[[str], str]] = {
        **dict.fromkeys(factors(), lambda name: f"A factor that a study can search: {factors()[name]}."),
        **dict.fromkeys(STUDIES, lambda name: describe_study(STUDIES[name])),
        **dict.fromkeys(claims, lambda name: claims[name]),
        **dict.fromkeys(_variants(), describe_variant),
        **dict.fromkeys(MODELS, describe_model),
        **dict.fromkeys(CELLS, describe_cell),
        **dict.fromkeys(TASKS, describe_task),
    }
    return look_up(describers, name, "name")(name)


def describe_task(name: str) -> str:
    """A task's rule, an example, and its exact references, at its default parameters."""
    return _task_text(TASKS[name]())


def _task_text(task: Task) -> str:
    example = task.read(task.sample(np.random.default_rng(0), 1), 0)
    return "\n".join(
        [
            _prose(task),
            f"\nAn example at {task.difficulty} {task.nominal}:\n\n{_indented(example)}",
            f"\nEvaluated at {task.difficulty} {', '.join(map(str, task.grid()))}.",
            f"Scores: {_numbers(task.references())}.",
            f"Losses: {_numbers(task.loss_references())}.",
        ]
    )


def describe_cell(name: str) -> str:
    """A cell and the equations of its step; those of an ablation with «what is not in its parent»."""
    cell = CELLS[name]
    backend = f"Computed by the {backend_of(cell)} backend."
    ablation = _ablation(cell.parent.name if cell.parent else None, cell.change)
    return "\n\n".join([_prose(cell), *ablation, f"{_equations(cell)}\n{backend}"])


def cell_source(name: str) -> str:
    """The Python that is compiled for a cell, or for the cell of a named variant."""
    cell = look_up(_variants(), name, "cell or ablation").cell
    if cell is None:
        raise UserError(f"{name} has no cell")
    return source(cell)


def describe_contents(own: Mapping[str, list[str]]) -> list[str]:
    """The texts about the tasks, cells and models that a file without a study defines, given as kind -> names."""
    return [
        *(f"The task {name}: {describe_task(name)}" for name in own["task"]),
        *map(describe_cell, own["cell"]),
        *(f"The model {name}: {describe_model(name)}" for name in own["model"]),
    ]


def describe_own(study: Study, scale: str) -> list[str]:
    """The texts about the cells and models of a study's file, and about its tasks as they are at a scale."""
    tasks = study.at(scale).tasks
    return [
        *(f"The task {label}: {_task_text(task)}" for label, task in own_tasks(tasks).items()),
        *(describe_cell(cell.name) for cell in own_cells(study)),
        *(f"The model {name}: {_model_text(name, tasks)}" for name in own_models(study)),
    ]


def describe_questions(plan: Plan, claims: Mapping[str, str]) -> list[str]:
    """Lines about the tasks of a plan with their parameters, and the claims that it tests with their sentences."""
    tasks = [f"{label}: {type(task).__name__}, {_listed(task.parameters)}" for label, task in plan.tasks.items()]
    sentences = [f"{name}: {sentence}" for name, sentence in claims.items()]
    blocks = {"tasks": tasks, "claims": sentences or [TEXTBOOK]}
    return [line for title, lines in blocks.items() for line in ("", title, *(f"  {each}" for each in lines))]


TEXTBOOK = (
    "none of its own: its report judges the textbook's (`ablate list claims`) for which it has all networks; "
    "`ablate new claim NAME` shows how to give one in their place"
)
"""What is tested by a study that has no claims."""


def own_sources(study: Study | None, own: Mapping[str, list[str]]) -> list[str]:
    """The Python that is compiled for each cell of a file, of its study or without one."""
    return [source(cell) for cell in (own_cells(study) if study else [CELLS[name] for name in own["cell"]])]


def describe_variant(name: str) -> str:
    """A named variant that is not a cell: its model, flags and size rule, and in what it differs from its parent."""
    variant = _variants()[name]
    flags = _listed(variant.flags)
    lines = [
        f"The model {variant.model}{' with ' + flags if flags else ''}.",
        *([f"It is {variant.base} at another size, whatever the budget: {variant.size}."] if variant.size else []),
        *_ablation(variant.parent, variant.change),
    ]
    cell = variant.cell
    lines += [f"Its equations are those of {cell.name}:\n\n{_equations(cell)}"] if cell else []
    return "\n".join(lines)


def _variants() -> Mapping[str, Variant]:
    """The named variants, and those of the built-in studies."""
    return {**{variant.name: variant for study in STUDIES.values() for variant in study.variants}, **VARIANTS}


def describe_model(name: str) -> str:
    """A model, and the hidden size that some parameter counts give it on each task."""
    return _model_text(name, {task: TASKS[task]() for task in TASKS})


def _model_text(name: str, tasks: Mapping[str, Task]) -> str:
    variant = Variant(name, name)
    rows = [f"hidden size and parameters on the task {label}: {_sizes(variant, task)}" for label, task in tasks.items()]
    flags = _fixed(MODELS[name])
    facts = [f"{name} has {flags}."] if flags else []
    facts += _ablation(VARIANTS[name].parent, VARIANTS[name].change) if name in VARIANTS else []
    return "\n\n".join([_prose(MODELS[name]), *facts, _indented("\n".join(rows))])


def _prose(thing: object) -> str:
    """A docstring without its doctests; of a `partial`, that of what it calls."""
    return (getdoc(getattr(thing, "func", thing)) or "").partition(">>>")[0].rstrip()


def _indented(text: str) -> str:
    return "\n".join("    " + line for line in text.splitlines())


def _listed(flags: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in flags.items())


def _fixed(thing: object) -> str:
    """The flags that a model's name fixes."""
    return _listed(getattr(thing, "keywords", {}))


def _ablation(parent: str | None, change: str) -> list[str]:
    """The sentence about an ablation and its parent; none where there is no parent."""
    return [f"An ablation of {parent}: {change}."] if parent else []


def _numbers(values: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in values.items())


def _equations(cell: type[Cell]) -> str:
    """A cell's equations with what differs from its parent marked, and the meaning of their letters."""
    printed = [cell, cell.parent] if cell.parent else [cell]
    apart = any(one.gates_with(recurrent="apart") for one in printed)
    fed_back = any(one.gates_with(feedback=True) for one in printed)
    more = " d is the bias of a recurrent part that stands apart." if apart else ""
    more += " V are the weights of gates that are fed back." if fed_back else ""
    vectors = dict.fromkeys(vector for one in printed for vector in one.vectors)
    more += f" {', '.join(vectors)} are weights of single units." if vectors else ""
    legend = f"W, R and b are the gates' weights and biases, ⊙ is the elementwise product.{more}"
    return f"{_indented(marked(cell))}\n\n{legend}"


def _sizes(variant: Variant, task: Task) -> str:
    try:
        sizes = [solve_size(variant, task.spec, parameters) for parameters in (3000, 10000)]
    except UserError as error:  # with many words the embedding alone has more
        return str(error)
    return ", ".join(f"{size} ({count_parameters(variant, task.spec, size)})" for size in sizes)
