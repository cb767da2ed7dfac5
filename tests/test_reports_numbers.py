"""Every number in the report, computed a second time from the runs of the record with NumPy and SciPy alone."""

from collections.abc import Sequence
from functools import cache
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from builders.fake_record import ONE_WAY, TASKS, World, fake_study
from scipy import stats

from ablations.record.schema import RunRecord, StudyRecord
from reports.compose import compose
from reports.estimates import Estimates
from reports.figures.ablation_forest import TRANSFERRED, TUNED
from reports.result_tables import ResultTables
from reports.setting_summary import summaries

TESTS = 1024
VARIANTS = ("feedforward", "cnn", *ONE_WAY, "birnn", "bilstm", "bigru", "bilstm-attention")
WORLD = World(replicates=10, noise=0.03)
SOLVED = {"copying", "adding", "france"}  # by some left-to-right variant, at the easiest

Interval = tuple[float, float, float]


@cache
def study() -> StudyRecord:
    return fake_study(WORLD)


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return compose(study())[1]


def score(run: RunRecord, task: str) -> float:
    return TASKS[task][3]["chance"] if run.status == "diverged" else run.metrics["test_score"]


def scores(task: str, variant: str, kind: str = "replicates") -> np.ndarray:
    runs = [run for run in getattr(study(), kind) if run.setting == f"{task}/{variant}"]
    return np.array([score(run, task) for run in sorted(runs, key=lambda run: run.number)])


def scale(task: str) -> float:
    return 1 - TASKS[task][3]["chance"]


def skills(task: str, variant: str, kind: str = "replicates") -> np.ndarray:
    return (scores(task, variant, kind) - TASKS[task][3]["chance"]) / scale(task)


def floor(values: np.ndarray, tests: int = TESTS) -> float:
    p = (values.mean() * tests + 2) / (tests + 4)
    return float(p * (1 - p) / tests)


def student(values: Sequence[float], least: float = 0.0, low: float = -np.inf, high: float = np.inf) -> Interval:
    values = np.asarray(values)
    error = np.sqrt(max(np.var(values, ddof=1), least) / len(values))
    ends = stats.t.interval(0.95, len(values) - 1, values.mean(), error)
    return float(values.mean()), float(np.clip(ends[0], low, high)), float(np.clip(ends[1], low, high))


def difference(task: str, a: str, b: str, kind: str = "replicates") -> tuple[np.ndarray, float]:
    """Paired differences in skill, and their least variance."""
    least = (floor(scores(task, a, kind)) + floor(scores(task, b))) / scale(task) ** 2
    return skills(task, a, kind) - skills(task, b), least


def welch(strata: Sequence[tuple[np.ndarray, float]], limit: float = 0.0) -> tuple[float, float, float, float]:
    """Mean over tasks, the ends of its interval, and the p of lying above the limit."""
    errors = [max(np.var(values, ddof=1), least) / len(values) for values, least in strata]
    freedom = sum(errors) ** 2 / sum(e**2 / (len(v) - 1) for e, (v, _) in zip(errors, strata, strict=True))
    middle = float(np.mean([values.mean() for values, _ in strata]))
    t = stats.t(freedom, middle, np.sqrt(sum(errors)) / len(strata))
    return middle, *map(float, t.interval(0.95)), float(t.cdf(limit))


def check(row: pd.Series, columns: Sequence[str], expected: Sequence[float]) -> None:
    assert row[list(columns)].astype(float).to_list() == pytest.approx(list(expected), rel=1e-9, abs=1e-12)


ENDS = ("mean", "low", "high")


def test_scores(tables: dict[str, pd.DataFrame]) -> None:
    assert len(tables["score_matrix"]) == len(TASKS) * len(VARIANTS)
    for _, row in tables["score_matrix"].iterrows():
        values = scores(row["task"], row["variant"])
        check(row, ENDS, student(values, floor(values), 0, 1))
        assert row["n"] == 10


