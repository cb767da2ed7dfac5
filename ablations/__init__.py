from importlib.util import find_spec as _find_spec
from pathlib import Path as _Path

_own = _Path(__file__).parents[1] / "tasks"
_spec = _find_spec("tasks")
if _spec is None or _spec.origin is None or _Path(_spec.origin).resolve().parent != _own.resolve():
    raise ImportError(
        f"'import tasks' gives {_spec.origin if _spec else 'nothing'}, but ablations needs {_own}; "
        "rename your own module tasks"
    )
