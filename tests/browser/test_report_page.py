"""The report in headless Chromium: quiet, self-contained, by mouse and by keyboard, accessible."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator

from skdistill import DistilledClassifier, SoftBoostingClassifier, SoftTreeClassifier
from skdistill.inspection import report

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """A report with everything on it, and one of many classes and trees."""
    folder = tmp_path_factory.mktemp("pages")
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    y = y.map({0: "malignant", 1: "benign"})
    teacher = FrozenEstimator(RandomForestClassifier(20, random_state=0).fit(X[::2], y[::2]))
    student = SoftTreeClassifier(max_leaf_nodes=9)
    model = DistilledClassifier(teacher, student, transfer_set=None, random_state=0)
    model.fit(X[::2], y[::2])
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "family": rng.choice(["tree", "boosted", "net", "linear"], 20),
            "bytes": np.rint(2 ** rng.uniform(5, 12, 20)),
            "accuracy": 0.97 - 0.1 * rng.random(20),
            "params": [{"max_bytes": k} for k in range(20)],
        }
    )
    search = SimpleNamespace(pareto_=frame, cv_results_={"params": []}, best_params_={})
    report(
        model, X[1::2], y[1::2], groups=np.where(X["mean radius"][1::2] > 14, "large", "small"),
        hard_labels=SoftTreeClassifier(max_leaf_nodes=9).fit(X[::2], y[::2]), X_train=X[::2],
        search=search, budget=4096, targets=["cortex-m0", "avr"], path=folder / "full.html",
    )  # fmt: skip
    X, y = load_digits(return_X_y=True)
    boosted = SoftBoostingClassifier(n_estimators=6, max_leaf_nodes=8).fit(X[::2], y[::2])
    report(boosted, X[1::2], y[1::2], targets=[], n_rows=4, path=folder / "digits.html")
    return folder


@pytest.fixture
def open_page(browser, pages):
    """Open a report; at the end nothing must have been logged or asked for."""
    opened, noise = [], []

    def opener(name="full", *, width=1100, scheme="light", scripts=True):
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme,
            java_script_enabled=scripts,
        )  # fmt: skip
        page = context.new_page()
        page.on("console", lambda message: noise.append(message.text))
        page.on("pageerror", lambda error: noise.append(str(error)))
        file = (pages / f"{name}.html").as_uri()
        page.on("request", lambda request: request.url == file or noise.append(request.url))
        page.goto(file)
        opened.append(context)
        return page

    yield opener
    for context in opened:
        context.close()
    asked = [each for each in noise if not each.startswith("data:")]
    assert asked == []


@pytest.mark.parametrize(
    ("name", "scheme", "width"),
    [
        ("full", "light", 1100),
        ("full", "dark", 360),
        ("digits", "light", 360),
        ("digits", "dark", 1100),
    ],
)
def test_axe_finds_no_fault(open_page, name, scheme, width):
    page = open_page(name, scheme=scheme, width=width)
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    page.locator("[data-point]").first.click()
    results = axe.Axe().run(page)
    faults = [(each["id"], each["impact"], [node["target"] for node in each["nodes"]][:3])
              for each in results.response["violations"]]  # fmt: skip
    assert faults == []


def test_the_chart_answers_a_click(open_page):
    page = open_page()
    shown = page.locator("#pareto-details")
    assert "No point is chosen" in shown.inner_text()
    point = page.locator("[data-point]").nth(3)
    name = point.get_attribute("aria-label").split(":")[0]
    point.click()
    assert name in shown.inner_text() and "bytes" in shown.inner_text()
    assert page.locator("[aria-pressed=true]").count() == 1
    assert point.get_attribute("aria-pressed") == "true"


def focused(page):
    return page.evaluate(
        "(() => { const e = document.activeElement;"
        "return e.id || e.getAttribute('aria-label') || e.textContent.trim().slice(0, 60) })()"
    )


def test_the_keyboard_alone_reaches_everything(open_page):
    page = open_page()
    # One point is a stop of the tab key, the arrow keys reach the others.
    stops = page.evaluate("document.querySelectorAll('a[href], summary, [tabindex=\"0\"]').length")
    hidden = page.evaluate(
        'document.querySelectorAll(\'details:not([open]) > :not(summary) [tabindex="0"],'
        'details:not([open]) > [tabindex="0"]\').length'
    )
    reached = []
    for _ in range(stops - hidden):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.tagName"))
    assert "BODY" not in reached
    page.keyboard.press("Tab")  # beyond the last one
    assert page.evaluate("document.activeElement.tagName") == "BODY"


def test_arrow_keys_walk_through_the_points_and_enter_chooses(open_page):
    page = open_page()
    page.locator('[data-point][tabindex="0"]').focus()
    n = page.locator("[data-point]").count()
    names = {focused(page)}
    for _ in range(n - 1):
        page.keyboard.press("ArrowRight")
        names.add(focused(page))
    assert len(names) == n
    page.keyboard.press("ArrowRight")  # stays on the last one
    last = focused(page)
    page.keyboard.press("Enter")
    assert last.split(":")[0] in page.locator("#pareto-details").inner_text()
    page.keyboard.press("Home")
    page.keyboard.press(" ")
    assert focused(page).split(":")[0] in page.locator("#pareto-details").inner_text()
    assert page.locator('[data-point][tabindex="0"]').count() == 1


def test_an_open_row_is_marked_in_the_tree_and_the_last_one_wins(open_page):
    page = open_page()
    rows, marked = page.locator("details.row"), page.locator("#first-tree .on-path")
    for k in (0, 3):
        rows.nth(k).locator("summary").focus()
        page.keyboard.press("Enter")
        playwright.expect(page.locator("details.row[open]")).to_have_count(1)
        playwright.expect(rows.nth(k)).to_have_attribute("open", "")
        nodes = rows.nth(k).get_attribute("data-nodes").split()
        for node in nodes:
            playwright.expect(
                page.locator(f'#first-tree .on-path[data-node="{node}"]')
            ).to_have_count(1)
        playwright.expect(marked).to_have_count(len(nodes))
    page.keyboard.press("Enter")
    playwright.expect(marked).to_have_count(0)


@pytest.mark.parametrize("name", ["full", "digits"])
def test_a_phone_shows_the_page_without_scrolling_sideways(open_page, name):
    page = open_page(name, width=360)
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_without_scripts_everything_can_be_read(open_page):
    page = open_page(scripts=False)
    page.locator("summary", has_text="The points as a table").click()
    assert page.locator("table", has_text="this student").first.is_visible()
    page.locator("details.row summary").first.click()
    assert page.locator("details.row table").first.is_visible()
