"""Page one: the answer follows from the numbers by its rules, and every format shows the same."""

import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from builders.fake_record import TEXTS, World, fake_study
from builders.rendered import Page, pdf_source

from reports.brief import found_lines
from reports.claim_pages import claim_table
from reports.claims import CLAIMS
from reports.compose import compose
from reports.document import Document, Heading, Note, Table
from reports.estimates import Estimates
from reports.html import to_html
from reports.page_one.answer import MOST, answer
from reports.page_one.blocks import PageOne
from reports.page_one.cells import cell_colours
from reports.page_one.legends import STRIP
from reports.page_one.markdown import page_markdown
from reports.page_one.solvers import MOST_COLUMNS, solver_table, solvers
from reports.page_one.verdict_strip import deciding, strip_table
from reports.pdf import to_pdf
from reports.result_tables import ResultTables
from reports.verdicts import judge_claims

MEMORY = ("copying", "adding", "france")
LEFT_TO_RIGHT = World(tasks=MEMORY, variants=("rnn", "lstm", "gru"), replicates=10, diverged=())


def estimates_of(world, name="claims"):
    return Estimates(ResultTables(fake_study(world, name)))


def sentences(world, name="claims"):
    return answer(estimates_of(world, name))


def skills(**by_variant):
    return {(task, variant): skill for variant, skill in by_variant.items() for task in MEMORY}


def test_the_answer_names_the_left_to_right_network_that_leads():
    (first, *_) = sentences(replace(LEFT_TO_RIGHT, skill=skills(gru=0.99, lstm=0.8, rnn=0.2)))
    assert first.startswith("Left to right, take **gru**")
    assert "10, 10 and 10 of 10 seeds; lstm: 0, 0 and 0 of 10" in first
    (first, *_) = sentences(replace(LEFT_TO_RIGHT, skill=skills(gru=0.8, lstm=0.99, rnn=0.2)))
    assert first.startswith("Left to right, take **lstm**")


def test_the_answer_names_all_that_cannot_be_told_apart():
    (first, *_) = sentences(replace(LEFT_TO_RIGHT, skill=skills(gru=0.95, lstm=0.95, rnn=0.2), noise=0.02))
    assert re.match(
        r"Left to right, \*\*(lstm|gru)\*\* and \*\*(lstm|gru)\*\* cannot be told apart on copying, adding", first
    )


def test_the_training_time_in_the_answer_is_that_of_the_tasks_it_is_about():
    """The slower network there is made the faster one by a task of its own."""
    study = fake_study(replace(LEFT_TO_RIGHT, tasks=(*MEMORY, "dates"), unplanned=(("dates", "lstm"), ("dates", "rnn")),
                               skill=skills(gru=0.99, lstm=0.8)))  # fmt: skip
    slow = {s.identity: 400.0 if s.task == "dates" else 2.0 if s.variant == "gru" else 1.0 for s in study.settings}
    runs = tuple(replace(r, metrics={**r.metrics, "seconds": slow[r.setting]}) for r in study.replicates)
    (first, *_) = answer(Estimates(ResultTables(replace(study, replicates=runs))))
    assert "at 2.00 of lstm's training time at equal parameters" in first


def test_the_answer_says_who_solves_what_needs_the_future():
    world = World(tasks=("disambiguation",), variants=("lstm", "birnn", "bilstm"), replicates=10, diverged=())
    (said,) = [each for each in sentences(world) if "later" in each]
    assert "**birnn** and **bilstm** solve it; of the left-to-right networks, none" in said
    leak = replace(world, skill={("disambiguation", "lstm"): 1.0})
    (said,) = [each for each in sentences(leak) if "later" in each]
    assert "of the left-to-right networks, lstm" in said


