"""What is written, symbol by symbol: how many answers are right as a whole, and where attention looks meanwhile."""

from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any

import pandas as pd
from numpy.typing import ArrayLike

from ablations.record.schema import ATTENTION_PAIRS
from reports.document import Block, Heading, Paragraph, Picture, Table
from reports.estimates import Estimates
from reports.figures.attention_maps import ATTENTION_MAPS, by_page, pair
from reports.figures.base import percent
from reports.figures.exact_match import EXACT_MATCH
from reports.prose import counted
from reports.result_tables import ResultTables
from reports.statistics.intervals import median
from reports.statistics.sample import Estimate, share_sample
from reports.table_columns import ATTENTION, typed

COLUMNS = [
    "task", "variant", "n", "score", "score_low", "score_high", "exact_match", "exact_low", "exact_high",
    "aligned", "aligned_low", "aligned_high", "chance", "permuted", "above_both",
]  # fmt: skip

CAPTION = (
    "Written answers at the nominal difficulty: the typical run's score (share of right symbols) and exact match (share of "
    "answers that are right in every symbol), with their 95 % intervals. Aligned is the share of symbols whose largest weight "
    "lies on what determines them in the source, which the task knows; chance is the same of weights that lie anywhere, and "
    "permuted of the weights of another pair, which know the place in the answer alone. The last column counts the runs in "
    "which aligned is above both. A run that diverged has no answer right, and looks anywhere."
)


def written_tables(estimates: Estimates) -> dict[str, pd.DataFrame]:
    """The tables of the section by name; none where a study has no written answers."""
    if not estimates.results.written:
        return {}
    kinds = {"exact_match": EXACT_MATCH, "attention_maps": ATTENTION_MAPS}
    return {"written_answers": table(estimates)} | {name: kind.table(estimates) for name, kind in kinds.items()}


def table(estimates: Estimates) -> pd.DataFrame:
    """`COLUMNS`, all at the nominal difficulty, of each task and variant that writes answers.

    The typical run's score, exact match and share of aligned symbols, with their intervals; that share by chance and with
    the weights of another pair, also of the typical run; and the number of runs whose own share is larger than both.
    """
    results = estimates.results
    at_nominal = results.difficulty[results.difficulty["difficulty"] == results.difficulty["nominal"]]
    groups = at_nominal[at_nominal["task"].isin(results.written)].groupby(["task", "variant"], sort=False)
    attention = dict(iter(attention_scores(results).groupby(["task", "variant"])))
    rows = [[*key, len(runs), *_typical(runs, estimates), *_attention(attention.get(key))] for key, runs in groups]
    return pd.DataFrame(rows, columns=COLUMNS)


def attention_scores(results: ResultTables) -> pd.DataFrame:
    """The scores of each replicate's attention, `ATTENTION`, in the settings that have some.

    One that diverged counts as looking anywhere: its shares are the setting's mean chance.
    """
    shares, settings = ["aligned", "chance", "permuted"], {s.identity: s for s in results.study.settings}
    rows = [
        [s.task, s.variant, run.number, *(run.metrics.get(f"attention_{name}", float("nan")) for name in shares)]
        for run in results.study.replicates
        for s in [settings[run.setting]]
    ]
    frame = typed(rows, ATTENTION)
    chance = frame.groupby(["task", "variant"])["chance"].transform("mean")
    frame[shares] = frame[shares].apply(lambda column: column.fillna(chance))
    return frame[chance.notna()].reset_index(drop=True)


def _typical(runs: pd.DataFrame, estimates: Estimates) -> list[float]:
    return [end for name in ("score", "exact_match") for end in _median(runs[name], estimates.test_sequences)]


def _attention(runs: pd.DataFrame | None) -> list[float]:
    if runs is None:
        return [float("nan")] * 6
    others = runs[["chance", "permuted"]]
    above = (runs["aligned"] > others.max(axis=1)).sum()
    return [*_median(runs["aligned"], ATTENTION_PAIRS), *others.median(), float(above)]


