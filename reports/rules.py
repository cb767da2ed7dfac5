"""How the verdicts are reached, and how often these rules err in simulated studies."""

from collections.abc import Iterator

from reports.atlas import measured_coverage
from reports.document import Block, Heading, Paragraph, Table
from reports.statistics.decision import FEWEST
from reports.statistics.simulation import COPIES, STUDIES, SimulatedTables


def rule_blocks(simulated: SimulatedTables) -> Iterator[Block]:
    """The rules in words, then the tables of what they do where the truth is known."""
    yield Heading("How the verdicts are reached")
    yield Paragraph(
        "Intervals are 95 %. A mean has Student's t, with at least the sampling variance of the test set. A typical run is "
        "the median, between two order statistics. A count has the exact interval of Clopper and Pearson; ties are printed. "
        "A ratio of times has t on its logarithm. A mean over tasks is the mean of the tasks' means, with the degrees of "
        "freedom of Welch and Satterthwaite; “a further task like these” is a prediction interval of the random-effects "
        "model, a generalisation."
    )
    yield Paragraph(
        "Each part of a claim has a limit and a side. A part of runs is decided by the exact sign test of the runs beyond "
        "the limit; a tie counts against what is tested. A part over tasks is decided by the t of the mean over tasks, and "
        f"only if no task goes the other way by its own sign test; each task needs {FEWEST} runs. A claim is supported if "
        "every part is, at 2.5 % one-sided. It is contradicted if the smallest p of the opposite sides passes Holm's rule "
        "at 2.5 % over the parts. It is mixed, k of m, if of the parts and tasks that it is about k are decided for it and "
        "others against it, each by Holm's rule over all m at 2.5 %. Otherwise it is inconclusive. A task decides only for "
        "variants of which some that reads in the same way, left to right or seeing the future, has solved it (typical "
        "skill above 0.9) at its easiest."
    )
    yield Table(
        "interval_coverage",
        simulated["interval_coverage"],
        f"How often intervals of 95 % cover the truth, in % of {STUDIES:,} simulated studies (counts: exact). No interval of "
        "a mean can be right in all rows: that all of five runs solve a task agrees with a share of four in five that do.",
    )
    yield Table(
        "atlas_coverage",
        measured_coverage(),
        "The same of real training: intervals of resamples from 200 seeds of six cells (rnn, lstm, gru, mgu, mingru, slstm) on "
        "four tasks at demo scale with 1,200 steps (reports/atlas.csv; make atlas). The truth is the value of all seeds; shown "
        "are the mean over cells, or pairs of cells, and the least. The typical run's interval keeps what it says. A mean's "
        "does not where few seeds fail and carry it, on france above all: verdicts on runs are therefore by typical runs.",
    )
    yield Table(
        "false_verdicts",
        simulated["false_verdicts"],
        f"How often a claim gets a verdict that is false, in % of {STUDIES:,} simulated studies of ten seeds. What is "
        "measured lies at the limit, on neither side. In the last rows the differences are skewed to one side: a mean that "
        "rare failures carry is judged too early.",
    )
    yield Table(
        "copies_apart",
        simulated["copies_apart"],
        f"In how many of 100 simulated reports of ten seeds any two of {COPIES} copies of one network are told apart.",
    )
