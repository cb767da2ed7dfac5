"""The tasks by name, as parameters of a test that is skipped where a task's data are not there."""

from typing import Any

import pytest

from tasks import TASKS
from tasks.reviews import WHEEL

needs_reviews = pytest.mark.skipif(not WHEEL.exists(), reason=f"the task reviews needs {WHEEL}: make data")


def with_data(task: str, *values: Any, name: str | None = None) -> Any:
    """The parameters `values` of a test on a task, under a name."""
    return pytest.param(*values, marks=[needs_reviews] if task == "reviews" else [], id=name)


EACH_TASK = [with_data(name, name) for name in TASKS]