def _median(shares: ArrayLike, sequences: int) -> tuple[float, float, float]:
    """The typical one of some shares, each of so many sequences, and the ends of its interval."""
    estimate = median(share_sample(shares, sequences))
    return estimate.value, estimate.low, estimate.high


def written_blocks(data: Mapping[str, pd.DataFrame], say: Callable[[str, str], object]) -> Iterator[Block]:
    """The section, given its tables among others: in words, in numbers, by difficulty, and the maps of attention."""
    if "written_answers" not in data:
        return
    answers, exact, maps = (data[name] for name in ("written_answers", "exact_match", "attention_maps"))
    yield Heading("Written answers" if maps.empty else "Attention")
    for task, rows in answers.groupby("task", sort=False):
        yield Paragraph(_in_words(task, rows))
    yield Table("written_answers", answers, CAPTION)
    graded = exact[exact.groupby("task")["difficulty"].transform("nunique") > 1]
    if not graded.empty:
        say("drawing the figures", EXACT_MATCH.topic)
        yield Heading(EXACT_MATCH.topic, level=2)
        yield _exact_picture(graded)
    number = count(1)
    for task, rows in maps.groupby("task", sort=False):
        say("drawing the figures", f"{ATTENTION_MAPS.topic}, {task}")
        yield Heading(f"{ATTENTION_MAPS.topic}: {task}", level=2)
        for page in by_page(rows):
            shown = answers[(answers["task"] == task) & answers["variant"].isin(page["variant"])]
            yield _map_picture(next(number), page, shown)


def _exact_picture(table: pd.DataFrame) -> Picture:
    return EXACT_MATCH.picture("exact_match", table)


def _map_picture(place: int, maps: pd.DataFrame, answers: pd.DataFrame) -> Picture:
    """Maps of one task. Those who cannot see them are told the pair, which is the same for all variants."""
    shares = ", ".join(f"{row.variant} {row.aligned:.3g} (chance {row.chance:.3g})" for row in answers.itertuples())
    caption = (
        f"{ATTENTION_MAPS.caption(maps)} Over {ATTENTION_PAIRS} test pairs and in the typical run, the share of symbols whose "
        f"largest weight does so is: {shares}. Numbers: tables/attention_maps.csv."
    )
    first = maps[maps["variant"] == maps["variant"].iloc[0]]
    finding = looked_right(answers) or ATTENTION_MAPS.finding(maps)
    alt = f"{finding}. {caption} The pair is {' → '.join(pair(first))}."
    return Picture(f"attention_maps_{place}", ATTENTION_MAPS.svg(maps, finding), caption, alt)


def looked_right(answers: pd.DataFrame) -> str:
    """How often the largest weight lies on what decides the symbol, for each network that attends; empty where none does."""
    rows = answers[answers["aligned"].notna()].sort_values("aligned", ascending=False, kind="stable")
    shares = [
        f"of {row.variant} for {percent(row.aligned)} of symbols (by chance {percent(row.chance)})"
        for row in rows.itertuples()
    ]
    return f"The largest weight lies on what decides the symbol: {', '.join(shares)}" if shares else ""


def _in_words(task: str, rows: pd.DataFrame) -> str:
    best_first = rows.sort_values("exact_match", ascending=False, kind="stable")
    shares = ", ".join(f"{row.variant} {row.exact_match:.3g}" for row in best_first.itertuples())
    attending = rows[rows["aligned"].notna()]
    return " ".join(
        [
            f"On {task}, the share of answers that are right in every symbol is in the typical run: {shares}.",
            *(_looks(row) for row in attending.itertuples()),
        ]
    )


def _looks(row: Any) -> str:
    """Where a variant's attention looks."""
    if not row.above_both:
        return (
            f"Weights that lie anywhere, or another pair's, do at least as well as those of {row.variant} in each run."
        )
    aligned = Estimate(row.aligned, row.aligned_low, row.aligned_high, row.n)
    return (
        f"The largest weight of {row.variant} lies on what determines the symbol for a share of {aligned} of the symbols. "
        f"Weights that lie anywhere would for {row.chance:.3g}, those of another pair for {row.permuted:.3g}; it is above both "
        f"in {row.above_both:.0f} of {counted(row.n, 'run')}."
    )
