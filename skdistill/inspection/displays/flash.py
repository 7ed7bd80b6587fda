"""Where the bytes of a model go."""

from __future__ import annotations

from typing import Any

from skdistill.compact.packing.pack import table_sizes
from skdistill.device import Profile
from skdistill.device.profile import compact_of
from skdistill.inspection.displays._axes import barh, new_axes


def flash_parts(model: Any, profile: Profile | None = None) -> dict[str, int]:
    """Bytes by part: each constant table and, with a profile, code and library.

    Parameters
    ----------
    model : CompactModel, student or distiller
        What takes them.
    profile : Profile, default=None
        Of that model.

    Returns
    -------
    parts : dict of str to int
        The largest first.
    """
    parts = dict(table_sizes(compact_of(model)))
    if profile is not None:
        if profile.model_bytes is not None:
            padding = profile.model_bytes - sum(parts.values())
            # The form that was profiled may have other tables than the smallest one.
            parts = (
                parts | {"padding": padding}
                if 0 <= padding < 8
                else {"tables": profile.model_bytes}
            )
        parts |= {"code": profile.code_bytes or 0, "library": profile.library_bytes or 0}
    return dict(sorted(((k, v) for k, v in parts.items() if v), key=lambda each: -each[1]))


class FlashDisplay:
    """Bytes of a model by part.

    Parameters
    ----------
    parts : dict of str to int
        Bytes of each.

    Attributes
    ----------
    ax_, figure_ : matplotlib.axes.Axes, matplotlib.figure.Figure
        Where they are drawn.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdistill import SoftTreeClassifier
    >>> from skdistill.inspection import FlashDisplay
    >>> tree = SoftTreeClassifier(max_leaf_nodes=4).fit(*load_iris(return_X_y=True))
    >>> display = FlashDisplay.from_estimator(tree)
    >>> sum(display.parts.values()) == tree.compact_.nbytes
    True
    """

    def __init__(self, parts: dict[str, int]) -> None:
        self.parts = parts

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, profile: Profile | None = None, ax: Any = None
    ) -> FlashDisplay:
        """Draw the bytes of a model.

        Parameters
        ----------
        estimator : CompactModel, student or distiller
            What takes them.
        profile : Profile, default=None
            Of that model; adds code and library.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes new ones.

        Returns
        -------
        display : FlashDisplay
        """
        return cls(flash_parts(estimator, profile)).plot(ax=ax)

    def plot(self, ax: Any = None) -> FlashDisplay:
        """Draw the bytes.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes new ones.

        Returns
        -------
        self : FlashDisplay
        """
        self.figure_, self.ax_ = new_axes(ax, self)
        barh(self.ax_, list(self.parts), list(self.parts.values()), "bytes")
        self.ax_.set_title(f"{sum(self.parts.values()):,} bytes")
        return self
