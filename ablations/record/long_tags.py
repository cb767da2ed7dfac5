"""JSON in tags. MLflow cuts a tag's value at its limit; a longer text goes into several tags."""

import json
from collections.abc import Mapping
from contextlib import suppress
from itertools import accumulate, count, takewhile
from typing import Any

LONGEST_TAG = 8000
"""MLflow's limit for the value of a run's tag; an experiment's may be longer."""


def json_tags(key: str, value: Any, longest: int = LONGEST_TAG) -> dict[str, str]:
    """The tags that hold a value as JSON: `key`, and `key.2`, `key.3`, … where it is long.

    >>> json_tags("plan", [1, 23], longest=4)
    {'plan': '[1, ', 'plan.2': '23]'}
    """
    text = as_json(value)
    pieces = [text[start : start + longest] for start in range(0, len(text), longest)]
    return {_name(key, number): piece for number, piece in enumerate(pieces, 1)}


def as_json(value: Any) -> str:
    """A value as JSON. NumPy's numbers, which a user's study may have, are numbers."""
    return json.dumps(value, default=lambda number: number.item())


def read_json(tags: Mapping[str, str], key: str) -> dict[str, Any]:
    """The JSON object that such tags hold. Raises ValueError where they hold none.

    What follows the object's end is left from a longer value that was there before.

    >>> read_json({"plan": '{"a": ', "plan.2": "1}", "plan.3": "23}"}, "plan")
    {'a': 1}
    """
    names = takewhile(tags.__contains__, (_name(key, number) for number in count(1)))
    for text in accumulate(tags[name] for name in names):
        with suppress(ValueError):  # a part of an object is no JSON
            value = json.loads(text)
            if isinstance(value, dict):
                return value
    raise ValueError(f"the tag {key!r} holds no JSON object")


def _name(key: str, number: int) -> str:
    return key if number == 1 else f"{key}.{number}"
