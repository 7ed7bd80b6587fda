"""Put the tables of benchmarks/results/*.json into README.md, between their markers."""

from __future__ import annotations

import json
import re
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).parent


def main() -> None:
    readme = HERE / "README.md"
    text = readme.read_text()
    for path in sorted((HERE / "results").glob("*.json")):
        table = import_module(path.stem).report(json.loads(path.read_text()))
        begin, end = f"<!-- {path.stem} -->\n", f"<!-- /{path.stem} -->"
        block = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
        if not block.search(text):
            raise SystemExit(f"README.md has no markers for {path.name}")
        text = block.sub(lambda _, new=f"{begin}\n{table}\n\n{end}": new, text)
    readme.write_text(text)


if __name__ == "__main__":
    main()
