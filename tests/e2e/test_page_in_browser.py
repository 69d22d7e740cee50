"""The report in a real browser, at a desk and on a phone: it loads nothing, fits, and works without a mouse.

Slow because each statement is tested on three pages and two screens, each opened afresh.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright import sync_api

import synthetic
from gyges.reporting.page import render_page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not CHROMIUM, reason="needs chromium on the path")]

WIDTHS = {"desk": 1280, "phone": 360}
MODELS = (0, 1, 12)
TABBABLE = "a[href], summary, [tabindex='0']"
SHOWN = "e => e.checkVisibility()"


@pytest.fixture(scope="module")
def browser() -> Iterator[sync_api.Browser]:
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module", params=MODELS)
def file(request, tmp_path_factory) -> Path:
    """A report over that many models, written once."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render_page(synthetic.study(request.param, 3, skins=4)), encoding="utf-8")
    return path


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
    assert visit.page.locator("script, main img, iframe, object").count() == 0
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
    assert visit.page.evaluate("document.activeElement.textContent") == "Skip to the report"
    visit.page.keyboard.press("Enter")
    assert visit.page.evaluate("document.activeElement.id") == "main"


def test_a_folded_table_opens_with_the_keyboard(visit):
    folded = visit.page.locator("details.data > summary")
    if folded.count():
        folded.first.focus()
        visit.page.keyboard.press("Enter")
        assert visit.page.locator("details.data table").first.is_visible()


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
