"""Charts of a report as SVG, drawn once; a script only answers clicks and keys."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from math import ceil, floor, log10
from typing import Any

_WIDTH, _HEIGHT = 560.0, 330.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 58.0, 16.0, 14.0, 46.0
_CORNERS = {
    "circle": "",
    "square": "m-4.5-4.5h9v9h-9z",
    "diamond": "m0-6.5 6.5 6.5-6.5 6.5-6.5-6.5z",
    "triangle": "m0-6 6 10.5h-12z",
    "plus": "m-2-6.5h4v4.5h4.5v4h-4.5v4.5h-4v-4.5h-4.5v-4h4.5z",
    "star": "m0-8 2.2 5.3 5.6.4-4.3 3.7 1.3 5.5-4.8-2.9-4.8 2.9 1.3-5.5-4.3-3.7 5.6-.4z",
    "down": "m0 6-6-10.5h12z",
}
_SHAPES = tuple(_CORNERS)
Scale = Callable[[float], float]


def pareto_chart(section: dict[str, Any]) -> str:
    """Points by bytes (logarithmic) and score, each one a button.

    Parameters
    ----------
    section : dict
        From `sections.candidates`.

    Returns
    -------
    svg : str
        Empty without points.
    """
    points = section["points"]
    if not points:
        return ""
    sizes = [point["bytes"] for point in points]
    scores = [point["score"] for point in points]
    x, x_ticks = _log_scale(min(sizes), max(sizes))
    y, y_ticks = _linear_scale(min(scores), max(scores))
    families = list(dict.fromkeys(point.get("family", "") for point in points))
    parts = [_open("Models by bytes and " + section["score"], "group"), _axes(
        [(x(v), _bytes(v)) for v in x_ticks], [(y(v), f"{v:g}") for v in y_ticks],
        "bytes, logarithmic", section["score"])]  # fmt: skip
    front = sorted((p["bytes"], p["score"]) for p in points if p["front"])
    if len(front) > 1:
        steps = [f"M{x(front[0][0]):.1f} {y(front[0][1]):.1f}"]
        steps += [f"H{x(size):.1f}V{y(score):.1f}" for size, score in front[1:]]
        parts.append(f'<path class="front" d="{"".join(steps)}"/>')
    order = sorted(range(len(points)), key=lambda i: (sizes[i], scores[i]))
    for position, i in enumerate(order):
        point, k = points[i], families.index(points[i].get("family", ""))
        label = f"{point['name']}: {_bytes(sizes[i])}, {section['score']} {scores[i]:.4g}"
        parts.append(
            f'<g class="point f{k % 8}{" on-front" if point["front"] else ""}" role="button" '
            f'tabindex="{0 if position == 0 else -1}" aria-pressed="false" data-point="{i}" '
            f'aria-label="{escape(label)}"><title>{escape(label)}</title>'
            f"{_shape(_SHAPES[k % len(_SHAPES)], x(sizes[i]), y(scores[i]))}</g>"
        )
    return "".join(parts) + "</svg>" + _legend(families)


def reliability_chart(curves: dict[str, Any]) -> str:
    """Accuracy by confidence.

    Parameters
    ----------
    curves : dict
        From `sections.calibration`.

    Returns
    -------
    svg : str
        Empty without curves.
    """
    if not curves:
        return ""
    x, ticks = _linear_scale(0, 1, axis="x", padded=False)
    y, _ = _linear_scale(0, 1, padded=False)
    parts = [_open("Share of right labels by probability of the predicted label", "img"), _axes(
        [(x(v), f"{v:g}") for v in ticks], [(y(v), f"{v:g}") for v in ticks],
        "probability of the predicted label", "share of right labels")]  # fmt: skip
    parts.append(f'<path class="ideal" d="M{x(0):.1f} {y(0):.1f}L{x(1):.1f} {y(1):.1f}"/>')
    for k, curve in enumerate(curves.values()):
        at = list(zip(curve["confidence"], curve["accuracy"], strict=True))
        line = "L".join(f"{x(p):.1f} {y(q):.1f}" for p, q in at)
        parts.append(f'<g class="curve f{k}"><path d="M{line}" fill="none"/>')
        parts += [_shape(_SHAPES[k % len(_SHAPES)], x(p), y(q)) for p, q in at]
        parts.append("</g>")
    return "".join(parts) + "</svg>" + _legend(list(curves))


def _open(label: str, role: str) -> str:
    return (
        f'<svg class="chart" viewBox="0 0 {_WIDTH:.0f} {_HEIGHT:.0f}" role="{role}" '
        f'aria-label="{escape(label)}">'
    )


def _axes(
    x_ticks: list[tuple[float, str]], y_ticks: list[tuple[float, str]], x_name: str, y_name: str
) -> str:
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    parts = ['<g class="axes" aria-hidden="true">']
    for at, text in x_ticks:
        parts.append(f'<path d="M{at:.1f} {_TOP}V{bottom}"/>')
        parts.append(f'<text x="{at:.1f}" y="{bottom + 16}" text-anchor="middle">{text}</text>')
    for at, text in y_ticks:
        parts.append(f'<path d="M{_LEFT} {at:.1f}H{right}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{text}</text>')
    middle = (_TOP + bottom) / 2
    parts.append(
        f'<text x="{(_LEFT + right) / 2}" y="{_HEIGHT - 8}" text-anchor="middle">{escape(x_name)}'
        f'</text><text transform="translate(14 {middle}) rotate(-90)" text-anchor="middle">'
        f"{escape(y_name)}</text></g>"
    )
    return "".join(parts)


def _legend(names: list[str]) -> str:
    items = "".join(
        f'<li><svg class="key f{k % 8}" viewBox="0 0 14 14" width="14" height="14" '
        f'aria-hidden="true">{_shape(_SHAPES[k % len(_SHAPES)], 7, 7)}</svg> {escape(name)}</li>'
        for k, name in enumerate(names)
    )
    return f'<ul class="legend">{items}</ul>'


def _shape(shape: str, x: float, y: float) -> str:
    if shape == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5"/>'
    return f'<path d="M{x:.1f} {y:.1f}{_CORNERS[shape]}"/>'


def _linear_scale(
    low: float, high: float, *, axis: str = "y", padded: bool = True
) -> tuple[Scale, list[float]]:
    """A scale, and about five ticks at round numbers."""
    span = (high - low) or abs(high) or 1.0
    if padded:
        low, high = low - 0.06 * span, high + 0.06 * span
        span = high - low
    step = 10 ** floor(log10(span / 4))
    step *= next(m for m in (1, 2, 5, 10) if span / (m * step) <= 6)
    ticks = [round(k * step, 10) for k in range(ceil(low / step), floor(high / step) + 1)]
    start, end = (_HEIGHT - _BOTTOM, _TOP) if axis == "y" else (_LEFT, _WIDTH - _RIGHT)
    return lambda v: start + (v - low) / span * (end - start), ticks


def _log_scale(low: float, high: float) -> tuple[Scale, list[float]]:
    """A logarithmic scale along x, and ticks at powers of two or of ten."""
    a, b = log10(low), log10(high)
    pad = 0.06 * (b - a) or 0.3
    a, b = a - pad, b + pad
    base = 10.0 if b - a > 2 else 2.0
    first, last = ceil(a / log10(base)), floor(b / log10(base))
    ticks = [base**k for k in range(first, last + 1)]
    ticks = ticks[:: ceil(len(ticks) / 7)] if ticks else [low]
    return lambda v: _LEFT + (log10(v) - a) / (b - a) * (_WIDTH - _LEFT - _RIGHT), ticks


def _bytes(n: float) -> str:
    for unit, size in (("MB", 1e6), ("KB", 1e3)):
        if n >= size:
            return f"{n / size:.3g} {unit}"
    return f"{n:.0f} B"
