"""How much each searched factor matters: PED-ANOVA over the trials of a setting, and what chance alone would show.

PED-ANOVA (Watanabe, Bansal & Hutter 2023; of conditional factors 2026) compares where the best trials lie with where all lie:
a factor whose values are alike in both does not matter. It is Optuna's; the trials come from the record.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from warnings import catch_warnings, simplefilter

import numpy as np
import pandas as pd

from reports.estimates import Estimates
from reports.search_factors import Space, as_drawn, is_numeric
from reports.search_summary import trials

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution

BEST, BEST_SHARE = 5, 0.1
"""The trials that count as the best: this share of all, but not fewer than so many, as Optuna's documentation advises."""

ENOUGH = round(BEST / BEST_SHARE)
"""The trials from which on that share has so many. With fewer, a warning says how many there are."""

SHUFFLES = 100
"""How often the objectives are shuffled among the trials, to see what a factor without any influence gets."""

CHANCE = 0.95
"""The quantile of the importance among the shuffles that is printed beside it."""

COLUMNS = ("task", "variant", "factor", "importance", "by_chance", "trials")


def importance(estimates: Estimates) -> pd.DataFrame:
    """A row for each setting and each of its searched factors, with `COLUMNS`; empty where less than two are searched.

    importance: the factor's share of that of all. by_chance: what it reaches in one of twenty shuffles, in the same units.
    trials: those of the setting in which the factor was drawn.
    """
    spaces: Mapping[str, Space] = estimates.results.study.plan["nuisance"]
    rows: list[list[object]] = []
    if len(spaces) > 1:
        for (task, variant), own in trials(estimates.results).groupby(["task", "variant"], sort=False):
            names = [name for name in spaces if own[name].notna().any()]
            if len(own) > BEST and len(names) > 1:
                rng = estimates.generator(f"importance {task} {variant}")
                found, chance = shares(own[names], ranked(own["objective"]), spaces, rng)
                counts = [int(own[name].notna().sum()) for name in names]
                rows += map(
                    list, zip([task] * len(names), [variant] * len(names), names, found, chance, counts, strict=True)
                )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def ranked(objectives: pd.Series) -> np.ndarray:
    """The objectives (n,) with a value below all others for trials that diverged: they are the worst."""
    lowest = objectives.min() if objectives.notna().any() else 0.0
    return objectives.fillna(lowest - 1.0).to_numpy()


def shares(
    values: pd.DataFrame, objectives: np.ndarray, spaces: Mapping[str, Space], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The importance of each column of values (n, k), as shares (k,) of that of all, and its quantile among shuffles (k,).

    Both are in units of the sum of all importances, and 0 where no trial is better than another.
    """
    import optuna  # most studies search one factor, and need it not

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize")
    for row in values.to_dict("records"):
        drawn = {name: value for name, value in row.items() if not pd.isna(value)}
        distributions = {name: _distribution(spaces[name]) for name in drawn}
        params = {name: as_drawn(value, spaces[name]) for name, value in drawn.items()}
        study.add_trial(optuna.create_trial(params=params, distributions=distributions, value=0.0))
    names = list(values)
    found = _importances(study, names, objectives)
    if not found.sum() > 0:
        return np.zeros(len(names)), np.zeros(len(names))
    shuffled = [_importances(study, names, rng.permutation(objectives)) for _ in range(SHUFFLES)]
    return found / found.sum(), np.quantile(shuffled, CHANCE, axis=0) / found.sum()


def _importances(study: "Study", names: Sequence[str], objectives: np.ndarray) -> np.ndarray:
    from optuna.importance import PedAnovaImportanceEvaluator

    best = max(BEST_SHARE, BEST / len(objectives))
    with catch_warnings():
        simplefilter("ignore")  # Optuna warns of few trials, as the report does itself, and that a target is minimised
        evaluator = PedAnovaImportanceEvaluator(target_quantile=best)
        raw = evaluator.evaluate(study, list(names), target=lambda trial: -objectives[trial.number])
    return np.array([raw[name] for name in names])


def _distribution(space: Space) -> "BaseDistribution":
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if not is_numeric(space):
        return CategoricalDistribution([str(choice) for choice in space["choices"]])
    if space.get("whole"):
        return IntDistribution(space["low"], space["high"], space["log"], space.get("step", 1))
    return FloatDistribution(space["low"], space["high"], space["log"], space.get("step"))


def warning(table: pd.DataFrame) -> str:
    """What few trials mean for the importance; empty where there are enough."""
    fewest = int(table.groupby(["task", "variant"])["trials"].max().min())
    if fewest >= ENOUGH:
        return ""
    return (
        f"With {fewest} trials this is a hint and no finding: at least {ENOUGH} would be needed for a best tenth of {BEST} "
        f"trials. Instead the {BEST} best of {fewest} stand for the best."
    )
