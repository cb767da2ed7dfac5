"""The parts of the benchmarks that need no clock."""

from itertools import product
from pathlib import Path

import pandas as pd
import pytest

from ablations.models import CELLS
from benchmarks import scaling
from benchmarks.ablated import ablated_cells, ablated_row
from benchmarks.comparison_study import BUDGET, STUDY
from benchmarks.drop_in import loss_difference
from benchmarks.figure import draw, save
from benchmarks.flops import training_flops
from benchmarks.layers import Row, layer_row, means
from benchmarks.suite import STUDIES
from benchmarks.tables import environment, print_rows, write_csv
from benchmarks.timing import interleaved, median_ratio

SIZE = {"B": 32, "T": 100, "inputs": 16, "H": 64}
FED_BACK = 2 * 32 * 100 * 3 * (3 * 64) ** 2


def layer_rows() -> list[Row]:
    times = {"ours": [2.0, 2.0, 4.0], "peer": [4.0, 6.0, 8.0]}
    sizes = product(("rnn", "gru", "lstm"), (32, 64), (100, 200), (32, 64))
    return [layer_row(cell, H, T, B, times, peak=100.0) for cell, H, T, B in sizes]


def ablated_rows() -> list[Row]:
    times = {"ours": [2.0, 2.0], "loop": [10.0, 14.0], "parent": [4.0, 4.0]}
    return [ablated_row(cell, H, times) for cell, H in product(ablated_cells(), (32, 64, 128))]


@pytest.mark.parametrize(("cell", "gates"), [("rnn", 1), ("gru", 3), ("lstm", 4)])
def test_flops_of_torchs_own_cells_are_three_recurrent_and_two_input_products_a_gate(cell: str, gates: int) -> None:
    assert training_flops(CELLS[cell], **SIZE) == 2 * gates * 32 * 100 * 64 * (3 * 64 + 2 * 16)


def test_a_cell_without_recurrent_products_has_those_of_its_input_only() -> None:
    assert training_flops(CELLS["mingru"], **SIZE) == 2 * 2 * 32 * 100 * 64 * 2 * 16


def test_feedback_counts_as_a_recurrent_product_of_its_own() -> None:
    fed, plain = (training_flops(CELLS[name], **SIZE) for name in ("lstm-full-gate-recurrence", "lstm"))
    assert fed - plain == FED_BACK


def test_a_round_that_is_slow_for_both_sides_leaves_the_ratio_as_it_is() -> None:
    assert median_ratio([4.0, 400.0, 4.0], [2.0, 200.0, 2.0]) == 2.0


def test_every_round_times_every_side() -> None:
    calls = []
    times = interleaved({"one": lambda: calls.append("one"), "two": lambda: calls.append("two")}, rounds=3)
    assert {name: len(taken) for name, taken in times.items()} == {"one": 3, "two": 3}
    assert set(calls) == {"one", "two"}


def test_a_layers_row_tells_speed_from_flops_and_time() -> None:
    row = layer_row("rnn", 32, 100, 32, {"ours": [2.0], "peer": [5.0]}, peak=50.0)
    assert row["ratio"] == 2.5
    assert row["us_per_step"] == 20.0
    assert row["gflops"] == pytest.approx(2 * 32 * 100 * 32 * (3 * 32 + 2 * 16) / 2e-3 / 1e9)
    assert row["percent_of_peak"] == pytest.approx(2 * row["gflops"])


def test_an_ablation_is_compared_to_its_parent_by_flops() -> None:
    row = ablated_row(CELLS["lstm-coupled"], 64, {"ours": [3.0], "loop": [9.0], "parent": [4.0]})
    assert (row["ratio"], row["time_to_parent"]) == (3.0, 0.75)
    assert row["per_flop_to_parent"] == pytest.approx(1.0)


def test_a_cell_without_parent_is_compared_to_the_loop_only() -> None:
    row = ablated_row(CELLS["slstm"], 64, {"ours": [3.0], "loop": [9.0]})
    assert row["per_flop_to_parent"] is None


def test_every_ablation_and_what_torch_does_not_have_is_among_the_ablated() -> None:
    assert {cell.name for cell in ablated_cells()} == set(CELLS) - {"rnn", "gru", "lstm"}


def test_means_are_geometric() -> None:
    rows = [{"cell": "rnn", "H": 32, "ratio": 1.0}, {"cell": "rnn", "H": 128, "ratio": 4.0}]
    told = {row["rows"]: row["geometric_mean"] for row in means(rows)}
    assert told == pytest.approx({"all": 2.0, "rnn": 2.0, "rnn, H <= 64": 1.0, "rnn and gru, H <= 64": 1.0})


def test_a_table_comes_back_from_its_file(tmp_path: Path) -> None:
    read = pd.read_csv(write_csv(layer_rows(), tmp_path / "new", "layers"))
    pd.testing.assert_frame_equal(read, pd.DataFrame(layer_rows()), check_dtype=False)


def test_printed_columns_are_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"cell": "gru", "ms": 1.5}, {"cell": "lstm-peepholes", "ms": 1234.0}]
    assert print_rows(iter(rows)) == rows
    assert len({len(line) for line in capsys.readouterr().out.splitlines() if line}) == 1


def test_the_heading_names_versions_and_machine() -> None:
    assert {"torch", "numba", "numpy", "mlflow", "optuna", "python", "processor", "cores", "torch threads"} <= {
        row["what"] for row in environment()
    }


@pytest.mark.parametrize(
    ("layers", "ablations"), [(layer_rows(), ablated_rows()), (layer_rows(), []), ([], ablated_rows())]
)
def test_the_figure_is_drawn_from_whatever_tables_there_are(
    tmp_path: Path, layers: list[Row], ablations: list[Row]
) -> None:
    save(draw(layers, ablations), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"bench.png", "bench.svg"}


def test_the_trials_of_the_study_that_is_timed_are_alike_so_that_none_is_pruned() -> None:
    assert BUDGET.trials_per_round == BUDGET.trials
    assert STUDY.nuisance["lr"].high < 1.5 * STUDY.nuisance["lr"].low


def test_the_studies_of_the_bench_follow_those_of_the_suite() -> None:
    for study in STUDIES.values():
        assert study.at("demo").runs


def test_the_settings_of_the_scaling_study_cost_the_same_so_that_no_worker_waits_at_the_end() -> None:
    settings = scaling.STUDY.at("demo").settings
    assert len(settings) % 2 == 0
    assert len({(setting.variant.name, setting.size, setting.task.spec.length) for setting in settings}) == 1
    assert scaling.BUDGET.trials_per_round == scaling.BUDGET.trials


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_a_script_with_the_drop_in_layer_has_the_losses_of_torchs(kind: str) -> None:
    difference, last = loss_difference(kind, steps=20)
    assert difference < 1e-5
    assert last < 4.0