def test_the_answer_names_tasks_that_one_network_or_none_solves():
    world = replace(LEFT_TO_RIGHT, skill=skills(rnn=0.2, lstm=0.3, gru=0.3) | {("adding", "gru"): 0.99})
    told = " ".join(sentences(world))
    assert "Of the networks run on them, only **gru** solves adding in most seeds." in told
    assert "No network solves copying and france in most of its seeds at this size and budget." in told


def test_the_answer_of_an_ablation_study_says_which_changes_cost_skill():
    parents = {"rnn": "lstm", "gru": "lstm"}
    world = replace(LEFT_TO_RIGHT, parents=parents, skill=skills(lstm=0.8, gru=0.95, rnn=0.5))
    (first, *_) = sentences(world, "lstm_ablation")
    assert first == "Of 2 changes to **lstm**, 1 cost skill (**rnn** −0.30); 1 add skill (**gru** 0.15)."


def test_an_answer_is_at_most_three_sentences_and_never_none():
    assert 1 <= len(sentences(World(replicates=10))) <= MOST
    empty = replace(fake_study(), replicates=())
    assert answer(Estimates(ResultTables(empty))) == ["No replicate has been recorded yet, so that there is no answer."]


def test_a_supported_claim_hangs_on_its_weakest_part_and_a_contradicted_one_on_what_contradicts_it():
    verdicts = judge_claims(estimates_of(World(replicates=10, noise=0.03)))
    assert {verdict.label for verdict in verdicts.values()} >= {"supported", "mixed"}
    for verdict in verdicts.values():
        part = deciding(verdict)
        parts = [each for each in verdict.parts if each.evidence]
        assert any(part is each for each in parts or [None])
        if verdict.label == "supported":
            assert part.evidence.support[0] == max(
                each.evidence.support[0] for each in parts if not each.fixed or all(p.fixed for p in parts)
            )
    against = judge_claims(estimates_of(World(replicates=10, skill={("disambiguation", "birnn"): 0.2})))
    assert "bidirectional RNN" in deciding(against["future-context"]).label


def test_the_strip_repeats_the_numbers_of_the_claims_tables():
    verdicts = judge_claims(estimates_of(World(replicates=10)))
    strip = strip_table(verdicts).set_index("claim")
    assert list(strip.index) == list(verdicts)
    for name, verdict in verdicts.items():
        row, own = strip.loc[name], claim_table(verdict)
        if row["deciding"]:
            (same,) = own[own["measured"] == row["deciding"]].itertuples()
            assert (row["estimate"], row["n"]) == (same.estimate, same.n)
            assert np.array_equal([row["low"], row["high"]], [same.low, same.high], equal_nan=True)


def test_who_solves_what_counts_the_seeds_above_the_skill_of_a_solved_task():
    study = fake_study(World(replicates=10, noise=0.05))
    estimates = Estimates(ResultTables(study))
    ways = {s.variant: s.causal for s in study.settings}
    references = {s.identity: (s.task, s.variant, s.references) for s in study.settings}
    expected = Counter()
    for run in study.replicates:
        task, variant, known = references[run.setting]
        score = known["chance"] if run.status == "diverged" else run.metrics["test_score"]
        expected[variant, task] += (score - known["chance"]) / (known["perfect"] - known["chance"]) > 0.9
    shown = solvers(estimates)
    for title, rows in shown.groups:
        for row in rows:
            assert ways[row.name] == (title == "left to right")
            for (task, _), cell in zip(shown.columns, row.cells, strict=True):
                assert sum(skill > 0.9 for skill in cell) == expected[row.name, task]
        totals = [np.mean([skill > 0.9 for cell in row.cells for skill in cell]) for row in rows]
        assert totals == sorted(totals, reverse=True)
    assert solver_table(estimates)["solved"].sum() == sum(expected.values())


