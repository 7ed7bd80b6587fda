"""C that adds the values of leaves to the scores."""

from __future__ import annotations

from skdistill.compact.packing.packed_trees import PackedTrees
from skdistill.compact.packing.tree_leaves import PackedLeaves
from skdistill.export.c.text import CSource, block
from skdistill.export.c.values import nibble_reader, value_reader


def leaf_widths(leaves: PackedLeaves) -> dict[str, list[int]]:
    """Tables of packed bits, and the widths of the numbers in them; 0 for none.

    Parameters
    ----------
    leaves : PackedLeaves
        Of any kind.

    Returns
    -------
    widths : dict of str to list of int
    """
    widths: dict[str, list[int]] = {}
    if leaves.label_bits != 8:
        widths["labels"] = [leaves.label_bits or 0]
    if leaves.row_bits not in (8, 16):
        widths["rows"] = [leaves.row_bits or 0]
    if leaves.value_bits not in ("ternary", "nibble", 8, 16, None):
        widths["values"] = [int(leaves.value_bits)]
    return widths


def leaf_functions(source: CSource, part: PackedTrees) -> str:
    """The functions that add a row of values, and a leaf where some have no row.

    Parameters
    ----------
    source : CSource
        What is printed.
    part : PackedTrees
        Whose leaves are added.

    Returns
    -------
    text : str
    """
    leaves, values, name = part.leaves, part.table.values, source.name
    S = part.table.n_scores
    functions = []
    if "values" in leaves.tables:
        if leaves.value_bits == "nibble":
            if part.narrow_sums:
                functions.append(_sum_typedef(source))
            functions.append(nibble_reader(source, S, sum_type(source, part)))
        else:
            assert leaves.value_bits is not None
            signed = bool((values < 0).any())
            functions.append(
                value_reader(
                    source, "values", leaves.value_bits, signed, values.size, S, factor=False
                )
            )
    if leaves.pure is not None:
        rest = _add_pair(source, part) if leaves.pairs else ""
        if functions:
            add_values = f"{name}_add_values(s, (row - {S + leaves.pairs}u) * {S}u);"
            rest += f" else {{\n    {add_values}\n}}" if rest else f"else\n    {add_values}"
        functions.append(
            block(
                """
                /* Adds a value to score number `row`; numbers behind these have a row of @kind@. */
                static void @name@_add_row(int32_t *s, @index@ row)
                {
                    if (row < @S@u)
                        s[row] += @value@;
                    @rest@
                }
                """,
                kind="two values, or of all" if leaves.pairs else "values",
                name=name,
                index=source.index,
                S=S,
                value=leaves.pure,
                rest=rest,
            )
        )
    return "\n".join(functions)


def _add_pair(source: CSource, part: PackedTrees) -> str:
    """Statements that add two values to the scores that their byte names."""
    S, get = part.table.n_scores, f"{source.macro}_GET8"
    last = f"row < {S + part.leaves.pairs}u"
    return block(
        """
        else@condition@ {
            @M@_ROM uint8_t *p = @name@_pairs + (row - @S@u) * 3u;
            const unsigned k = @get@(p);
            s[k & 15u] += (int32_t)@get@(p + 1);
            s[k >> 4] += (int32_t)@get@(p + 2);
        }
        """,
        condition=f" if ({last})" if "values" in part.leaves.tables else "",
        M=source.macro,
        name=source.name,
        S=S,
        get=get,
    ).rstrip("\n")


def sum_type(source: CSource, part: PackedTrees) -> str:
    """C type of the sums that leaves are added to.

    Parameters
    ----------
    source : CSource
        What is printed.
    part : PackedTrees
        Whose leaves are added.

    Returns
    -------
    sum_type : str
    """
    return f"{source.macro}_SUM" if part.narrow_sums else "int32_t"


def sums(part: PackedTrees) -> str:
    """Name of the sums in the function of the scores.

    Parameters
    ----------
    part : PackedTrees
        Whose leaves are added.

    Returns
    -------
    name : str
        Scores themselves, or sums that are scaled into them.
    """
    return "a" if part.narrow_sums else "s"


def _sum_typedef(source: CSource) -> str:
    return block(
        """
        /* Sums before they are scaled: half words where registers are bytes. */
        #if defined(__AVR__)
        typedef uint16_t @M@_SUM;
        #else
        typedef int32_t @M@_SUM;
        #endif
        """,
        M=source.macro,
    )


def add_leaf(source: CSource, part: PackedTrees, leaf: str, scores: str) -> str:
    """The statement that adds a leaf in a table to the scores.

    Parameters
    ----------
    source : CSource
        What is printed.
    part : PackedTrees
        Whose leaves are added.
    leaf : str
        Expression of its number, or with branches that of its row.
    scores : str
        Expression of the address of the first score that gains something.

    Returns
    -------
    statement : str
    """
    leaves, name, index = part.leaves, source.name, source.index
    S = part.table.n_scores
    bits = leaves.row_bits
    if bits in (8, 16):
        leaf = source.get("rows", leaf)
    elif bits is not None:
        leaf = f"({index}){name}_bits({name}_rows, ({leaf}) * {bits}u, {bits})"
    if leaves.pure is not None:
        return f"{name}_add_row({scores}, {leaf});"
    if S > 1:
        leaf = f"({leaf}) * {S}u"
    return f"{name}_add_values({scores}, {leaf});"
