from importlib.util import find_spec as _find_spec
from pathlib import Path as _Path

for _name in ("tasks", "reports"):
    _own = _Path(__file__).parents[1] / _name
    _spec = _find_spec(_name)
    if _spec is None or _spec.origin is None or _Path(_spec.origin).resolve().parent != _own.resolve():
        raise ImportError(
            f"'import {_name}' gives {_spec.origin if _spec else 'nothing'}, but ablations needs {_own}; "
            f"rename your own module {_name}"
        )
