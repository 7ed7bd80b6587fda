"""Put tables and pictures of results/*.json into the pages that show them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

import _figure_pareto

HERE = Path(__file__).parent
ROOT = HERE.parent
# Whose tables are there alone.
IN_GUIDE = ("default_teacher", "labelled_rows", "scale", "speed", "teacher_speed")


def main() -> None:
    names = sorted(path.stem for path in (HERE / "results").glob("*.json"))
    fill(HERE / "README.md", [name for name in names if name not in IN_GUIDE], "report")
    docs = ROOT / "docs"
    fill(docs / "exporters.md", ["exporters"], "compared")
    fill(docs / "benchmarks.md", ["budget"], "headline")
    fill(docs / "real-tables.md", ["real_tables"], "summary")
    fill(docs / "guide" / "c-export.md", ["exporters"], "headline")
    fill(docs / "guide" / "speed.md", ["speed"], "report")
    fill(docs / "guide" / "scale.md", ["scale", "teacher_speed", "labelled_rows"], "report")
    fill(docs / "guide" / "knowledge.md", ["knowledge"], "summary")
    fill(docs / "guide" / "teachers.md", ["teachers", "default_teacher"], "report")
    fill(docs / "guide" / "students.md", ["budget"], "families")
    fill(ROOT / "README.md", ["budget"], "headline")
    results = json.loads((HERE / "results" / "budget.json").read_text())
    _figure_pareto.write(results, docs / "_static" / "pareto.svg")


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
