"""The notebooks as pages with cards: copied as they were executed, never executed here.

`make notebooks` executes into build/notebooks. A notebook that has not been executed since it
was changed is shown with the outputs that it is stored with.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "gallery"
CARD = """\
:::{{grid-item-card}} {title}
:link: gallery/{name}
:link-type: doc
{picture}
{summary}
:::
"""


def latest(source: Path) -> Path:
    executed = ROOT / "build" / "notebooks" / source.name
    if executed.exists() and executed.stat().st_mtime >= source.stat().st_mtime:
        return executed
    return source


def title_and_summary(notebook: dict[str, Any]) -> tuple[str, str]:
    """The first heading, and the first paragraph below it."""
    text = "".join(notebook["cells"][0]["source"])
    title, _, rest = text.partition("\n")
    return title.lstrip("# "), " ".join(rest.strip().partition("\n\n")[0].split())


def first_picture(notebook: dict[str, Any]) -> tuple[str, bytes] | None:
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "image/png" in data:
                return "png", base64.b64decode("".join(data["image/png"]))
            if "image/svg+xml" in data:
                return "svg", "".join(data["image/svg+xml"]).encode()
    return None


def write(path: Path, content: bytes) -> None:
    """Write what has changed only, so that Sphinx reads no page again for nothing."""
    if not path.exists() or path.read_bytes() != content:
        path.write_bytes(content)


def make_gallery(app: Sphinx) -> None:
    PAGES.mkdir(exist_ok=True)
    cards, names = [], []
    for source in sorted((ROOT / "notebooks").glob("*.ipynb")):
        content = latest(source).read_bytes()
        notebook, name = json.loads(content), source.stem
        write(PAGES / source.name, content)
        picture = first_picture(notebook)
        if picture is not None:
            write(PAGES / f"{name}.{picture[0]}", picture[1])
        title, summary = title_and_summary(notebook)
        top = "" if picture is None else f":img-top: gallery/{name}.{picture[0]}\n"
        cards.append(CARD.format(title=title, name=name, picture=top, summary=summary))
        names.append(f"gallery/{name}\n")
    grid = "::::{grid} 1 2 2 3\n:gutter: 3\n\n" + "\n".join(cards) + "::::\n"
    toctree = "```{toctree}\n:hidden:\n\n" + "".join(names) + "```\n"
    write(PAGES / "cards.txt", f"{grid}\n{toctree}".encode())


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", make_gallery)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
