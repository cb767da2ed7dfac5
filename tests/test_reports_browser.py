"""The page in a real browser: nothing fetched, cut or inaccessible, and what its script does. Needs Chromium."""

import csv
import io
import json
import shutil
from pathlib import Path

import pytest
from builders.fake_record import World, fake_study

from reports.write import write

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not CHROMIUM, reason="no Chromium is installed")]

WORLD = World(tasks=("adding", "france"), variants=("lstm", "gru", "rnn", "bilstm"), parents={}, diverged=())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("made") / "report"
    write(fake_study(WORLD), place)
    return place


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def open_page(browser, folder):
    """Opens the report; what the page says on its console or asks for fails the test."""
    pages, complaints = [], []

    def open_(width=1280, scheme="light", script=True):
        page = browser.new_page(
            viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=script
        )
        page.set_default_timeout(120_000)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.append(request.url) if request.url != url else None)
        page.goto(url)
        pages.append(page)
        return page

    url = (folder / "report.html").as_uri()
    yield open_
    for page in pages:
        page.close()
    assert not complaints


def rows_of(page, table):
    """The rows of a table as they are shown."""
    script = "t => [...t.tBodies[0].rows].filter(r => !r.hidden).map(r => [...r.cells].map(c => c.textContent))"
    return page.eval_on_selector(f"#table-{table} table", script)


def choose_sort(page, table, column):
    page.locator(f"#table-{table} th button", has_text=column).first.evaluate("button => button.click()")


