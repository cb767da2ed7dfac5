"""A study of as many runs as one likes, as a user's file would define it: nothing is imported that such a file does not need."""

from collections.abc import Iterator
from dataclasses import replace
from math import ceil

from ablations.studies.claims import DEMO, ELSEWHERE, VARIANTS
from ablations.studies.claims import STUDY as CLAIMS
from ablations.study import Study
from tasks import Task
from tasks.adding import Adding
from tasks.copying import Copying
from tasks.france import France

SCALE = "demo"


def large_study(runs: int) -> Study:
    """A study of about so many runs: the networks of the claims, on as many tasks as that needs."""
    settings = ceil(runs / DEMO.budget.runs)
    names = [name for name in ELSEWHERE if name in {variant.name for variant in VARIANTS}]
    names = ["lstm", *(name for name in names if name != "lstm")][: max(2, settings)]
    tasks = dict(_tasks(max(1, round(settings / len(names)))))
    scale = replace(DEMO, tasks=tasks, variants={}, costs=None)
    variants = tuple(variant for variant in VARIANTS if variant.name in names)
    return replace(CLAIMS, name="large", variants=variants, scales={SCALE: scale})


def _tasks(number: int) -> Iterator[tuple[str, Task]]:
    for index in range(number):
        more, kind = divmod(index, 3)
        task = (
            Adding(length=20 + more),
            Copying(delay=6 + more, items=5, loss_over="recall"),
            France(gap=12 + more),
        )[kind]
        yield f"{('adding', 'copying', 'france')[kind]}-{more}", task
