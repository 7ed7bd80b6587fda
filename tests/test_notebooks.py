"""Notebooks are stored with their outputs: pictures, no errors, no warnings, no paths."""

import ast
import re
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
MOST_BYTES = 250 * 1024
PICTURES = {"image/png", "image/svg+xml"}
MACHINE_PATH = re.compile(r"/(home|root|tmp|work|Users|usr|var|opt|private)/|\b[A-Z]:\\+\w")


def outputs_of(notebook):
    return [each for cell in notebook.cells if cell.cell_type == "code" for each in cell.outputs]


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def notebook(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook


def test_there_are_notebooks():
    assert len(NOTEBOOKS) == 9


def test_a_notebook_begins_with_a_title_and_a_sentence(notebook):
    first = notebook.cells[0]
    title, blank, summary, *_ = first.source.splitlines()
    assert first.cell_type == "markdown"
    assert title.startswith("# ")
    assert blank == ""
    assert summary.endswith(".")


def test_it_was_executed_in_order_from_a_clean_kernel(notebook):
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))


def test_its_outputs_are_neither_errors_nor_warnings(notebook):
    outputs = outputs_of(notebook)
    assert outputs
    assert not [each for each in outputs if each.output_type == "error"]
    assert not [each.text for each in outputs if each.get("name") == "stderr"]


def test_it_has_a_picture(notebook):
    assert any(PICTURES & set(each.get("data", {})) for each in outputs_of(notebook))


def test_it_is_small_and_names_no_machine(path, notebook):
    assert path.stat().st_size <= MOST_BYTES
    texts = [cell.source for cell in notebook.cells]
    for output in outputs_of(notebook):
        shown = output.get("data", {})
        texts += [output.get("text", ""), *(shown[kind] for kind in shown if kind != "image/png")]
    assert not MACHINE_PATH.search("\n".join(map(str, texts)))


def test_its_metadata_are_a_kernel_and_a_language(notebook):
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert notebook.metadata.kernelspec.name == "python3"
    assert not any(cell.metadata for cell in notebook.cells)


def test_it_imports_public_names_alone(notebook):
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    imported = [each for each in ast.walk(ast.parse(code)) if isinstance(each, ast.ImportFrom)]
    names = [f"{each.module}.{name.name}" for each in imported for name in each.names]
    assert not [name for name in names if "._" in name]


def test_its_links_do_not_depend_on_the_folder(notebook):
    texts = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert not [link for link in re.findall(r"\]\(([^)]+)\)", texts) if "://" not in link]