@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        (390, "light"),
        *(pytest.param(*other, marks=pytest.mark.long) for other in [(768, "dark"), (1280, "light"), (1920, "dark")]),
    ],
)
def test_axe_finds_no_violation_and_nothing_is_off_screen(open_page, width, scheme):
    page = open_page(width, scheme)
    page.evaluate((Path(axe.__file__).parent / "axe.min.js").read_text("utf-8"))
    found = page.evaluate("axe.run({exclude: ['.plot svg']})")  # the drawing inside a picture that says what it shows
    assert [(each["id"], [node["html"][:90] for node in each["nodes"]]) for each in found["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_labels_in_figures_are_legible_on_a_phone(open_page):
    page = open_page(390)
    widths = page.eval_on_selector_all(".plot svg", "all => all.map(svg => svg.getBoundingClientRect().width)")
    assert widths
    assert min(widths) * 8 / (7.2 * 72) >= 9  # pixels of a label of 8 points in a figure of 7.2 inches


def test_the_first_column_stays_where_a_table_is_scrolled(open_page):
    page = open_page(390)
    box = page.locator("#table-ranking .scroll")
    before, after = (
        box.evaluate(f"b => {{ b.scrollLeft = {x}; return b.querySelector('td').getBoundingClientRect().x }}")
        for x in (0, 200)
    )
    assert box.evaluate("b => b.scrollLeft") > 0
    assert before == after


def test_the_first_click_shows_the_highest_and_the_arrow_shows_the_state(open_page):
    page = open_page()
    given = rows_of(page, "ranking")
    place = 5  # the mean skill
    for state, order in (("descending", -1), ("ascending", 1)):
        choose_sort(page, "ranking", "mean skill")
        values = [float(row[place].replace("−", "-")) for row in rows_of(page, "ranking")]
        assert values == sorted(values, key=lambda value: order * value)
        arrow = "th[aria-sort] button"
        assert page.locator("#table-ranking th[aria-sort]").get_attribute("aria-sort") == state
        content = page.eval_on_selector(f"#table-ranking {arrow}", "b => getComputedStyle(b, '::after').content")
        assert {"descending": "↓", "ascending": "↑"}[state] in content
    choose_sort(page, "ranking", "mean skill")
    assert rows_of(page, "ranking") == given


def test_absent_values_come_last_in_either_direction(open_page):
    page = open_page()
    head = page.eval_on_selector_all("#table-references th", "all => all.map(th => th.textContent)")
    place = next(k for k, _ in enumerate(head) if "–" in {row[k] for row in rows_of(page, "references")})
    for _ in range(2):
        page.locator("#table-references th button").nth(place).evaluate("button => button.click()")
        cells = [row[place] for row in rows_of(page, "references")]
        assert "–" in cells
        assert cells == sorted(cells, key=lambda cell: cell == "–")


def test_a_table_has_one_stop_of_the_tab_key_and_arrows_move_in_it(open_page):
    page = open_page()
    stops = page.eval_on_selector_all("#table-ranking th button", "all => all.filter(b => b.tabIndex === 0).length")
    assert stops == 1
    page.locator("#table-ranking th button").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.closest('th').cellIndex") == 1


def test_the_first_stop_of_the_tab_key_skips_to_the_report(open_page):
    page = open_page()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


def test_rows_are_filtered_by_words(open_page):
    page = open_page()
    page.eval_on_selector("#table-ranking .tools", "tools => tools.open = true")
    page.locator("#table-ranking input").fill("gru")
    rows = rows_of(page, "ranking")
    assert rows
    assert all("gru" in " ".join(row) for row in rows)


def test_a_table_is_copied_as_the_tex_file_has_it_and_as_markdown(open_page, folder):
    page = open_page()
    table = "document.querySelector('#table-ranking table')"
    without_caption = [
        line
        for line in (folder / "tables" / "ranking.tex").read_text("utf-8").splitlines()
        if not line.startswith("% ") or "booktabs" in line
    ]
    assert page.evaluate(f"asLatex({table})").splitlines() == without_caption
    markdown = page.evaluate(f"asMarkdown({table})").splitlines()
    assert [line.count("|") - line.count("\\|") for line in markdown] == [len(rows_of(page, "ranking")[0]) + 1] * len(
        markdown
    )
    assert len(markdown) == 2 + len(rows_of(page, "ranking"))


def test_the_explorer_shows_the_seeds_and_the_reports_own_intervals(open_page, folder):
    page = open_page()
    pairs = list(csv.DictReader(io.StringIO((folder / "tables" / "pairs.csv").read_text("utf-8"))))
    for first, second, sign in (("lstm", "rnn", 1), ("rnn", "lstm", -1)):
        page.locator("#_first").select_option(first)
        page.locator("#_second").select_option(second)
        shown = page.eval_on_selector_all(
            "#_pairs tbody tr", "all => all.map(r => [...r.cells].map(c => c.textContent))"
        )
        own = [row for row in pairs if {row["a"], row["b"]} == {first, second}]
        assert [row[0] for row in shown] == [row["task"] for row in own] == list(WORLD.tasks)
        for row, pair in zip(shown, own, strict=True):
            turn = sign if pair["a"] == "lstm" else -sign
            ends = sorted([turn * float(pair["low"]), turn * float(pair["high"])])
            expected = [f"{value:.3f}".replace("-", "−") for value in (turn * float(pair["difference"]), *ends)]
            assert row[1:4] == expected
        assert page.locator("#_pairs circle").count() == sum(int(row["n"]) for row in own)


def test_the_explorer_takes_the_place_of_what_is_said_without_it(open_page):
    page = open_page()
    assert not page.get_by_text("This part needs JavaScript").is_visible()
    assert page.locator("#_first").is_visible()


def test_the_explorer_draws_all_curves_of_a_task(open_page):
    page = open_page()
    for task in WORLD.tasks:
        page.locator("#_task").select_option(task)
        assert page.locator("#_curves path.line").count() == len(WORLD.variants)
        assert page.locator("#_curves path.band").count() == 2


def test_without_javascript_everything_is_there(open_page):
    page = open_page(script=False)
    assert page.get_by_text("This part needs JavaScript").is_visible()
    assert not page.locator("#_first").is_visible()
    assert page.locator("#table-ranking td").count() > 10
    assert page.locator("th button").count() == 0


def test_a_link_into_the_appendix_opens_it(open_page):
    page = open_page()
    anchor = page.locator("details.appended").first.get_attribute("id")
    assert not page.locator(f"#{anchor} table").is_visible()
    page.locator(f"p.moved a[href='#{anchor}']").first.click()
    page.wait_for_function("id => document.getElementById(id).open", arg=anchor)


def test_print_from_a_dark_system_is_dark_on_white_and_cuts_nothing(open_page):
    page = open_page(794, "dark")  # the width of an A4 page
    page.emulate_media(media="print", color_scheme="dark")
    ink, paper = (page.evaluate(f"getComputedStyle(document.body).{name}") for name in ("color", "backgroundColor"))
    assert (ink, paper) == ("rgb(27, 27, 27)", "rgb(255, 255, 255)")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.set_viewport_size({"width": 688, "height": 1000})  # within the margins
    widths = page.eval_on_selector_all(
        "table, svg, p, h2", "all => all.map(e => [e.getBoundingClientRect().right, e.outerHTML.slice(0, 80)])"
    )
    assert [each for each in widths if each[0] > 690] == []
    assert page.locator("details.appended table").first.is_visible()


def test_the_page_holds_the_documents_own_numbers(open_page, folder):
    page = open_page()
    data = json.loads(page.locator("#_data").text_content())
    rows = csv.DictReader(io.StringIO((folder / "tables" / "replicates.csv").read_text("utf-8")))
    assert data["replicates"]["skill"] == [float(row["skill"]) for row in rows]
