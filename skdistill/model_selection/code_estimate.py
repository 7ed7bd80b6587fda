"""About how many bytes of code a model takes, where no compiler says so."""

from __future__ import annotations

from collections.abc import Iterable

from skdistill.compact.model_tables import ModelTables
from skdistill.compact.tables.linear_table import LinearTable
from skdistill.compact.tables.tree_table import TreeTable

# Bytes of functions and of padding between tables, the most that clang made at -Os for a Cortex-M0
# of models of 30 to 3,500 B with optimize="size", rounded up: on floats, and on integers.
_CODE = {"tree": (230, 230), "trees": (380, 230), "linear": (290, 290), "net": (470, 430)}
_CODE_CATEGORIES = {"tree": (190, 20), "trees": (120, 60), "linear": (170, 20), "net": (160, 80)}
_FEW_COLUMNS, _CODE_FEW = 7, 60  # of nets: loops over so few are unrolled
_CODE_STEPS = 170  # of trees that count steps of float inputs
_CODE_SCORES = 70  # of a single tree that answers more than a label
_CODE_CONSTANT = 60  # without tables
_CODE_OUTPUT = 400  # of outputs but label and scores


def code_estimate(
    kinds: Iterable[str],
    has_categories: bool,
    output: str = "label",
    input_dtype: str | None = None,
    *,
    has_steps: bool = False,
    n_columns: int | None = None,
) -> int:
    """Bytes of functions that a model takes about, by the kinds of its tables.

    Parameters
    ----------
    kinds : iterable of {"tree", "trees", "linear", "net"}
        Of the tables; "tree" is a single one.
    has_categories : bool
        Whether the model reads columns of categories.
    output : str, default="label"
        As in `skdistill.export.c.to_c`.
    input_dtype : str or None, default=None
        As there; None are floats.
    has_steps : bool, default=False
        Whether inputs are counted in steps from an origin, as those of whole thresholds are.
    n_columns : int or None, default=None
        Columns that the model reads; None are many.

    Returns
    -------
    nbytes : int
        For a Cortex-M0; without the compiler's routines for floats, which are 0.6 to 0.8 KB on
        cores that have none.

    Examples
    --------
    >>> from skdistill.model_selection.code_estimate import code_estimate
    >>> code_estimate(["trees", "linear"], has_categories=False)
    670
    """
    kinds, on_integers = list(kinds), input_dtype not in (None, "float32")
    code = sum(_CODE[kind][on_integers] for kind in kinds) or _CODE_CONSTANT
    if has_steps and not on_integers and {"tree", "trees"} & set(kinds):
        code += _CODE_STEPS
    if has_categories and kinds:  # one function writes the numbers of categories for all tables
        code += _CODE_CATEGORIES[kinds[0]][on_integers]
    if n_columns is not None and n_columns <= _FEW_COLUMNS and "net" in kinds:
        code += _CODE_FEW
    if output != "label" and "tree" in kinds:
        code += _CODE_SCORES
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
