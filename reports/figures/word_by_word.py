"""The answer to an ambiguous word while its sentence comes in, word by word."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ablations.record.schema import RunRecord, SettingRecord
from reports.estimates import Estimates
from reports.figures.base import FigureKind, panels, unique
from reports.figures.labels import GREY, Label
from reports.figures.lines import finish
from reports.mechanisms import replicates_with
from reports.prose import counted, in_a_row

COLUMNS = [
    "task", "variant", "causal", "is_drawn", "sentence", "text", "asked", "right", "place", "word", "sense", "known",
    "mean", "low", "high", "n",
]  # fmt: skip
OTHER = "another sense"
HEIGHT = 2.1
"""Inches; that of a panel."""
COLOURS = ("#0072b2", "#d55e00")
"""Of the two senses."""


def table(estimates: Estimates) -> pd.DataFrame:
    """`COLUMNS`: after each word, the mean, lowest and highest probability over replicates that a network gives each sense.

    It is what it answers at the word `asked`, shown the sentence up to that word. `known` is the probability for a reader who
    knows the task. The senses are the two that the word may have, and all others together. Drawn are the study's baseline,
    or the first network that reads from left to right, and its bidirectional form, or the first that sees the future.
    """
    settings: dict[str, tuple[SettingRecord, list[RunRecord]]] = {}
    for setting, run in replicates_with(estimates.results, "reading"):
        settings.setdefault(setting.identity, (setting, []))[1].append(run)
    drawn = _drawn([setting for setting, _ in settings.values()], str(estimates.results.study.plan["baseline"]))
    rows = [row for setting, runs in settings.values() for row in rows_of(setting, runs, setting.variant in drawn)]
    return pd.DataFrame(rows, columns=COLUMNS)


def _drawn(settings: Sequence[SettingRecord], baseline: str) -> list[str]:
    by_way = {way: [s.variant for s in settings if s.causal == way] for way in (True, False)}
    forward = [name for name in (baseline, *by_way[True]) if name in by_way[True]][:1]
    both = [name for name in (*(f"bi{name}" for name in forward), *by_way[False]) if name in by_way[False]][:1]
    return forward + both


def rows_of(setting: SettingRecord, runs: Iterable[RunRecord], is_drawn: bool) -> Iterator[list[object]]:
    """The rows of one setting."""
    readings = [run.mechanisms["reading"] for run in runs]
    first = readings[0]
    asked, classes = first["asked"], first["classes"]
    for sentence, (words, right) in enumerate(zip(first["steps"], first["answers"], strict=True)):
        known = np.array(first["known"][sentence])
        given = np.array([reading["probabilities"][sentence] for reading in readings])  # replicate, step, class
        senses = [classes.index(answer) for answer in dict.fromkeys(first["answers"])]
        parts = [(classes[k], known[:, k], given[..., k]) for k in senses]
        parts.append((OTHER, 1 - known[:, senses].sum(-1), 1 - given[..., senses].sum(-1)))
        for sense, exact, values in parts:
            for step, word in enumerate(words[asked:]):
                own = values[:, step]
                yield [
                    *(setting.task, setting.variant, setting.causal, is_drawn, sentence, " ".join(words), words[asked]),
                    *(right, step, word, sense, float(exact[step]), own.mean(), own.min(), own.max(), len(own)),
                ]


def draw(table: pd.DataFrame) -> Figure:
    rows = table[table["is_drawn"]]
    keys = list(dict.fromkeys(zip(rows["variant"], rows["sentence"], strict=True)))
    titles = [_title(rows[(rows["variant"] == variant) & (rows["sentence"] == each)]) for variant, each in keys]
    figure, axes = panels(titles, HEIGHT)
    for axis, (variant, sentence) in zip(axes, keys, strict=True):
        _draw_sentence(axis, rows[(rows["variant"] == variant) & (rows["sentence"] == sentence)])
    return figure


def _title(rows: pd.DataFrame) -> str:
    first = rows.iloc[0]
    return f"{first['variant']}: “{first['text'].replace(' ,', ',')}”"


def _draw_sentence(axis: Axes, rows: pd.DataFrame) -> None:
    right, labels = rows["right"].iloc[0], []
    senses = unique(rows["sense"])
    for sense, colour in zip(senses, (*COLOURS, GREY), strict=False):
        line = rows[rows["sense"] == sense]
        style = "-" if sense == right else "--"
        axis.plot(line["place"], line["mean"], color=colour, linestyle=style, marker="o", markersize=3, linewidth=1.6)
        axis.fill_between(line["place"], line["low"], line["high"], color=colour, alpha=0.16, linewidth=0)
        labels.append(Label(line["place"].iloc[-1], line["mean"].iloc[-1], sense, colour))
    ceiling = rows[rows["sense"] == right]
    axis.step(ceiling["place"], ceiling["known"], where="mid", color="#222222", linestyle=":", linewidth=1.3)
    axis.set(ylabel=f"sense of “{rows['asked'].iloc[0]}”", ylim=(-0.04, 1.04))
    axis.set_xticks(ceiling["place"], ceiling["word"], rotation=30, ha="right", rotation_mode="anchor")
    axis.set_xlim(-0.2, ceiling["place"].max() + 0.2)
    finish(axis, labels, HEIGHT)


def right_sense(table: pd.DataFrame) -> pd.DataFrame:
    """For each task and variant, means over the sentences of the right sense: `whole`, of the whole sentence, and `known`, what a
    reader knows before the cue; and the `cues`.
    """
    right = table[table["sense"] == table["right"]]
    rows = []
    for (task, variant), own in right.groupby(["task", "variant"], sort=False):
        sentences = [each.sort_values("place") for _, each in own.groupby("sentence")]
        cues = [each[each["known"] >= 1]["word"].iloc[0] for each in sentences]
        whole = float(np.mean([each["mean"].iloc[-1] for each in sentences]))
        rows.append([task, variant, whole, sentences[0]["known"].iloc[0], cues])
    return pd.DataFrame(rows, columns=["task", "variant", "whole", "known", "cues"])


def finding(table: pd.DataFrame) -> str:
    """What the networks that are drawn give to the right sense of a whole sentence."""
    rows = right_sense(table[table["is_drawn"]])
    cues = " or ".join(f"“{cue}”" for cue in rows["cues"].iloc[0])
    gives = in_a_row([f"{row.variant} gives {row.whole:.2f}" for row in rows.itertuples()])
    most = f"{rows['known'].iloc[0]:.2f}"
    return f"To the right sense {gives}, shown the whole sentence; before {cues} nobody can know more than {most}"


def caption(table: pd.DataFrame) -> str:
    asked = table["asked"].iloc[0]
    n = table[table["is_drawn"]]["n"].max()
    return (
        f"The probability of each sense that a network gives to “{asked}”, after each further word of two test sentences that "
        f"are alike up to the word that decides. Networks are trained to answer at “{asked}” alone, on whole sentences; here "
        "each is shown the sentence up to the word on the axis, with the rest hidden. So the last point is what was trained, "
        "and the cut sentences before it are unlike any in training: what a network makes of them it was never told. Solid: "
        "the right sense; dashed: the word's other sense; grey: all other senses. Dotted: the right sense for a reader who "
        f"knows the task and has read so far. A network that reads from left to right answers when it reads “{asked}”, and "
        f"what follows cannot change that. Means over {counted(n, 'replicate')}, the bands from the lowest to the highest."
    )


WORD_BY_WORD = FigureKind("An ambiguous word, word by word", table, finding, draw, caption)
