"""Tasks at a difficulty of a test's choice, whatever else they need."""

from tasks import TASKS, Task

ROOM = {"recall": "alphabet"}
"""The parameter that bounds a task's difficulty."""


WRITERS = {"recurrent", "birnn", "bilstm", "bigru", "bilstm-attention", "bag-of-words"}
"""The models that can write an answer."""


def can_answer(model: str, task: str) -> bool:
    """Whether there is such a model of a task."""
    return model in WRITERS or not TASKS[task]().spec.symbols


def of_difficulty(name: str, nominal: int) -> Task:
    """A task at this difficulty, or at the nearest that there is, with room for twice that."""
    least = TASKS[name].min_difficulty
    nominal = max(nominal, least if isinstance(least, int) else 1)  # it may be a property: the task's own difficulty
    nominal = min(nominal, TASKS[name].max_difficulty or nominal)
    return TASKS[name](**{TASKS[name].difficulty: nominal}, **({ROOM[name]: 2 * nominal} if name in ROOM else {}))