def test_many_tasks_stand_below_each_other():
    few = estimates_of(World(tasks=(*MEMORY, *TEXTS), variants=("rnn", "lstm")))
    assert len(solvers(few).columns) == 6
    study = fake_study(World(tasks=MEMORY, variants=("rnn", "lstm"), replicates=2))
    settings, runs = list(study.settings), list(study.replicates)
    for copy in range(MOST_COLUMNS):
        settings += [replace(s, task=f"{s.task}{copy}", identity=f"{s.identity}{copy}") for s in study.settings]
        runs += [replace(run, setting=f"{run.setting}{copy}") for run in study.replicates]
    many = solvers(Estimates(ResultTables(replace(study, settings=tuple(settings), replicates=tuple(runs)))))
    assert [name for name, _ in many.columns] == ["lstm", "rnn"]
    assert len(many.groups[0][1]) == len(MEMORY) * (MOST_COLUMNS + 1)


@pytest.fixture(scope="module")
def document():
    return compose(fake_study(World(replicates=10)))[0]


def test_html_pdf_and_markdown_show_the_same_first_page(document, monkeypatch):
    (page,) = [block for block in document.blocks if isinstance(block, PageOne)]
    html, source = " ".join(Page(to_html(document)).text), pdf_source(document, monkeypatch)
    markdown = page_markdown(document.title, page)
    texts = [page.origin, page.tally, *(row.text for row in page.strip.rows), *(row.title for row in page.strip.rows)]
    texts += [line for _, text in page.facts for line in text.splitlines()]
    for text in texts:
        assert text in html
        assert text.replace("\\", "\\\\").replace('"', '\\"') in source
        assert text in markdown
    for sentence in page.answer:
        for piece in sentence.split("**"):
            assert piece in html
            assert piece in source
            assert piece in markdown


def test_the_first_page_is_one_sheet(document):
    """The second has the contents, and here the headings that the first one links to."""
    (page,) = [block for block in document.blocks if isinstance(block, PageOne)]
    many = replace(page, strip=replace(page.strip, rows=[*page.strip.rows] * 2))
    for each in (page, many):
        headings = [Heading(anchor, 1, anchor) for anchor in dict.fromkeys(row.anchor for row in each.strip.rows)]
        pdf = to_pdf(Document(document.title, document.subtitle, [each, *headings]))
        assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 2


def test_every_mixture_of_colours_can_be_read():
    """The contrast of the web's guidelines (WCAG 2.1, 1.4.3): at least 4.5 to 1."""
    for solved in range(11):
        background, ink = (_luminance(colour) for colour in cell_colours(solved / 10))
        assert (max(background, ink) + 0.05) / (min(background, ink) + 0.05) >= 4.5


