"""Measures, prints, and writes tables and a figure to the folder bench of the results."""

import os
from argparse import ArgumentParser
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ablations.train.threads import use_one_thread
from benchmarks.ablated import SIZES, ablated_matrix
from benchmarks.figure import draw, save
from benchmarks.first_use import first_use_table
from benchmarks.growth import growth_table
from benchmarks.jax_peer import jax_table
from benchmarks.layers import Row, layer_matrix, means
from benchmarks.memory import memory_table
from benchmarks.steps import step_table
from benchmarks.suite import suite_table
from benchmarks.tables import environment, print_rows, write_csv
from benchmarks.timing import sgemm_peak

PARTS = ("layers", "ablations", "jax", "steps", "suite", "demo", "growth", "memory", "first-use")


@dataclass(frozen=True)
class Bench:
    """What is measured, how often, and where the tables go."""

    folder: Path
    sizes: tuple[int, ...]
    rounds: int

    def table(self, name: str, title: str, rows: Iterable[Row]) -> list[Row]:
        """Prints and writes one table."""
        print(title)
        made = print_rows(rows)
        if made:
            write_csv(made, self.folder, name)
        return made

    def layers(self) -> list[Row]:
        """Every size beside torch.nn, with the peak of the processor in the same minute."""
        peak = sgemm_peak()
        self.table("peak", "The processor on one thread", [{"sgemm_peak_gflops": peak}])
        title = "Layers beside torch.nn: forward, backward and a fused Adam step, one thread"
        rows = self.table("layers", title, layer_matrix(self.sizes, self.rounds, peak))
        self.table("means", "Ratios, torch.nn / ours", means(rows))
        return rows

    def ablations(self) -> list[Row]:
        """Every ablated cell at the smaller sizes."""
        sizes = [size for size in SIZES if size in self.sizes]
        title = (
            "Ablated cells beside the Python loop and their parents: forward and backward, T = 100, B = 32, one thread"
        )
        return self.table("ablations", title, ablated_matrix(sizes, self.rounds))

    def jax(self) -> None:
        title = "Cohorts of 6 runs beside jit(vmap(scan)): forward and backward, T = 100, B = 32, one core"
        self.table("jax", title, jax_table(self.sizes, self.rounds))

    def steps(self) -> None:
        title = "Training steps of 10 runs of about 3,000 parameters at demo scale, one thread"
        self.table("steps", title, step_table(self.rounds))

    def suite(self) -> None:
        title = "The suite beside a script of Optuna, MLflow and torch.nn: lstm and gru on the adding problem"
        self.table("suite", title, suite_table("comparison_study"))

    def demo(self) -> None:
        title = "The suite beside such a script: the demo of rnn, gru and lstm"
        self.table("demo", title, suite_table("demo_study"))

    def growth(self) -> None:
        title = "Growth: the exponent of the time in the number of runs, steps and units"
        self.table("growth", title, growth_table(self.rounds))

    def first_use(self) -> None:
        title = "First use of a cell: forward and backward in a process that compiles, and in the next, seconds"
        self.table("first_use", title, first_use_table())

    def memory(self) -> None:
        title = "Peak resident memory, MB: forward and backward, H = 128, T = 200, B = 64, and what the pass adds"
        self.table("memory", title, memory_table())


def main() -> None:
    parser = ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rounds, sizes 32 and 64, and no suite")
    parser.add_argument("--only", choices=PARTS, help="this part only")
    options = parser.parse_args()
    use_one_thread()
    folder = Path(os.environ.get("ABLATIONS_HOME", "results")) / "bench"
    bench = Bench(folder, (32, 64), 3) if options.quick else Bench(folder, (32, 64, 128, 256), 9)
    bench.table("environment", "Where this was measured", environment())
    parts = (
        [options.only]
        if options.only
        else [part for part in PARTS if part not in ("suite", "demo") or not options.quick]
    )
    made = {part: getattr(bench, part.replace("-", "_"))() for part in parts}
    drawn = {part: rows for part, rows in made.items() if rows}
    if drawn:
        save(draw(drawn.get("layers", []), drawn.get("ablations", [])), folder)
    print(f"Ratios above 1: the suite is faster. Tables and figure are in {folder}/.")


if __name__ == "__main__":
    main()