def test_scores_in_mlflow_are_those_of_the_report(tables: dict[str, pd.DataFrame]) -> None:
    by_setting = {summary.setting.identity: summary for summary in summaries(Estimates(ResultTables(study())))}
    for setting, (_, row) in zip(study().settings, tables["score_matrix"].iterrows(), strict=True):
        summary = by_setting[setting.identity]
        assert [summary.metrics[name] for name in ("test_score", "test_score_low", "test_score_high")] == row[
            list(ENDS)
        ].to_list()


def test_skills_against_cost(tables: dict[str, pd.DataFrame]) -> None:
    for _, row in tables["cost_skill"].iterrows():
        task, values = row["task"], skills(row["task"], row["variant"])
        least = floor(scores(task, row["variant"])) / scale(task) ** 2
        check(row, ENDS, student(values, least, -TASKS[task][3]["chance"] / scale(task), 1))


def test_skills_by_difficulty(tables: dict[str, pd.DataFrame]) -> None:
    for _, row in tables["difficulty"].iterrows():
        task, chance = row["task"], TASKS[row["task"]][3]["chance"]
        runs = [run for run in study().replicates if run.setting == f"{task}/{row['variant']}"]
        tested = [dict(r.history.get("test_score_by_difficulty", ())).get(row["difficulty"], chance) for r in runs]
        values = np.array(tested)
        least = floor(np.clip(values.mean(keepdims=True), 0, 1)) / scale(task) ** 2
        check(row, ENDS, student((values - chance) / scale(task), least, -chance / scale(task), 1))


def test_learning_curves(tables: dict[str, pd.DataFrame]) -> None:
    frame = tables["learning_curves"]
    for _, row in frame[frame["variant"] == "gru"].iterrows():
        runs = [run for run in study().replicates if run.setting == f"{row['task']}/gru"]
        values = np.array([dict(run.history["validation_score"])[row["sequences"]] for run in runs])
        check(row, ENDS, student(values, floor(values, 256), 0, 1))


def test_costs(tables: dict[str, pd.DataFrame]) -> None:
    for _, row in tables["cost_growth"].iterrows():
        (run,) = [
            c for c in study().costs
            if (c.factors["view"], c.factors["cell"], c.factors["row"]) == (row["view"], row["variant"], row["row"])
        ]  # fmt: skip
        logs = student([np.log(1e6 * value) for _, value in run.history["seconds_per_sequence"]])
        check(row, ENDS, tuple(np.exp(end) for end in logs))  # a geometric mean


def better(values: np.ndarray) -> Interval:
    untied = int((values != 0).sum())
    if not untied:
        return (np.nan,) * 3
    k = int((values > 0).sum())
    # The beta form of Clopper and Pearson's interval.
    low = stats.beta.ppf(0.025, k, untied - k + 1) if k else 0.0
    high = stats.beta.ppf(0.975, k + 1, untied - k) if k < untied else 1.0
    return k / untied, float(low), float(high)


def test_differences_to_the_baseline(tables: dict[str, pd.DataFrame]) -> None:
    frame = tables["differences"]
    assert len(frame) == len(TASKS) * (len(VARIANTS) - 1)
    for _, row in frame.iterrows():
        values, least = difference(row["task"], row["variant"], "lstm")
        check(row, ("difference", "low", "high"), student(values, least))
        np.testing.assert_allclose(row[["P(better)", "P low", "P high"]].astype(float), better(values), rtol=1e-7)
        assert row["ties"] == (values == 0).sum()


def test_the_forest(tables: dict[str, pd.DataFrame]) -> None:
    frame = tables["ablation_forest"]
    assert len(frame) == (len(VARIANTS) - 1) * 5 + 5
    for _, row in frame.iterrows():
        variant, parent = row["variant"], row["parent"]
        kind = "transferred" if row["view"] == TRANSFERRED else "replicates"
        if row["task"] != "all tasks":
            values, least = difference(row["task"], variant, parent, kind)
            check(row, ("difference", "low", "high"), student(values, least))
            continue
        tasks = SOLVED if {variant, parent} <= set(ONE_WAY) else set(TASKS)
        check(row, ("difference", "low", "high"), welch([difference(t, variant, parent, kind) for t in tasks])[:3])


