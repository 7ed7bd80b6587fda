"""A report as HTML and as Markdown."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from skdistill.inspection.report.charts import pareto_chart, reliability_chart

_TEMPLATES = Path(__file__).parent / "templates"


def to_html(content: dict[str, Any], drawings: list[str]) -> str:
    """Write one self-contained page.

    Parameters
    ----------
    content : dict
        Sections of a report.
    drawings : list of str
        Trees as SVG.

    Returns
    -------
    html : str

    Raises
    ------
    ImportError
        Without jinja2, the extra "report".
    """
    template = _environment(autoescape=True).get_template("report.html")
    html: str = template.render(
        **content,
        drawings=drawings,
        pareto_svg=pareto_chart(content["candidates"]),
        reliability_svg=reliability_chart(content["calibration"]),
        points_json=script_json(content["candidates"]["points"]),
        style=(_TEMPLATES / "style.css").read_text(encoding="utf-8"),
        script=(_TEMPLATES / "script.js").read_text(encoding="utf-8"),
    )
    return html


def to_markdown(content: dict[str, Any]) -> str:
    """Write a model card in the format of the Hugging Face Hub: metadata, then text.

    Parameters
    ----------
    content : dict
        Sections of a report.

    Returns
    -------
    text : str

    Raises
    ------
    ImportError
        Without jinja2, the extra "report".
    """
    text: str = _environment(autoescape=False).get_template("report.md").render(**content)
    return text


def script_json(value: Any) -> str:
    """JSON that can stand inside of a ``<script>`` element.

    Parameters
    ----------
    value : object
        What JSON can hold.

    Returns
    -------
    text : str
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


@cache
def _environment(*, autoescape: bool) -> Any:
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError as error:
        raise ImportError("reports need jinja2: pip install 'skdistill[report]'") from error
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "percent": lambda v: "–" if _unknown(v) else f"{100 * v:.1f} %",
        "figure": lambda v: "–" if _unknown(v) else f"{v:.3f}",
        "whole": lambda v: "–" if _unknown(v) else f"{v:,.0f}",
        "json": lambda v: json.dumps(v, ensure_ascii=False),
        # A vertical bar would end a cell of a table, a sign "<" begin a tag.
        "cell": lambda v: str(v).replace("|", "\\|").replace("<", "&lt;").replace("\n", " "),
    }
    return environment


def _unknown(value: Any) -> bool:
    return value is None or value != value
