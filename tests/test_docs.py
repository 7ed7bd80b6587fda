"""Code that a page shows runs and prints what is shown; links and names lead somewhere."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.page_code import BLOCK, PAGES, ROOT, run, same

WITH_CODE = [page for page in PAGES if BLOCK.search(page.read_text(encoding="utf-8"))]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def name_of(page):
    return page.relative_to(ROOT).as_posix()


def headings_of(text):
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return [re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in headings]


def test_the_pages_for_users_show_code():
    guide = ("students", "budgets", "categories", "teachers", "c-export", "sizes", "onnx")
    names = {name_of(page) for page in WITH_CODE}
    assert {
        "README.md",
        "docs/quickstart.md",
        *(f"docs/guide/{each}.md" for each in guide),
    } <= names


def test_outputs_are_the_same_if_words_are_and_numbers_nearly_are():
    assert same("accuracy  0.912\n1,024 bytes", "accuracy 0.93\n1,000 bytes\n")
    assert not same("accuracy 0.912", "accuracy 0.75")
    assert not same("0 mismatches", "1 mismatches")
    assert not same("True", "False")
    assert not same("[1 2]", "[1 2 3]")
    assert not same("", "1")


@pytest.mark.parametrize("page", WITH_CODE, ids=name_of)
def test_python_blocks_of_a_page_print_what_it_shows(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for block, printed in run(page):
        shown = block["shown"] or ""
        assert same(shown, printed), f"{block['code']}\nprints\n{printed}\nnot\n{shown}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_to_files_and_headings_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        path, _, heading = target.partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        file = page.parent / path if path else page
        assert file.exists(), f"{page.name} links to {target}"
        if heading:
            text = file.read_text(encoding="utf-8")
            for part in re.findall(r"^```\{include\} (\S+)$", text, re.MULTILINE):
                text += (file.parent / part).read_text(encoding="utf-8")
            assert heading in headings_of(text), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_and_extras_that_a_page_names_exist(page):
    text = page.read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)", text)) <= targets
    extras = PROJECT["project"]["optional-dependencies"]
    for named in re.findall(r"(?:skdistill|\.)\[([a-z,]+)\]", text):
        assert set(named.split(",")) <= set(extras)


def test_the_table_of_extras_is_that_of_the_project():
    text = (ROOT / "docs" / "installation.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| .* \| (.*) \|$", text, re.MULTILINE)
    shown = {name: packages.split(", ") for name, packages in rows if packages}
    extras = PROJECT["project"]["optional-dependencies"]
    developers = {"all", "test", "browser", "lint", "docs"}
    asked = {
        name: [
            re.match(r"[\w-]+", each)[0] for each in packages if not each.startswith("skdistill[")
        ]
        for name, packages in extras.items()
        if name not in developers
    }
    assert shown == asked


def test_the_architecture_shows_the_layers_that_are_checked_and_every_package():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    _, tree, layers = re.findall(r"^```text\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    contracts = PROJECT["tool"]["importlinter"]["contracts"]
    checked = next(each for each in contracts if each["type"] == "layers")["layers"]
    assert layers.splitlines() == [layer.replace(" : ", " · ") for layer in checked]
    packages = {file.parent.name for file in ROOT.glob("skdistill/*/**/__init__.py")}
    assert packages <= set(re.findall(r"^ +(\w+)/", tree, re.MULTILINE))


def test_no_page_shows_output_that_no_code_printed():
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        shown = len(re.findall(r"^```output$", text, re.MULTILINE))
        assert shown == sum(block["shown"] is not None for block in BLOCK.finditer(text))


def test_the_notebooks_have_what_the_gallery_shows():
    for path in Path(ROOT / "notebooks").glob("*.ipynb"):
        import nbformat

        first = nbformat.read(path, as_version=4).cells[0]
        assert first.cell_type == "markdown" and first.source.startswith("# ")