@pytest.mark.parametrize("reads", ["left to right", "sees the future"])
def test_the_ranking(tables: dict[str, pd.DataFrame], reads: str) -> None:
    frame = tables["ranking"][tables["ranking"]["reads"] == reads].set_index("variant")
    members = [v for v in VARIANTS if (v in ONE_WAY) == (reads == "left to right")]
    tasks = [task for task in TASKS if task in SOLVED or reads != "left to right"]
    assert list(frame.index) == sorted(members, key=lambda v: -frame.loc[v, "mean_skill"])
    p = {}
    for a, b in combinations(members, 2):
        *_, below = welch([difference(task, a, b) for task in tasks])
        p[a, b], p[b, a] = below, 1 - below
    decided: set[tuple[str, str]] = set()
    for step, (pair, value) in enumerate(sorted(p.items(), key=lambda item: item[1])):  # Holm's rule, step by step
        if value > 0.05 / (len(p) - step):
            break
        decided.add(pair)
    for variant in members:
        strata = [(skills(task, variant), floor(scores(task, variant)) / scale(task) ** 2) for task in tasks]
        highest = 1.0
        middle, low, high, _ = welch(strata)
        check(frame.loc[variant], ("mean_skill", "low", "high"), (middle, low, min(high, highest)))
        first = 1 + sum((other, variant) in decided for other in members)
        last = len(members) - sum((variant, other) in decided for other in members)
        assert frame.loc[variant, "rank"] == (str(first) if first == last else f"{first} to {last}")


def sign_p(values: np.ndarray, limit: float) -> float:
    above, below, n = int((values > limit).sum()), int((values < limit).sum()), len(values)
    return float(stats.binomtest(max(above, below), n, alternative="greater").pvalue)


def typical(values: np.ndarray) -> Interval:
    interval = stats.quantile_test(values, p=0.5).confidence_interval(0.95)
    return float(np.median(values)), float(interval.low), float(interval.high)


def test_claims_about_means_over_tasks(tables: dict[str, pd.DataFrame]) -> None:
    for claim, place, a, b, limit in (
        ("gru-worse", 0, "lstm", "gru", 0.02),
        ("fixed-length", 0, "lstm", "feedforward", 0.02),
        ("fixed-length", 5, "lstm", "cnn", 0.02),
    ):
        frame = tables[f"claim_{claim}"]
        strata = [difference(task, a, b) for task in TASKS if task in SOLVED]
        middle, low, high, p = welch(strata, limit)
        check(frame.iloc[place], ("estimate", "low", "high", "n", "p"), (middle, low, high, 30, min(p, 1 - p)))
        for row, (values, _) in zip(frame.iloc[place + 1 : place + 4].iterrows(), strata, strict=True):
            check(row[1], ("estimate", "low", "high", "p"), (*typical(values), sign_p(values, limit)))
        check(frame.iloc[place + 4], ("low", "high"), predicted(strata))


def predicted(strata: Sequence[tuple[np.ndarray, float]]) -> tuple[float, float]:
    """The prediction interval of a further task, after DerSimonian and Laird."""
    y = np.array([values.mean() for values, _ in strata])
    v = np.array([max(values.var(ddof=1), least) / len(values) for values, least in strata])
    q = float((((y - np.average(y, weights=1 / v)) ** 2) / v).sum())
    tau = max(0.0, (q - (len(y) - 1)) / ((1 / v).sum() - (1 / v**2).sum() / (1 / v).sum()))
    w = 1 / (v + tau)
    low, high = stats.t.interval(0.95, len(y) - 2, np.average(y, weights=w), np.sqrt(tau + 1 / w.sum()))
    return float(low), float(high)


