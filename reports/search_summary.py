"""What the search of each setting came to: its best values, how far they may move, and whether they are at an edge."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from reports.document import Block, Paragraph, Table
from reports.result_tables import ResultTables
from reports.search_factors import is_numeric, value_text
from reports.skill import skill_by

WITHIN = 0.1
"""The window of a factor: where skill is less than this share below the best."""

EDGE = 0.05
"""A best value is at an end of its range if its distance to it is below this share of the (log) range."""

FEWEST_TRIED = 4
"""The fewest values of which one at an end says something: of two, one always is."""

TOO_FEW = "too few tried"

MOST_NAMED = 8
"""The most settings that a paragraph names."""

ENDS = ("diverged", "pruned", "finished")
"""How a trial can end, the worst first: a trial ends as the worst of its runs."""

COLUMNS = (
    "task", "variant", "factor", "best", "window_low", "window_high", "lowest_tried", "highest_tried", "edge", "trials",
    "by_tpe", "pruned",
)  # fmt: skip


def trials(results: ResultTables) -> pd.DataFrame:
    """A row per trial: task, variant, trial, the nuisance factors, proposed_by, status, objective, skill, is_best.

    The objective is the mean over the search seeds. A trial that diverged on one of them has none.
    """
    nuisance = list(results.study.plan["nuisance"])
    keys = ["task", "variant", "trial", *nuisance, "proposed_by", "is_best"]
    frame = results.trials.groupby(keys, sort=False, as_index=False, dropna=False)
    table = frame.agg(objective=("objective", _mean_unless_diverged), status=("status", _worst))
    table["skill"] = [_skill(results, row) for _, row in table.iterrows()]
    return table[[*keys[:-1], "status", "objective", "skill", "is_best"]]


def windows(results: ResultTables) -> pd.DataFrame:
    """A row for each setting that has a best trial and each factor that is a range, with the columns `COLUMNS`.

    Of a factor that is drawn under a condition, only the trials count that have it.
    """
    table, ranges = trials(results), results.study.plan["nuisance"]
    rows: list[list[object]] = []
    for (task, variant), own in table.groupby(["task", "variant"], sort=False):
        counts = [len(own), int((own["proposed_by"] == "tpe").sum()), int((own["status"] == "pruned").sum())]
        skills = own["skill"].where(own["status"] == "finished")
        for name, range_ in ranges.items() if own["is_best"].any() else ():
            drawn = own[name].notna() if is_numeric(range_) else np.zeros(len(own), bool)
            if not own["is_best"][drawn].any():
                continue  # it is one of several values, or the best trial has none
            values, best = own[name][drawn].to_numpy(), int(np.flatnonzero(own["is_best"][drawn])[0])
            low, high = window(values, skills[drawn].to_numpy(), best)
            at = edge(values[best], values, range_) if len(values) >= FEWEST_TRIED else TOO_FEW
            ends = [values.min(), values.max(), at]
            rows.append([task, variant, name, values[best], low, high, *ends, *counts])
    return pd.DataFrame(rows, columns=list(COLUMNS))


def best_values(results: ResultTables) -> pd.DataFrame:
    """A row for each setting that has a best trial: task, variant, trial, skill of the search, and every factor's value."""
    table = trials(results)
    names = list(results.study.plan["nuisance"])
    best = table[table["is_best"]][["task", "variant", "trial", "skill", *names]].reset_index(drop=True)
    return best.assign(**{name: [value_text(value) for value in best[name]] for name in names})


def window(values: np.ndarray, skills: np.ndarray, best: int) -> tuple[float, float]:
    """The lowest and highest value up to which every value that was tried has 90 % of the best one's skill.

    values, skills: of each trial (n,); a skill is NaN where the trial was pruned or has diverged. best: the best one's
    index. Where the best is no better than guessing there is no window: NaN.

    >>> window(np.array([0.001, 0.004, 0.01, 0.03]), np.array([0.2, 0.85, 0.9, 0.7]), best=2)
    (0.004, 0.01)
    """
    if not skills[best] > 0:
        return float("nan"), float("nan")
    order = np.argsort(values, kind="stable")
    is_inside = (skills >= (1 - WITHIN) * skills[best])[order]
    first = last = int(np.flatnonzero(order == best)[0])
    while first > 0 and is_inside[first - 1]:
        first -= 1
    while last + 1 < len(order) and is_inside[last + 1]:
        last += 1
    return float(values[order[first]]), float(values[order[last]])


