"""What a model is made of, in figures: kinds of tables, columns, bytes."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from skdistill.compact.file_format import to_bytes
from skdistill.compact.packing.pack import choose_layout

if TYPE_CHECKING:
    from skdistill.compact.model_tables import ModelTables


@dataclass(frozen=True)
class Summary:
    """Figures of a model; `str` and notebooks show them as a table.

    Parameters
    ----------
    title : str
        What goes in and what comes out.
    tables : tuple of (str, str, int, int)
        Of each table its kind, what it holds, the number of columns that it reads, and its
        bytes in C for the label and the declared input type.
    other_bytes : dict of str to int
        Bytes of what belongs to no table: bias, scale, ranks of categories.
    file_bytes : int or None
        Size of the file that `CompactModel.save` writes; None where it refuses class labels that
        are neither strings nor numbers.
    """

    title: str
    tables: tuple[tuple[str, str, int, int], ...]
    other_bytes: dict[str, int]
    file_bytes: int | None

    @property
    def nbytes(self) -> int:
        """Bytes of all constant tables in C."""
        return sum(nbytes for *_, nbytes in self.tables) + sum(self.other_bytes.values())

    @property
    def _rows(self) -> list[tuple[str, str, str, str]]:
        rows = [("table", "holds", "columns", "bytes")]
        rows += [(kind, what, f"{n:,}", f"{nbytes:,}") for kind, what, n, nbytes in self.tables]
        rows += [(name, "", "", f"{nbytes:,}") for name, nbytes in self.other_bytes.items()]
        rows.append(("total", "constant tables in C", "", f"{self.nbytes:,}"))
        if self.file_bytes is not None:
            rows.append(("file", "as save writes it", "", f"{self.file_bytes:,}"))
        return rows

    def __str__(self) -> str:
        widths = [max(map(len, column)) for column in zip(*self._rows, strict=True)]
        lines = [self.title]
        for name, what, columns, nbytes in self._rows:
            start = f"{name:<{widths[0]}}  {what:<{widths[1]}}"
            lines.append(f"{start}  {columns:>{widths[2]}}  {nbytes:>{widths[3]}}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        head, *rows = (
            "".join(
                f'<td style="text-align: {"right" if i > 1 else "left"}">{escape(cell)}</td>'
                for i, cell in enumerate(row)
            )
            for row in self._rows
        )
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        head = head.replace("<td", "<th").replace("</td>", "</th>")
        return (
            f"<table><caption>{escape(self.title)}</caption>"
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )


def summarize(model: ModelTables) -> Summary:
    """Count columns and bytes of a model.

    Parameters
    ----------
    model : ModelTables
        Of any kind of tables.

    Returns
    -------
    summary : Summary
    """
    layout = choose_layout(model)
    # No part is left where every row has the same label.
    sizes = {part.table.kind: _total(part.tables) for part in layout.parts}
    tables = tuple(
        (table.kind, table.describe(), len(table.columns), sizes.get(table.kind, 0))
        for table in model.tables
    )
    of_parts = {name for part in layout.parts for name in part.tables}
    others = {n: t.nbytes for n, t in layout.tables.items() if n not in of_parts}
    outputs = _counted(model.n_classes, "class", "classes")
    if model.classes is None:
        outputs = _counted(model.n_scores, "value", "values")
    title = (
        f"{outputs} from {_counted(model.n_features, 'column', 'columns')} of "
        f"{model.input_dtype}, {len(model.columns)} of them read; link {model.link}"
    )
    return Summary(title, tables, others, _file_bytes(model))


def _total(tables: dict[str, NDArray[Any]]) -> int:
    return sum(table.nbytes for table in tables.values())


def _counted(n: int, one: str, many: str) -> str:
    return f"{n} {one if n == 1 else many}"


def _file_bytes(model: ModelTables) -> int | None:
    try:
        return len(to_bytes(model))
    except ValueError:
        return None