def test_claims_about_scores(tables: dict[str, pd.DataFrame]) -> None:
    limits = dict.fromkeys(("rnn", "lstm", "gru", "tcn", "reservoir"), 0.8) | {"birnn": 0.95}
    for row, (variant, limit) in zip(tables["claim_future-context"].itertuples(), limits.items(), strict=True):
        values = scores("disambiguation", variant)
        middle, low, high = typical(values)
        half = stats.t.ppf(0.975, 9) * np.sqrt(floor(values) / 10)
        ends = (min(low, middle - half), min(1.0, max(high, middle + half)))
        assert (row.estimate, row.low, row.high) == pytest.approx((middle, *ends))
        assert row.p == pytest.approx(sign_p(values, limit))


def test_claims_about_gradients(tables: dict[str, pd.DataFrame]) -> None:
    shares = {}
    for variant in ("rnn", "lstm"):
        runs = [run for run in study().replicates if run.setting == f"france/{variant}"]
        shares[variant] = np.array([
            r.metrics["gradient_at_cue_initial"] / max(norm for _, norm in r.history["gradient_initial"]) for r in runs
        ])  # fmt: skip
    frame = tables["claim_vanishing"]
    check(frame.iloc[-2], ("estimate", "low", "high"), typical(shares["rnn"]))
    check(frame.iloc[-1], ("estimate", "low", "high"), typical(shares["lstm"] / shares["rnn"]))


def test_claims_about_times(tables: dict[str, pd.DataFrame]) -> None:
    times = {
        c.factors["cell"]: np.array([seconds for _, seconds in c.history["seconds_per_sequence"]])
        for c in study().costs
        if c.factors["view"] == "equal hidden size" and c.factors["row"] == 128
    }
    ratio = times["lstm"] / times["rnn"]
    check(tables["claim_lstm-slow"].iloc[0], ("estimate", "low", "high"), np.exp(student(np.log(ratio))))
    assert tables["claim_lstm-slow"]["p"][0] == sign_p(ratio, 1.25)


def test_the_ledger_says_what_the_claims_tables_say(tables: dict[str, pd.DataFrame]) -> None:
    """Of claims that need all of their parts."""
    words = tables["verdicts"].set_index("claim")["verdict"]
    for claim in ("vanishing", "future-context", "lstm-slow", "gru-cheaper"):
        by_itself = tables[f"claim_{claim}"]["by itself"]
        assert (words[claim] == "supported") == (by_itself == "supported").all()


def test_what_a_claim_could_have_told_is_its_binomial(tables: dict[str, pd.DataFrame]) -> None:
    """any-cell: three parts of ten runs; each needs nine of them above its limit."""
    frame = tables["capacity"].set_index(["claim", "if"])
    chance = frame.loc[("any-cell", "it were what was found"), "supported"] / 100
    expected = 1.0
    for variant in ("birnn", "bilstm", "bigru"):
        values = scores("disambiguation", variant)
        spread = np.sqrt(max(values.var(ddof=1), floor(values)))
        expected *= stats.binom.sf(8, 10, stats.norm.sf(0.95, values.mean(), spread))
    assert chance == pytest.approx(expected, abs=0.04)
    assert frame[["supported", "contradicted", "mixed", "inconclusive"]].sum(axis=1).to_list() == pytest.approx(
        [100] * len(frame)
    )


def test_the_papers_findings_are_those_of_the_claims() -> None:
    tasks = ("copying", "adding", "france")
    world = World(tasks=tasks, variants=("lstm", "lstm-coupled"), parents={"lstm-coupled": "lstm"}, replicates=10,
                  skill={(t, v): 0.95 for t in tasks for v in ("lstm", "lstm-coupled")}, costs=False)  # fmt: skip
    tables = compose(fake_study(world, "lstm_ablation"))[1]
    literature = tables["literature"].set_index("variant").loc["lstm-coupled"]
    claim = tables["claim_coupled-gates"].iloc[0]
    forest = tables["ablation_forest"].set_index(["task", "view"]).loc[("all tasks", TUNED)]
    for other in (claim[["estimate", "low", "high"]], forest[["difference", "low", "high"]]):
        assert literature[["difference", "low", "high"]].to_list() == other.to_list()
