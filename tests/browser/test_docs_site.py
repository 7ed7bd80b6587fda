"""The pages in headless Chromium: quiet, searchable, on a phone, accessible. `make docs` first."""

from __future__ import annotations

import http.server
import re
import threading
from functools import partial
from pathlib import Path
from urllib.parse import urldefrag, urljoin

import pytest

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")
SITE = Path(__file__).parents[2] / "docs" / "_build" / "html"
SEEN = (  # a page of each kind
    "index",
    "quickstart",
    "guide/students",
    "guide/knowledge",
    "guide/inspection",
    "theory",
    "gallery",
    "exporters",
    "real-tables",
    "reference/distillation",
    "api/skdistill.DistilledClassifier",
)
LOUD = ("error", "warning")  # the theme says more in lines of other types
WIDE = ("guide/knowledge", "exporters", "measurements")


class Silent(http.server.SimpleHTTPRequestHandler):
    """Serves files and writes no log."""

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def root():
    """Address of the built pages: search reads files, which browsers refuse of file://."""
    assert (SITE / "index.html").exists(), "build the pages first: make docs"
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=SITE))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture
def open_page(browser, root):
    """Open a page; at the end no fault was logged, and nothing asked for elsewhere."""
    opened, noise = [], []

    def opener(name, *, width=1100, scheme="light"):
        context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
        page = context.new_page()
        page.on("console", lambda said: said.type in LOUD and noise.append(said.text))
        page.on("pageerror", lambda error: noise.append(str(error)))
        page.on("response", lambda got: got.ok or got.status == 304 or noise.append(got.url))
        page.on("request", lambda asked: _is_local(asked.url, root) or noise.append(asked.url))
        page.goto(f"{root}{name}.html")
        opened.append(context)
        return page

    yield opener
    for context in opened:
        context.close()
    assert noise == []


def _is_local(url, root):
    return url.startswith((root, "data:"))


def test_internal_links_lead_to_pages_and_places_that_exist():
    texts = {path: path.read_text(encoding="utf-8") for path in SITE.rglob("*.html")}
    sources = SITE / "_modules"  # Sphinx's own links back from there miss names that moved
    ids = {path: set(re.findall(r'\bid="([^"]+)"', text)) for path, text in texts.items()}
    broken = set()
    for path, text in texts.items():
        if path.is_relative_to(sources):
            continue
        for link in set(re.findall(r'<a [^>]*?href="([^"]+)"', text)):
            target, place = urldefrag(link)
            if re.match(r"[a-z]+:", target):
                continue
            file = path if not target else (path.parent / target).resolve()
            if not file.exists() or (place and file in ids and place not in ids[file]):
                broken.add((path.relative_to(SITE).as_posix(), link))
    assert len(texts) > 100 and broken == set()


def test_search_finds_pages_and_follows_them(open_page, root):
    page = open_page("search")
    page.goto(f"{root}search.html?q=temperature")
    results = page.locator("#search-results li a")
    playwright.expect(results.first).to_be_visible()
    hrefs = [
        urljoin(page.url, results.nth(i).get_attribute("href")) for i in range(results.count())
    ]
    assert any("guide/soft-labels" in href for href in hrefs)
    results.first.click()
    playwright.expect(page.locator("h1").first).to_be_visible()


def test_the_search_field_opens_by_keyboard(open_page):
    page = open_page("index")
    page.keyboard.press("Control+k")
    field = page.locator("dialog input[type=search], .search-button__search-container input")
    playwright.expect(field.first).to_be_focused()
    page.keyboard.type("munge")
    page.keyboard.press("Enter")
    playwright.expect(page.locator("#search-results li a").first).to_be_visible()


@pytest.mark.parametrize("name", dict.fromkeys((*SEEN, *WIDE)))
def test_a_phone_shows_a_page_without_scrolling_sideways(open_page, name):
    page = open_page(name, width=360)
    assert page.evaluate("document.documentElement.scrollWidth") == 360


@pytest.mark.parametrize("name", WIDE)
def test_wide_tables_scroll_by_themselves(open_page, name):
    page = open_page(name, width=360)
    assert page.evaluate(
        "[...document.querySelectorAll('.pst-scrollable-table-container')]"
        ".some(each => each.scrollWidth > each.clientWidth)"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", SEEN)
def test_axe_finds_no_serious_fault(open_page, name, scheme):
    page = open_page(name, scheme=scheme)
    playwright.expect(page.locator("html")).to_have_attribute("data-theme", scheme)
    faults = [
        (each["id"], [node["target"] for node in each["nodes"]][:3])
        for each in axe.Axe().run(page, options={"preload": False}).response["violations"]
        if each["impact"] in ("serious", "critical")
    ]
    assert faults == []


def test_the_theme_can_be_switched(open_page):
    page = open_page("index")
    page.locator("button.theme-switch-button:visible").first.click()
    page.locator("button.theme-change-button[data-mode=dark]:visible").first.click()
    playwright.expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_fitted_attributes_keep_their_underscore_and_no_markup_is_left():
    text = (SITE / "api" / "skdistill.DistilledClassifier.html").read_text(encoding="utf-8")
    for name in ("teacher_", "student_", "compact_", "classes_", "temperature_"):
        assert re.search(rf"<strong>{name}</strong>", text), name
    for path in (SITE / "api").glob("*.html"):
        article = (
            path.read_text(encoding="utf-8").partition("<article")[2].partition("</article>")[0]
        )
        words = re.sub(r"<pre>.*?</pre>|<code.*?</code>|<[^>]+>", " ", article, flags=re.DOTALL)
        assert not re.search(r"``|:\w+:`|\*\*\w+\*\*|(?<!\w)`\w", words), path.name
