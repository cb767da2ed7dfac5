"""Seeded faults of evidence: each of them, put into a copy of this project, turns a named test red."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("tasks", "ablations", "reports", "tests")
TESTS_FAILED = 1
"""pytest's exit code where it ran, and a test failed."""

# the fault -> its file, the text and what takes its place, and the tests of which one must fail
FAULTS: dict[str, tuple[str, str, str, str]] = {
    "the answer stands in the input": (
        "tasks/copying.py",
        "        targets = np.where(mask, blank, IGNORED)\n",
        "        np.put_along_axis(inputs, recall + np.arange(self.items), symbols, axis=1)\n"
        "        targets = np.where(mask, blank, IGNORED)\n",
        "test_copying.py",
    ),
    "a mask is one step short": (
        "tasks/copying.py",
        "mask = step < recall + self.items",
        "mask = step < recall + self.items - 1",
        "test_copying.py",
    ),
    "chance of other parameters": (
        "tasks/copying.py",
        '{"chance": 1 / self.symbols,',
        '{"chance": 1 / (self.symbols + 1),',
        "test_copying.py",
    ),
    "two columns are swapped": (
        "tasks/adding.py",
        "np.stack([values, marks]",
        "np.stack([marks, values]",
        "test_adding.py",
    ),
    "both marks are in one half": (
        "tasks/adding.py",
        "rng.integers(half, lengths)]",
        "rng.integers(half)]",
        "test_adding.py",
    ),
    "the answer is another person's": (
        "tasks/france.py",
        "np.take_along_axis(countries, asked, axis=1)",
        "np.take_along_axis(countries, (asked + 1) % people, axis=1)",
        "test_france.py",
    ),
    "it is always the last person who is asked for": (
        "tasks/france.py",
        "asked = rng.integers(people, size=(n, 1))",
        "asked = np.full((n, 1), people - 1)",
        "test_france.py",
    ),
    "the cue is a step late": ("tasks/france.py", ".int().argmax(1)", ".int().argmax(1) + 1", "test_france.py"),
    "the answer is asked for a word late": (
        "tasks/disambiguation.py",
        "(left != ABSENT).sum(1)] = sense",
        "(left != ABSENT).sum(1) + 1] = sense",
        "test_disambiguation.py",
    ),
    "the test has the training's sentences": (
        "tasks/disambiguation.py",
        "tables = TABLES[self.split]",
        'tables = TABLES["training"]',
        "test_disambiguation.py",
    ),
    "the left context always reveals the sense": (
        "tasks/disambiguation.py",
        "rng.random(n) < self.left_cue",
        "rng.random(n) <= 1",
        "test_disambiguation.py",
    ),
    "symbols come in another order than they are asked for": (
        "tasks/selective_copying.py",
        "np.sort(np.argsort(random_ranks(rng, before), axis=1)[:, : self.items], axis=1)",
        "np.argsort(random_ranks(rng, before), axis=1)[:, : self.items]",
        "test_selective_copying.py",
    ),
    "a product is of the last two symbols alone": (
        "tasks/word_problem.py",
        "table[products[:, step - 1]",
        "table[symbols[:, step - 1]",
        "test_word_problem.py",
    ),
    "symbols are applied from the left": (
        "tasks/word_problem.py",
        "table[products[:, step - 1], symbols[:, step]]",
        "table[symbols[:, step], products[:, step - 1]]",
        "test_word_problem.py",
    ),
    "a fault of order changes a count": (
        "tasks/recognition.py",
        "(fault == NONE).astype(np.int64)\n        return np.concatenate",
        "(fault != OF_COUNT).astype(np.int64)\n        return np.concatenate",
        "test_recognition.py",
    ),
    "balanced words begin anywhere": (
        "tasks/recognition.py",
        "heights.argmin(axis=1)[:, None] + 1 + step",
        "heights.argmin(axis=1)[:, None] + step",
        "test_recognition.py",
    ),
    "the marks overlap": ("tasks/temporal_order.py", "(windows + 10)", "(windows + 60)", "test_temporal_order.py"),
    "a first mark leaves its value": (
        "tasks/multiplication.py",
        "torch.where(marks[:, 0] == 1, 1, values[:, 0])",
        "values[:, 0]",
        "test_multiplication.py",
    ),
    "a query has another key's value": (
        "tasks/recall.py",
        "= values[row, asked]",
        "= values[row, asked - 1]",
        "test_recall.py",
    ),
    "the trigger is never far away": (
        "tasks/induction.py",
        "rng.integers(lengths - 2)",
        "rng.integers(lengths // 2, lengths - 2)",
        "test_induction.py",
    ),
    "the test has the training's images": (
        "tasks/digits.py",
        "chosen = images(self.split)",
        'chosen = images("training")',
        "test_digits.py",
    ),
    "networks are chosen by what they were trained on": (
        "tasks/split.py",
        'self._with({"split": "validation"})',
        'self._with({"split": "training"})',
        "test_digits.py",
    ),
    "a causal model peeks at the next step": (
        "ablations/models/convolution.py",
        "past = ((kernel - 1) * dilation, 0)",
        "past = ((kernel - 1) * dilation - 1, 1)",
        "test_models.py",
    ),
    "a model that reads backward is called causal": (
        "ablations/models/recurrent_models.py",
        'return flags.get("direction", "forward") == "forward"',
        "return True",
        "test_models.py",
    ),
    "padding is read": (
        "ablations/models/network.py",
        "return x if mask is None else torch.where(mask.unsqueeze(-1), x, 0.0)",
        "return x",
        "test_models.py",
    ),
    "seeds are not paired": (
        "ablations/train/cohort.py",
        "return generator(self.seed, self.setting.label,",
        "return generator(self.seed, self.setting.name,",
        "test_segment.py",
    ),
    "the search sees the test's sequences": (
        "ablations/train/training.py",
        'cohort.generator(run, "validation")',
        'cohort.generator(run, "test", task.nominal)',
        "test_segment.py",
    ),
    "validation has the training's sequences": (
        "ablations/train/training.py",
        'cohort.generator(run, "validation")',
        'cohort.generator(run, "train")',
        "test_segment.py",
    ),
    "all runs draw the same noise": (
        "ablations/train/training.py",
        '*cohort.runs[run].stream, "noise"',
        '*cohort.runs[0].stream, "noise"',
        "test_noise.py",
    ),
    "a run is clipped by another's limit": (
        "ablations/models/kernels/training.py",
        "limit[r] / (sqrt(norm)",
        "limit[0] / (sqrt(norm)",
        "test_optimisers.py",
    ),
    "the learning rate does not fall": (
        "ablations/train/schedule.py",
        '"linear": 1 - share',
        '"linear": 1.0',
        "test_segment.py",
    ),
    "a trial is as good as its best evaluation": (
        "ablations/run/outcomes.py",
        'metrics["objective"] = curves["validation_mixture_score"][-1][1]',
        'metrics["objective"] = max(score for _, score in curves["validation_mixture_score"])',
        "test_outcomes.py",
    ),
    "pairs are made by order": (
        "reports/result_tables.py",
        'rows.set_index("seed")["skill"]',
        'rows.reset_index(drop=True)["skill"]',
        "test_reports_result_tables.py",
    ),
    "runs that diverged are left out": (
        "reports/table_columns.py",
        'setting.references["chance"] if run.status == "diverged" else metrics["test_score"]',
        'metrics.get("test_score", float("nan"))',
        "test_reports_result_tables.py",
    ),
    "a tie counts for a claim": (
        "reports/statistics/decision.py",
        "(values > limit).sum(axis=-1)",
        "(values >= limit).sum(axis=-1)",
        "test_reports_statistics.py",
    ),
    "one task of four is averaged away": (
        "reports/statistics/intervals.py",
        "centre = np.mean([values.mean(axis=-1) for values in strata], axis=0)",
        "centre = np.median([values.mean(axis=-1) for values in strata], axis=0)",
        "test_reports_numbers.py",
    ),
    "an interval is one run too narrow": (
        "reports/statistics/intervals.py",
        "return max(1, int(stats.binom.ppf(TAIL, n, 0.5)))",
        "return 1 + int(stats.binom.ppf(TAIL, n, 0.5))",
        "test_reports_statistics.py",
    ),
    "nobody is alarmed": ("reports/alarm.py", "LEVEL = 0.001", "LEVEL = 0.0", "test_reports_alarm.py"),
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this project."""
    folder = tmp_path_factory.mktemp("copy")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


@pytest.fixture
def faulty(copy: Path, request: pytest.FixtureRequest) -> Iterator[tuple[Path, str]]:
    """The copy with a fault, and the file of the tests that must see it."""
    file, old, new, tests = FAULTS[request.param]
    text = (copy / file).read_text(encoding="utf-8")
    assert text.count(old) >= 1, f"{file} has no {old!r}"
    (copy / file).write_text(text.replace(old, new), encoding="utf-8")
    yield copy, tests
    (copy / file).write_text(text, encoding="utf-8")


@pytest.mark.long
@pytest.mark.parametrize("faulty", FAULTS, indirect=True)
def test_a_fault_of_evidence_turns_a_test_red(faulty: tuple[Path, str]) -> None:
    folder, tests = faulty
    options = ["-x", "-q", "-m", "not long", "-p", "no:cacheprovider", "--assert=plain"]  # nobody reads what differs
    command = [sys.executable, "-m", "pytest", *options, f"tests/{tests}"]
    environment = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == TESTS_FAILED, done.stdout[-2000:] + done.stderr[-2000:]
