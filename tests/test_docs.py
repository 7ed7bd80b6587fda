"""Code that a page shows runs, and its links lead to files and headings that exist."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
PAGES = [ROOT / "README.md", ROOT / "benchmarks" / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
WITH_CODE = [str(page.relative_to(ROOT)) for page in PAGES if BLOCK.search(page.read_text())]


def test_the_pages_for_users_show_code():
    names = ("quickstart", "teachers", "tables", "knowledge", "c-export")
    assert {"README.md", *(f"docs/{name}.md" for name in names)} <= set(WITH_CODE)


@pytest.mark.parametrize("page", WITH_CODE)
def test_python_blocks_of_a_page_run_in_order(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace = {}
    for block in BLOCK.findall((ROOT / page).read_text()):
        exec(compile(block, page, "exec"), namespace)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_to_files_and_headings_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        path, _, heading = target.partition("#")
        if "://" in target:
            continue
        file = page.parent / path if path else page
        assert file.exists(), f"{page.name} links to {target}"
        if heading:
            headings = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)
            anchors = [re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in headings]
            assert heading in anchors, f"{page.name} links to {target}"


def test_the_architecture_shows_the_layers_that_are_checked_and_every_package():
    page = (ROOT / "docs" / "architecture.md").read_text()
    _, tree, layers = re.findall(r"^```text\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    checked = next(each for each in contracts["contracts"] if each["type"] == "layers")["layers"]
    assert layers.splitlines() == [layer.replace(" : ", " · ") for layer in checked]
    packages = {file.parent.name for file in ROOT.glob("skdistill/*/**/__init__.py")}
    assert packages <= set(re.findall(r"^ +(\w+)/", tree, re.MULTILINE))
