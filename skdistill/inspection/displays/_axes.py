"""Axes to draw on."""

from __future__ import annotations

from typing import Any


def new_axes(ax: Any, display: object) -> tuple[Any, Any]:
    """Axes that were passed, or new ones, and their figure.

    Parameters
    ----------
    ax : matplotlib.axes.Axes or None
        What the user passed.
    display : object
        Who draws, for the message.

    Returns
    -------
    figure : matplotlib.figure.Figure
    ax : matplotlib.axes.Axes

    Raises
    ------
    ImportError
        Without matplotlib. The message names the extra.
    """
    try:
        from matplotlib import pyplot as plt
    except ImportError as error:
        raise ImportError(
            f"{type(display).__name__}.plot needs matplotlib: pip install 'skdistill[plot]'"
        ) from error
    if ax is None:
        _, ax = plt.subplots()
    return ax.figure, ax


def barh(ax: Any, names: list[str], values: Any, label: str) -> None:
    """Draw horizontal bars, the first on top.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where.
    names : list of str
        Of the bars.
    values : array-like of shape (n_bars,)
        Their lengths.
    label : str
        Of the axis.
    """
    ax.barh(range(len(names)), values)
    ax.set_yticks(range(len(names)), names)
    ax.invert_yaxis()
    ax.set_xlabel(label)
