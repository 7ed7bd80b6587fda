"""What the README and the quick start tell a user to type has to run."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


PAGES = [
    "README.md",
    "docs/quickstart.md",
    "docs/teachers.md",
    "docs/tables.md",
    "docs/knowledge.md",
    "docs/c-export.md",
]


@pytest.mark.parametrize("page", PAGES)
def test_python_blocks_of_a_page_run_in_order(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(
        r"^```python\n(.*?)^```", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL
    )
    assert blocks, f"{page} shows no code"
    namespace = {}
    for block in blocks:
        exec(compile(block, page, "exec"), namespace)
