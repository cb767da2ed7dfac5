"""What proposes a study's trials and what stops them: names, or objects of Optuna's. Optuna itself is not needed here."""

from typing import Any

from ablations.errors import UserError
from ablations.registry import check_known

SAMPLERS = ("tpe", "random", "qmc", "gp")
"""Samplers by name: Optuna's TPE, independent draws, a quasi-Monte Carlo sequence, and a Gaussian process."""

PRUNERS = ("clear", "median", "hyperband", "none")
"""Pruners by name: the project's own, which stops what is clearly worse than its round; two of Optuna's; none at all."""

DEFAULT_PRUNER = "clear"

WITHOUT_RESULTS = ("random", "qmc")
"""The samplers whose proposals do not depend on results."""

STATELESS = (bool, int, float, str, type(None))


def check_sampler(sampler: Any) -> None:
    """Raises `UserError` where it is neither a name nor a sampler of Optuna's, or one that cannot be asked for trials."""
    _check(sampler, "sampler", SAMPLERS, "sample_relative")
    if type(sampler).__name__ in ("GridSampler", "BruteForceSampler"):
        raise UserError(
            f"a {type(sampler).__name__} cannot be asked round by round; use a Choice for each factor with 'tpe'"
        )


def check_pruner(pruner: Any) -> None:
    """Raises `UserError` where it is neither a name nor a pruner of Optuna's."""
    _check(pruner, "pruner", PRUNERS, "prune")


def proposes_from_results(sampler: Any) -> bool:
    """Whether what it proposes depends on the results of earlier trials."""
    return sampler not in WITHOUT_RESULTS and type(sampler).__name__ not in ("RandomSampler", "QMCSampler")


def name_of(given: Any) -> str:
    """A short name: of Optuna's own TPE "tpe", however it is given; of other objects that of their class."""
    if isinstance(given, str):
        return given
    return "tpe" if type(given).__name__ == "TPESampler" else type(given).__name__


def described(given: Any) -> str:
    """What is recorded, and makes two studies differ: the name, or an object's class with its plain attributes."""
    return given if isinstance(given, str) else _object(given)


def _object(thing: Any) -> str:
    parts = {name.lstrip("_"): _text(value) for name, value in sorted(vars(thing).items()) if "seed" not in name}
    return f"{type(thing).__name__}({', '.join(f'{name}={text}' for name, text in parts.items() if text)})"


def _text(value: Any) -> str:
    """A value as text that is the same in every process; empty for what has none, as a state of random numbers is."""
    if isinstance(value, STATELESS):
        return repr(value)
    if isinstance(value, list | tuple | set):
        return f"[{', '.join(map(_text, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key!r}: {_text(each)}' for key, each in value.items())}}}"
    if callable(value) and hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    is_own = type(value).__module__.startswith("optuna.") and type(value).__name__.endswith(("Sampler", "Pruner"))
    return _object(value) if is_own else ""


def _check(given: Any, kind: str, names: tuple[str, ...], method: str) -> None:
    if isinstance(given, str):
        check_known(names, given, kind)
    elif isinstance(given, type) or not callable(getattr(given, method, None)):
        raise UserError(f"the {kind} is one of {', '.join(names)}, or an object of optuna.{kind}s; got {given!r}")
