"""The Claim class: a sentence, the comparisons that test it, and the rule that turns numbers into a verdict.

The rule itself is in `reports.statistics.decision`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from reports.claims.comparison import Comparison, VerdictLabel
from reports.claims.reasons import missing, reason, why_nothing
from reports.estimates import Estimates
from reports.statistics.capacity import chances
from reports.statistics.decision import Word, decided_items, words


@dataclass(frozen=True)
class Verdict:
    """The verdict on a claim: its label, the comparisons that decide it, and the ids of their MLflow runs.

    `word` is the label as it is printed, "mixed, 3 of 4" for one. `chances` say what the claim could have told: for each
    state of the world, the chance of each word.
    """

    label: VerdictLabel
    word: str
    parts: tuple[Comparison, ...]
    runs: tuple[str, ...]
    reason: str
    chances: Mapping[str, Mapping[Word, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Claim:
    """A claim with its rule, which is fixed before any number is seen; `parts` computes its comparisons.

    `short` is its sentence in fewer words, for the first page, where the sentence is long.
    `tasks` and `variants` name the replicates that it is based on; with `costs` it is based on the cost measurement
    instead. `studies` are the names of those that test it. A claim `about_all` of its parts and tasks is mixed where they
    disagree; any other is contradicted by one part. `remark` says what the rule cannot show, or why it cannot come out
    otherwise. `version` and `date` are those of the rule; `changed` says so if it was changed after numbers were seen.
    """

    sentence: str
    comparison: str
    rule: str
    parts: Callable[[Estimates], Sequence[Comparison]]
    tasks: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    costs: bool = False
    studies: tuple[str, ...] = ("claims",)
    about_all: bool = False
    remark: str = ""
    version: int = 1
    date: str = ""
    changed: str = ""
    short: str = ""

    @property
    def headline(self) -> str:
        """The sentence in few words."""
        return self.short or self.sentence.rstrip(".")

    def judge(self, estimates: Estimates) -> Verdict:
        """The verdict, by the rule of `reports.statistics.decision`. Not run: a part is missing, and none decides."""
        parts = tuple(self.parts(estimates))
        evidence = [part.evidence for part in parts]
        there = [each for each in evidence if each]
        if not there:
            is_whole = parts and all(part.unlearnt for part in parts)
            label: VerdictLabel = "inconclusive" if is_whole else "not run"
            return Verdict(label, label, parts, (), why_nothing(parts))
        label = str(words(there, self.about_all, missing=len(parts) - len(there))[0])  # type: ignore[assignment]
        if label == "inconclusive" and any(part.verdict == "not run" for part in parts):
            label = "not run"
        if label == "not run":
            return Verdict(label, label, parts, (), missing(parts))
        held, _ = decided_items(there, missing=len(parts) - len(there))
        word = f"mixed, {int(held.sum())} of {held.shape[-1]}" if label == "mixed" else label
        return Verdict(label, word, parts, self._runs(estimates), reason(label, parts), self._chances(parts, estimates))

    def _chances(self, parts: Sequence[Comparison], estimates: Estimates) -> Mapping[str, Mapping[Word, float]]:
        shapes = [part.shape for part in parts if part.shape]
        # The stream is named after the sentence: no other claim moves it.
        return chances(shapes, self.about_all, estimates.generator(f"chances of: {self.sentence}"))

    def _runs(self, estimates: Estimates) -> tuple[str, ...]:
        results = estimates.results
        if self.costs:
            return tuple(dict.fromkeys(results.costs["run_id"]))
        rows = results.replicates
        is_used = rows["task"].isin(self.tasks or results.tasks) & rows["variant"].isin(self.variants)
        return tuple(rows[is_used]["run_id"])
