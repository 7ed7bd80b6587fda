"""Python code of the pages: what it prints, and what the pages say that it prints.

A block of Python on a page is followed by what it prints, in a block of its own:

    ```python
    print(1 + 1)
    ```

    ```output
    2
    ```

`python -m tests.page_code PAGE …` runs the code and writes what it prints into the pages;
`make outputs` does so for all of them. The tests run the same code and compare.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

ROOT = Path(__file__).parents[1]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    ROOT / "benchmarks" / "README.md",
    *(page for page in sorted(ROOT.glob("docs/**/*.md")) if "_build" not in page.parts),
]
BLOCK = re.compile(
    r"^```python\n(?P<code>.*?)^```\n(?:\n```output\n(?P<shown>.*?)^```\n)?",
    re.MULTILINE | re.DOTALL,
)
NUMBER = re.compile(r"\d[\d,]*\.?\d*(?:e[+-]?\d+)?")
# Versions of libraries and sums of BLAS move figures a little; what is said about them still holds.
RELATIVE, ABSOLUTE = 0.1, 0.03


def run(page: Path) -> Iterator[tuple[re.Match[str], str]]:
    """Run the blocks of a page in order, in one namespace: each block and what it prints."""
    namespace: dict[str, object] = {}
    for block in BLOCK.finditer(page.read_text(encoding="utf-8")):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(block["code"], str(page), "exec"), namespace)
        yield block, "".join(f"{line.rstrip()}\n" for line in printed.getvalue().splitlines())


def same(shown: str, printed: str) -> bool:
    """Whether two outputs have the same words, and numbers that are nearly the same.

    Parameters
    ----------
    shown, printed : str
        What a page shows, and what its code printed.

    Returns
    -------
    same : bool
        White space does not count.
    """
    if NUMBER.sub("0", shown).split() != NUMBER.sub("0", printed).split():
        return False
    pairs = zip(NUMBER.findall(shown), NUMBER.findall(printed), strict=True)
    return all(_near(*(float(each.replace(",", "")) for each in pair)) for pair in pairs)


def _near(a: float, b: float) -> bool:
    return abs(a - b) <= max(ABSOLUTE, RELATIVE * max(abs(a), abs(b)))


def write_outputs(page: Path) -> None:
    """Put below each block of a page what it prints."""
    text, end, parts = page.read_text(encoding="utf-8"), 0, []
    for block, printed in run(page):
        parts += [text[end : block.start()], f"```python\n{block['code']}```\n"]
        if printed and not (block["shown"] and same(block["shown"], printed)):
            parts.append(f"\n```output\n{printed}```\n")
        elif printed:
            parts.append(f"\n```output\n{block['shown']}```\n")
        end = block.end()
    page.write_text("".join(parts) + text[end:], encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", nargs="*", type=Path, help="all pages if there is none")
    pages = [page.resolve() for page in parser.parse_args().pages] or PAGES
    warnings.simplefilter("error")
    here = Path.cwd()
    for page in tqdm([page for page in pages if BLOCK.search(page.read_text(encoding="utf-8"))]):
        started = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            try:
                write_outputs(page)
            finally:
                os.chdir(here)
        tqdm.write(f"{time.perf_counter() - started:6.1f} s  {page.name}")


if __name__ == "__main__":
    main()
