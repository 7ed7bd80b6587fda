"""Put the tables of results/*.json into the pages that show them, between their markers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent


def main() -> None:
    names = sorted(path.stem for path in (HERE / "results").glob("*.json"))
    fill(HERE / "README.md", [name for name in names if name != "speed"], "report")
    fill(ROOT / "docs" / "exporters.md", ["exporters"], "compared")
    fill(ROOT / "docs" / "speed.md", ["speed"], "report")
    fill(ROOT / "docs" / "knowledge.md", ["knowledge"], "summary")
    fill(ROOT / "docs" / "teachers.md", ["teachers"], "report")
    fill(ROOT / "docs" / "tables.md", ["real_tables"], "summary")
    fill(ROOT / "docs" / "quickstart.md", ["budget"], "families")
    fill(ROOT / "README.md", ["budget", "exporters"], "headline")


def fill(page: Path, names: Iterable[str], function: str) -> None:
    """Write what `function` of each benchmark makes of its results."""
    text = page.read_text()
    for name in names:
        results = json.loads((HERE / "results" / f"{name}.json").read_text())
        table = getattr(import_module(name), function)(results)
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        block = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
        if not block.search(text):
            raise SystemExit(f"{page} has no markers for {name}")
        text = block.sub(lambda _, new=f"{begin}\n{table}\n\n{end}": new, text)
    page.write_text(text)


if __name__ == "__main__":
    main()
