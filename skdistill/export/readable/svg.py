"""A tree as a picture in SVG, without any other program.

Text has the colour of the page, so that it can be read in light and dark. Leaves have the colour of
the class that they speak for, and say its name too.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from skdistill.compact.model_tables import ModelTables
from skdistill.compact.tables.tree_table import TreeTable
from skdistill.export.readable.layout import Placed, place
from skdistill.export.readable.outcome import drawn_lines, leading, leaf_lines
from skdistill.export.readable.walk import check_tree, walk

# Okabe & Ito's palette, which people with any colour vision tell apart.
PALETTE = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9", "#cc79a7", "#f0e442", "#999999")
_LETTER, _LINE, _ROW, _GAP, _MARGIN = 6.6, 15, 74, 14, 8  # in pixels
_MOST_LETTERS = 24


def to_svg(model: ModelTables, *, tree: int = 0, max_depth: int | None = 4) -> str:
    """Draw a tree as SVG.

    A row goes to the left where the question of a node is answered with yes. A dashed branch
    is the way of missing values.

    Parameters
    ----------
    model : ModelTables
        With trees.
    tree : int, default=0
        Number of the tree.
    max_depth : int, default=4
        Depth below which branches are cut; None draws the whole tree.

    Returns
    -------
    svg : str
        One ``<svg>`` element, for files and pages.

    Raises
    ------
    ValueError
        If there is no such tree.
    """
    trees = model.table(TreeTable)
    tree = check_tree(trees, tree)
    placed = place(list(walk(model, trees, tree, max_depth)))
    texts = [_lines(model, each) for each in placed]
    box = _LETTER * max(len(line) for lines in texts for line in lines) + 14
    width = (box + _GAP) * max(each.x + 0.5 for each in placed) + 2 * _MARGIN
    height = _ROW * max(each.node.depth for each in placed) + 3 * _LINE + 2 * _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="tree" width="{width:.0f}" '
        f'height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}" role="img" '
        f'aria-label="{escape(_title(model, placed, tree))}" font-size="11" '
        'font-family="system-ui, sans-serif">'
    ]
    centres = [
        (_MARGIN + (box + _GAP) * each.x, _MARGIN + _ROW * each.node.depth) for each in placed
    ]
    for i, each in enumerate(placed):
        if each.parent >= 0:
            parts.append(_branch(placed, i, centres))
    for each, lines, (x, y) in zip(placed, texts, centres, strict=True):
        parts.append(_box(model, each, lines, x, y, box))
    return "".join(parts) + "</svg>"


def _title(model: ModelTables, placed: list[Placed], tree: int) -> str:
    n_trees = len(model.table(TreeTable).roots)
    which = f"Tree {tree} of {n_trees}" if n_trees > 1 else "Decision tree"
    n_leaves = sum(each.node.split is None for each in placed)
    return f"{which}, {len(placed)} nodes drawn, {n_leaves} of them leaves"


def _lines(model: ModelTables, placed: Placed) -> list[str]:
    node = placed.node
    if node.split is None:
        lines = drawn_lines(model, node.scores)
    else:
        hidden = f" … {node.n_hidden:,.0f} leaves" if node.n_hidden else ""
        lines = [node.split.name, node.split.question + hidden]
    return [
        line if len(line) <= _MOST_LETTERS else line[: _MOST_LETTERS - 1] + "…" for line in lines
    ]


def _branch(placed: list[Placed], i: int, centres: Sequence[tuple[float, float]]) -> str:
    each = placed[i]
    (x0, y0), (x1, y1) = centres[each.parent], centres[i]
    split = placed[each.parent].node.split
    is_left = bool(each.node.is_left)
    missing = split is not None and split.missing_left == is_left
    dash = ' stroke-dasharray="5 3"' if missing else ""
    y0, text = y0 + 2 * _LINE, "yes" if is_left else "no"
    anchor = "end" if is_left else "start"
    at_x, at_y = x0 + (x1 - x0) * 0.5 + (-4 if is_left else 4), y0 + (y1 - y0) * 0.5
    return (
        f'<path d="M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}" fill="none" stroke="currentColor" '
        f'stroke-opacity="0.6"{dash}/><text x="{at_x:.1f}" y="{at_y:.1f}" '
        f'text-anchor="{anchor}" fill="currentColor" font-size="10">{text}</text>'
    )


def _box(
    model: ModelTables, placed: Placed, lines: list[str], x: float, y: float, width: float
) -> str:
    node = placed.node
    height = _LINE * 2 + 2
    fill, full = "none", ", ".join(leaf_lines(model, node.scores)) if node.split is None else ""
    opacity = 0.0
    if node.split is None:
        index, strength = leading(model, node.scores)
        fill, opacity = PALETTE[index % len(PALETTE)], 0.1 + 0.3 * strength
    else:
        full = f"{node.split.left_text} goes left; {node.split.right_text} goes right"
    y_text = y + _LINE + (_LINE / 2 if len(lines) == 1 else -1)
    spans = "".join(
        f'<text x="{x:.1f}" y="{y_text - 1 + _LINE * k:.1f}" text-anchor="middle" '
        f'fill="currentColor">{escape(line)}</text>'
        for k, line in enumerate(lines)
    )
    return (
        f'<g data-node="{node.number}"><title>{escape(full)}</title>'
        f'<rect x="{x - width / 2:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height}" '
        f'rx="{8 if node.split is None else 2}" fill="{fill}" fill-opacity="{opacity:.2f}" '
        f'stroke="currentColor" stroke-opacity="0.6"/>{spans}</g>'
    )