def _luminance(colour):
    parts = np.array([int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def test_no_claim_has_the_heading_of_a_network(document):
    headings = [block.text for block in document.blocks if isinstance(block, Heading)]
    assert len(headings) == len(set(headings))
    claims = {claim.headline for claim in CLAIMS.values()}
    assert len(claims) == len(CLAIMS)
    assert not claims & {row.name for block in document.blocks if isinstance(block, PageOne)
                         for _, rows in block.solvers.groups for row in rows}  # fmt: skip


@pytest.mark.parametrize(
    ("last", "facts", "expected"),
    [
        ("ablate run claims --scale demo --only 'adding/*' --time-limit 2h --workers 2", {}, "ablate run claims --scale demo"),
        ("ablate run claims --retry-failed --seed 2 --steps 20", {"changes": {"seed": 2, "steps": 20}},
         "ablate run claims --scale demo --seed 2 --steps 20"),
        ("ablate run mine.py", {"study_file": "/home/ada/my own.py", "changes": {"search_seeds": 1}},
         "ablate run '/home/ada/my own.py' --scale demo --search-seeds 1"),
        ("ablate try cell.py --workers 2", {"study_file": "/cell.py"}, "ablate try /cell.py --scale demo"),
    ],
)  # fmt: skip
def test_a_report_says_the_command_that_trains_the_whole_plan(last, facts, expected):
    study = fake_study(World(tasks=("adding",), failed={("adding", "gru"): "MemoryError"}))
    study = replace(study, provenance={**study.provenance, "command": last, **facts})
    document, tables = compose(study)
    (page,) = [block for block in document.blocks if isinstance(block, PageOne)]
    assert dict(page.facts)["Again"].splitlines()[0] == expected
    provenance = tables["provenance"].set_index("fact")["value"]
    assert (provenance["command"], provenance["last command"]) == (expected, last)
    (partial,) = [block.text for block in document.blocks if isinstance(block, Note) and block.tone == "warning"]
    assert f"`{expected}` continues the study" in partial
    (failed,) = [block for block in document.blocks if isinstance(block, Table) and block.name == "failed_settings"]
    assert f"`{expected}` tries them again" in failed.caption


def test_a_record_without_a_run_says_no_more_than_that_and_the_command_to_go_on(monkeypatch):
    study = fake_study(World(tasks=MEMORY))
    study = replace(study, settings=(), trials=(), replicates=(), costs=(), transferred=())
    document, _ = compose(study)
    (page,) = [block for block in document.blocks if isinstance(block, PageOne)]
    assert page.answer == found_lines(study) == ["Nothing is recorded yet. To go on: `ablate run claims --scale demo`"]
    parts = [block.text for block in document.blocks if isinstance(block, Heading) and block.level == 1]
    assert parts == ["Failures", "Method", "How the verdicts are reached", "Provenance"]
    html, source = to_html(document), pdf_source(document, monkeypatch)
    for text in (html, source, page_markdown(document.title, page)):
        assert "ablate run claims --scale demo" in text
        for empty in (
            STRIP[:20],
            "No claim is",
            "seeds a setting",
            "How fair?",
            "verdicts-at-a-glance",
            'class="facts"',
        ):
            assert empty not in text


def test_the_first_page_says_nothing_of_replicates_or_claims_that_are_not_recorded(monkeypatch):
    study = replace(fake_study(World(tasks=("adding",), variants=("rnn", "lstm"))), name="own", replicates=(), costs=())
    document, _ = compose(study)
    (page,) = [block for block in document.blocks if isinstance(block, PageOne)]
    assert page.tally == "No claim is judged by these runs"
    assert [title for title, _ in page.facts] == ["How fair?", "Failures", "Again"]
    for text in (to_html(document), pdf_source(document, monkeypatch), page_markdown(document.title, page)):
        assert page.tally in text
        assert STRIP[:20] not in text


def test_code_is_set_as_code_and_no_backtick_is_shown(monkeypatch):
    study = fake_study(World(tasks=("adding",), replicates=2, failed={("adding", "gru"): "MemoryError"}))
    settings = tuple(replace(setting, rule="The sum so far modulo `modulus`.") for setting in study.settings)
    document, _ = compose(replace(study, settings=settings, provenance={**study.provenance, "study_file": "own.py"}))
    html, source = to_html(document), pdf_source(document, monkeypatch)
    assert "`" not in "".join(text for text in Page(html).text if "const " not in text)
    assert "`" not in source
    for code in ("modulus", "ablate run own.py --scale demo", "ablate report"):
        assert f"<code>{code}</code>" in html
        assert f'raw("{code}")' in source
    assert html.count("<code>modulus</code>") == source.count('raw("modulus")') == 2


def test_names_of_the_record_are_shown_as_text():
    hostile = 'x"<script>alert(1)</script>**|#'
    study = fake_study(World(tasks=("adding",), variants=("lstm", "rnn"), replicates=3, diverged=()))
    settings = tuple(replace(s, variant=hostile if s.variant == "lstm" else s.variant) for s in study.settings)
    plan = {**study.plan, "settings": {"adding": [hostile, "rnn"]}, "runs": {hostile: 15, "rnn": 15}}
    document, _ = compose(replace(study, settings=settings, plan={**plan, "question": hostile}))
    page = Page(to_html(document))
    assert hostile in " ".join(page.text)
    assert "alert(1)</script>**|#" not in " ".join(page.comments)
