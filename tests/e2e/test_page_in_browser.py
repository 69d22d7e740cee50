"""The pages in a real browser, at a desk and on a phone: they load nothing, fit, and work without a mouse.

Slow because each statement is tested on five pages (three reports, a study, the contents) and two screens, each opened afresh.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright import sync_api

import study_toys
import synthetic
from gyges.pages.index import write_contents
from gyges.pages.test.test_page import render_page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not CHROMIUM, reason="needs chromium on the path")]

WIDTHS = {"desk": 1280, "phone": 360}
MODELS = (0, 1, 12)
TABBABLE = "a[href], summary, [tabindex='0']"
SHOWN = "e => e.checkVisibility()"
IN_VIEW = "e => { const r = e.getBoundingClientRect(); return r.top >= 0 && r.bottom <= innerHeight }"
A4 = (688, 1001)
"""What the margins leave of a page, in CSS pixels."""


@pytest.fixture(scope="module")
def browser() -> Iterator[sync_api.Browser]:
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module", params=(*MODELS, "study", "contents"))
def file(request, tmp_path_factory) -> Path:
    """A report over that many models, the page of a study, or the page that links both; written once."""
    folder = tmp_path_factory.mktemp("page")
    study, path = folder / "study.html", folder / "report.html"
    if request.param not in MODELS:
        study.write_text(study_toys.page(folder / "store", 3), encoding="utf-8")
    if request.param == "study":
        return study
    path.write_text(render_page(synthetic.study(request.param if request.param in MODELS else 1, 3, skins=4)))
    return write_contents([folder]) if request.param == "contents" else path


class Visit:
    """A page that is open, with what it tried to load and what it complained about."""

    def __init__(self, browser: sync_api.Browser, file: Path, width: int, **options) -> None:
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page = browser.new_page(viewport={"width": width, "height": 800}, **options)
        self.page.route("**/*", lambda route: self._see(route, file.as_uri()))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(file.as_uri())

    def _see(self, route: sync_api.Route, own: str) -> None:
        if route.request.url.split("#")[0] == own:
            route.continue_()
        else:
            self.requests.append(route.request.url)
            route.abort()


@pytest.fixture(params=WIDTHS)
def visit(request, browser, file) -> Iterator[Visit]:
    opened = Visit(browser, file, WIDTHS[request.param])
    yield opened
    opened.page.close()


def open_everything(page: sync_api.Page) -> None:
    page.eval_on_selector_all("details", "all => all.forEach(d => { d.open = true })")


def test_nothing_is_loaded_and_nothing_complains(visit):
    open_everything(visit.page)
    visit.page.wait_for_timeout(100)
    assert visit.requests == [] and visit.complaints == []


def test_hostile_transcripts_do_nothing(visit):
    open_everything(visit.page)
    drawn = "[src^='data:image/svg+xml']"  # in an image no script runs and nothing is loaded
    assert visit.page.locator(f"script, main img:not({drawn}), iframe, object").count() == 0
    assert visit.page.locator("mark mark, .turn .chip").count() == 0


@pytest.mark.parametrize("unfolded", [False, True])
def test_the_document_never_scrolls_sideways(visit, unfolded):
    if unfolded:
        open_everything(visit.page)
    wide = visit.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0


def test_every_control_is_reached_by_tab(visit):
    visit.page.eval_on_selector_all(TABBABLE, "all => all.forEach((e, i) => e.dataset.stop = i)")
    expected = visit.page.eval_on_selector_all(TABBABLE, f"all => all.filter({SHOWN}).map(e => e.dataset.stop)")
    reached = []
    for _ in range(len(expected)):
        visit.page.keyboard.press("Tab")
        reached.append(visit.page.evaluate("document.activeElement.dataset.stop"))
    assert reached == expected and len(expected) >= 3


def test_focus_is_visible(visit):
    visit.page.keyboard.press("Tab")
    visit.page.keyboard.press("Tab")
    assert visit.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_the_skip_link_comes_first_and_leads_to_the_report(visit):
    visit.page.keyboard.press("Tab")
    assert visit.page.evaluate("document.activeElement.textContent") == "Skip to the text"
    visit.page.keyboard.press("Enter")
    assert visit.page.evaluate("document.activeElement.id") == "main"


def test_a_folded_table_opens_with_the_keyboard(visit):
    folded = visit.page.locator("details.data:has(table)")
    if folded.count():
        folded.first.locator("> summary").focus()
        visit.page.keyboard.press("Enter")
        assert folded.first.locator("table").is_visible()


def test_the_keyboard_leads_from_the_evidence_to_its_mark(visit):
    samples = visit.page.locator("details.sample:has(mark)")
    if samples.count():
        samples.first.locator("> summary").focus()
        visit.page.keyboard.press("Enter")
        visit.page.keyboard.press("Tab")
        visit.page.keyboard.press("Enter")
        assert visit.page.evaluate("document.activeElement.querySelector('mark') !== null")
        assert samples.first.locator("mark").first.evaluate(IN_VIEW)


def test_no_caption_is_wider_than_the_screen(visit):
    open_everything(visit.page)
    ends = visit.page.eval_on_selector_all("caption span", "all => all.map(e => e.getBoundingClientRect().right)")
    assert max(ends, default=0) <= visit.page.viewport_size["width"]


def test_text_in_plots_never_overlaps(visit):
    overlaps = visit.page.eval_on_selector_all(
        "svg[role=img]",
        """all => all.flatMap(svg => {
            const boxes = [...svg.querySelectorAll('text')].map(e => [e.textContent, e.getBBox()]);
            return boxes.flatMap(([a, p], i) => boxes.slice(i + 1).filter(([b, q]) =>
                p.x < q.x + q.width && q.x < p.x + p.width && p.y + 3 < q.y + q.height - 3 && q.y + 3 < p.y + p.height - 3
            ).map(([b]) => `${a} / ${b}`));
        })""",
    )
    assert overlaps == []


def test_on_paper_every_plot_fits_a_page_and_only_long_tables_are_left_out(browser, file):
    visit = Visit(browser, file, A4[0])
    visit.page.emulate_media(media="print")
    heights = visit.page.eval_on_selector_all(".panels > div", "all => all.map(e => e.getBoundingClientRect().height)")
    assert max(heights, default=0) <= A4[1]
    shown = "all => all.filter(e => e.querySelectorAll('tbody tr').length).map(e => [e.querySelectorAll('tbody tr').length, e.checkVisibility()])"
    assert all(seen == (rows <= 36) for rows, seen in visit.page.eval_on_selector_all("details.data table", shown))
    visit.page.close()


def test_text_in_plots_is_never_tiny(visit):
    sizes = visit.page.eval_on_selector_all(
        "svg[role=img] text",
        "all => all.map(e => parseFloat(getComputedStyle(e).fontSize) * e.getScreenCTM().a)",
    )
    assert min(sizes, default=12) >= 10.5


def test_dark_mode_changes_the_paper_and_print_does_not(browser, file):
    visit = Visit(browser, file, 1280, color_scheme="dark")
    paper = "getComputedStyle(document.body).backgroundColor"
    dark = visit.page.evaluate(paper)
    visit.page.emulate_media(media="print")
    assert dark == "rgb(20, 23, 26)" and visit.page.evaluate(paper) == "rgb(255, 255, 255)"
    visit.page.close()
