"""C that puts ranks in place of indexes of categories, before anything else reads the inputs."""

from __future__ import annotations

from skdistill.export.c.text import CSource, block

_UNROLLED = (2, 3)  # columns: clang unrolls a loop over so few, with the function in each turn


def ranker(source: CSource) -> str:
    """The function that copies a row with ranks.

    Parameters
    ----------
    source : CSource
        With or without categories.

    Returns
    -------
    text : str
        Empty without categories.
    """
    categories = source.layout.categories
    if not len(categories):
        return ""
    # Symbols: m columns of categories, C categories of the first one.
    m, C = len(categories), int(categories.counts[0])
    column, count, loop, declared = str(int(categories.columns[0])), f"{C}u", "", ""
    if m > 1:
        column, count = source.get("rank_columns", "i"), source.get("rank_counts", "i")
        loop, declared = f"for (i = 0; i < {m}; i++)", ", i, first = 0"
    head = [index_function(source)] if source.x_type == "float" else []
    function = block(
        """
        /* The row x with ranks in place of the indexes of categories. Of C categories, index C
           is a missing one, and any other number is an unknown one. */
        static const @T@ *@name@_ranked(const @T@ *x, @T@ *z)
        {
            unsigned j@declared@;
            for (j = 0; j < @n@; j++)
                z[j] = x[j];
            @loop@{
                const unsigned column = @column@, count = @count@;
                uint32_t at = @at@;
                if (at > count)
                    at = count + 1u;
                z[column] = (@T@)@rank@;
                @next@
            }
            return z;
        }
        """,
        name=source.name,
        T=source.x_type,
        n=source.layout.model.n_features,
        declared=declared,
        loop=f"{loop} " if loop else "",
        column=column,
        count=count,
        at=f"{source.name}_index(x[column], count)" if head else "(uint32_t)x[column]",
        rank=source.get("ranks", "first + at" if m > 1 else "at"),
        next="first += count + 2u;" if m > 1 else "",
    )
    return "\n".join([*head, function])


def index_function(source: CSource) -> str:
    """The function that reads a float as an index.

    Parameters
    ----------
    source : CSource
        Whose inputs are floats.

    Returns
    -------
    text : str
    """
    return block(
        """
        /* The whole part of x; `missing` for NaN, more than any index for other numbers. */
        static @stays@uint32_t @name@_index(float x, unsigned missing)
        {
            uint32_t bits, m;
            @M@_COPY(&bits, &x, sizeof bits);
            m = bits & 0x7FFFFFFFu;
            if (m > 0x7F800000u)
                return missing;
            if (m < 0x3F800000u)
                return bits > 0x80000000u ? 256u : 0u;
            if (bits >> 31 || m >= 0x43800000u)
                return 256u;
            return ((m & 0x7FFFFFu) | 0x800000u) >> (150u - (m >> 23));
        }
        """,
        stays=f"{source.macro}_NOINLINE " if is_called(source) else "",
        name=source.name,
        M=source.macro,
    )


def is_called(source: CSource) -> bool:
    """Whether the function that reads a float as an index stays one.

    Parameters
    ----------
    source : CSource
        With or without categories.

    Returns
    -------
    is_called : bool
        Where it would be there more than once: 60 bytes each time.
    """
    return source.x_type == "float" and len(source.layout.categories) in _UNROLLED


def declared(source: CSource) -> list[str]:
    """What a function declares that reads a row with ranks.

    Parameters
    ----------
    source : CSource
        With or without categories.

    Returns
    -------
    declarations : list of str
    """
    if not len(source.layout.categories):
        return []
    return [f"{source.x_type} z[{source.layout.model.n_features}];"]


def called(source: CSource) -> str:
    """The statement after which x is the row with ranks.

    Parameters
    ----------
    source : CSource
        With or without categories.

    Returns
    -------
    statement : str
    """
    return f"x = {source.name}_ranked(x, z);\n" if len(source.layout.categories) else ""