def edge(best: float, tried: Sequence[float] | np.ndarray, range_: Mapping[str, Any]) -> str:
    """Why the best value may lie farther out than was looked; empty where it does not.

    >>> edge(0.05, [0.001, 0.02, 0.05], {"low": 0.001, "high": 0.1, "log": True})
    'highest tried'
    >>> edge(0.099, [0.001, 0.099, 0.0999], {"low": 0.001, "high": 0.1, "log": True})
    'near the high end'
    """
    if min(tried) == max(tried):
        return "only value tried"
    if best in (min(tried), max(tried)):
        return "lowest tried" if best == min(tried) else "highest tried"
    scale = np.log if range_["log"] else float
    low, high, value = (scale(x) for x in (range_["low"], range_["high"], best))
    share = (value - low) / (high - low)
    if EDGE <= share <= 1 - EDGE:
        return ""
    return "near the low end" if share < EDGE else "near the high end"


def search_blocks(results: ResultTables) -> Iterator[Block]:
    """How many trials were proposed and pruned, which best values are at an edge, and the windows."""
    table = windows(results)
    if any(setting.best_trial is not None for setting in results.study.settings):
        yield Paragraph(" ".join([_counts(trials(results)), *_warnings(table)]))
    yield Table(
        "search_windows",
        table,
        "The best value of each searched factor, and its window: the range of tried values around it in which the skill of "
        "every finished trial is less than 10 % below the best. Skill is here that of the search's objective. A wide window "
        "says that the factor's value hardly matters. By TPE: how many of the trials TPE proposed.",
    )
    if len(results.study.plan["nuisance"]) > 1:
        yield Table(
            "best_values",
            best_values(results),
            "The best trial of each setting and its value of each searched factor; – where the trial has none. Skill is that "
            "of the search's objective.",
        )


def _counts(table: pd.DataFrame) -> str:
    ends, proposers = (
        table["status"].value_counts(),
        table["proposed_by"].value_counts().drop("start-up", errors="ignore"),
    )
    proposed = "".join(f"{_proposed_by(name)}: {count}; " for name, count in proposers.items() if name)
    return f"Trials: {len(table)}; {proposed}pruned: {ends.get('pruned', 0)}; diverged: {ends.get('diverged', 0)}."


def _proposed_by(sampler: object) -> str:
    """How that sampler's trials come about; nothing is said of records of earlier versions, which do not name it."""
    if sampler in ("random", "RandomSampler"):
        return "drawn at random"
    return f"proposed by {'TPE' if sampler == 'tpe' else sampler} from the results before them"


def _warnings(table: pd.DataFrame) -> Iterator[str]:
    """For each factor of which enough values were tried, how many best ones are at an edge, and of which settings."""
    for name, own in table[table["edge"] != TOO_FEW].groupby("factor", sort=False):
        at_edge = [f"{row.task}/{row.variant} ({row.edge})" for row in own[own["edge"] != ""].itertuples()]
        rest = [f"and {len(at_edge) - MOST_NAMED} more"] if len(at_edge) > MOST_NAMED else []
        settings = "; ".join([*at_edge[:MOST_NAMED], *rest])
        yield (
            f"The best {name} was the highest or lowest tried, or near an end of its range, in {len(at_edge)} of {len(own)} "
            f"settings{': ' + settings if settings else ''}."
        )
        if settings:
            yield "There a better value may lie outside of what was tried."


def _skill(results: ResultTables, row: pd.Series) -> float:
    setting = results.setting(row["task"], row["variant"])
    assert setting is not None  # every trial has one
    return skill_by(setting.references, row["objective"])


def _worst(statuses: pd.Series) -> str:
    return min(statuses, key=ENDS.index)


def _mean_unless_diverged(objectives: pd.Series) -> float:
    return float(objectives.mean(skipna=False))
