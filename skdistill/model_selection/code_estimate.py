"""About how many bytes of code a model takes, where no compiler says so."""

from __future__ import annotations

from collections.abc import Iterable

from skdistill.compact.model_tables import ModelTables
from skdistill.compact.tables.linear_table import LinearTable
from skdistill.compact.tables.tree_table import TreeTable

# Bytes of functions, the most that clang made at -Os for a Cortex-M0 of models of 300 and 1,500 B,
# rounded up: by kind of table, for columns of categories, for outputs beside label and scores.
_CODE = {"tree": 160, "trees": 350, "linear": 280, "net": 460}
_CODE_CATEGORIES, _CODE_OUTPUT = 210, 400


def code_estimate(kinds: Iterable[str], has_categories: bool, output: str = "label") -> int:
    """Bytes of functions that a model takes about, by the kinds of its tables.

    Parameters
    ----------
    kinds : iterable of {"tree", "trees", "linear", "net"}
        Of the tables; "tree" is a single one.
    has_categories : bool
        Whether the model reads columns of categories.
    output : str, default="label"
        As in `skdistill.export.c.to_c`.

    Returns
    -------
    nbytes : int
        For a Cortex-M0; without the compiler's routines for floats, which are 0.6 to 0.8 KB on
        cores that have none.

    Examples
    --------
    >>> from skdistill.model_selection.code_estimate import code_estimate
    >>> code_estimate(["trees", "linear"], has_categories=False)
    630
    """
    code = sum(_CODE[kind] for kind in kinds) + (_CODE_CATEGORIES if has_categories else 0)
    return code + (0 if output in ("label", "scores") else _CODE_OUTPUT)


def table_kinds(model: ModelTables) -> list[str]:
    """What `code_estimate` calls the tables of a model.

    Parameters
    ----------
    model : ModelTables
        The model.

    Returns
    -------
    kinds : list of {"tree", "trees", "linear", "net"}
    """
    kinds = []
    for table in model.tables:
        if isinstance(table, TreeTable):
            kinds.append("tree" if len(table.roots) == 1 else "trees")
        else:
            kinds.append("linear" if isinstance(table, LinearTable) else "net")
    return kinds
