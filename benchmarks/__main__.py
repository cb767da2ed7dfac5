"""Measures, prints, and writes tables and a figure to the folder bench of the results."""

import os
from argparse import ArgumentParser
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ablations.train.threads import use_one_thread
from benchmarks.ablated import SIZES, ablated_matrix
from benchmarks.document import TITLES, write_document
from benchmarks.drop_in import drop_in_table
from benchmarks.figure import draw, save
from benchmarks.first_use import first_use_table
from benchmarks.growth import growth_table
from benchmarks.jax_peer import jax_table
from benchmarks.layers import Row, layer_matrix, means
from benchmarks.memory import memory_table
from benchmarks.scaling import scaling_table
from benchmarks.steps import step_table
from benchmarks.suite import suite_table
from benchmarks.tables import environment, print_rows, write_csv
from benchmarks.timing import sgemm_peak

PARTS = ("layers", "drop-in", "ablations", "jax", "steps", "suite", "demo", "scaling", "growth", "memory", "first-use")
LONG = ("suite", "demo", "scaling")
"""The parts that whole studies are run for."""


@dataclass(frozen=True)
class Bench:
    """What is measured, how often, and where the tables go."""

    folder: Path
    sizes: tuple[int, ...]
    rounds: int

    def table(self, name: str, rows: Iterable[Row]) -> list[Row]:
        """Prints and writes one table."""
        print(TITLES[name])
        made = print_rows(rows)
        if made:
            write_csv(made, self.folder, name)
        return made

    def layers(self) -> list[Row]:
        """Every size beside torch.nn, with the peak of the processor in the same minute."""
        peak = sgemm_peak()
        self.table("peak", [{"sgemm_peak_gflops": peak}])
        rows = self.table("layers", layer_matrix(self.sizes, self.rounds, peak))
        self.table("means", means(rows))
        return rows

    def drop_in(self) -> None:
        self.table("drop_in", drop_in_table(self.rounds))

    def ablations(self) -> list[Row]:
        """Every ablated cell at the smaller sizes."""
        sizes = [size for size in SIZES if size in self.sizes]
        return self.table("ablations", ablated_matrix(sizes, self.rounds))

    def jax(self) -> None:
        self.table("jax", jax_table(self.sizes, self.rounds))

    def steps(self) -> None:
        self.table("steps", step_table(self.rounds))

    def suite(self) -> None:
        self.table("suite", suite_table("comparison_study"))

    def demo(self) -> None:
        self.table("demo", suite_table("demo_study"))

    def scaling(self) -> None:
        self.table("scaling", scaling_table())

    def growth(self) -> None:
        self.table("growth", growth_table(self.rounds))

    def first_use(self) -> None:
        self.table("first_use", first_use_table())

    def memory(self) -> None:
        self.table("memory", memory_table())


def main() -> None:
    parser = ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rounds, sizes 32 and 64, and no suite")
    parser.add_argument("--only", choices=PARTS, help="this part only")
    parser.add_argument("--docs", type=Path, help="write all tables that there are to this Markdown file too")
    options = parser.parse_args()
    use_one_thread()
    folder = Path(os.environ.get("ABLATIONS_HOME", "results")) / "bench"
    bench = Bench(folder, (32, 64), 3) if options.quick else Bench(folder, (32, 64, 128, 256), 9)
    bench.table("environment", environment())
    parts = [options.only] if options.only else [part for part in PARTS if part not in LONG or not options.quick]
    made = {part: getattr(bench, part.replace("-", "_"))() for part in parts}
    drawn = {part: rows for part, rows in made.items() if rows}
    if drawn:
        save(draw(drawn.get("layers", []), drawn.get("ablations", [])), folder)
    if options.docs:
        write_document(folder, options.docs)
    print(f"Ratios above 1: the suite is faster. Tables and figure are in {folder}/.")


if __name__ == "__main__":
    main()
