"""What accuracy takes how many bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skdistill.inspection.displays._axes import new_axes

_MARKERS = "osD^vP"


def pareto_front(size: ArrayLike, score: ArrayLike) -> NDArray[np.bool_]:
    """Which points no other one beats: none scores as much with less.

    Parameters
    ----------
    size : array-like of shape (n_points,)
        Less is better.
    score : array-like of shape (n_points,)
        More is better.

    Returns
    -------
    is_front : bool array of shape (n_points,)
        Of equal points the first.

    Examples
    --------
    >>> from skdistill.inspection.displays.pareto import pareto_front
    >>> pareto_front([10, 20, 30, 15], [0.7, 0.9, 0.8, 0.7]).tolist()
    [True, True, False, False]
    """
    size, score = np.asarray(size, np.float64), np.asarray(score, np.float64)
    is_front = np.zeros(len(size), bool)
    best = -np.inf
    for i in np.lexsort((-score, size)):
        if score[i] > best:
            is_front[i], best = True, score[i]
    return is_front


class ParetoDisplay:
    """Candidates of a search by size and score, with the front that no other one beats.

    Parameters
    ----------
    size : array-like of shape (n_candidates,)
        Bytes, or another cost.
    score : array-like of shape (n_candidates,)
        More is better.
    families : array-like of str, shape (n_candidates,)
        Kind of each candidate.
    size_name, score_name : str
        What the axes show.
    references : mapping of str to (float, float), default=None
        Further points by name, such as the teacher and peers: size and score.

    Attributes
    ----------
    is_front_ : bool array of shape (n_candidates,)
        Whether a candidate is on the front.
    ax_, figure_ : matplotlib.axes.Axes, matplotlib.figure.Figure
        Where they are drawn.

    Examples
    --------
    >>> from skdistill.inspection import ParetoDisplay
    >>> frame = {"bytes": [100, 200], "accuracy": [0.8, 0.9], "family": ["tree", "net"]}
    >>> display = ParetoDisplay.from_frame(frame, y="accuracy")
    >>> display.is_front_.tolist()
    [True, True]
    """

    def __init__(
        self,
        size: ArrayLike,
        score: ArrayLike,
        families: ArrayLike,
        *,
        size_name: str = "bytes",
        score_name: str = "score",
        references: Mapping[str, tuple[float, float]] | None = None,
    ) -> None:
        self.size: NDArray[np.float64] = np.asarray(size, np.float64)
        self.score: NDArray[np.float64] = np.asarray(score, np.float64)
        self.families = np.asarray(families, str)
        self.size_name = size_name
        self.score_name = score_name
        self.references = dict(references or {})

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        x: str = "bytes",
        y: str = "score",
        references: Mapping[str, tuple[float, float]] | None = None,
        ax: Any = None,
    ) -> ParetoDisplay:
        """Draw the candidates of a search.

        Parameters
        ----------
        estimator : estimator
            A fitted search with `pareto_`.
        x : str, default="bytes"
            Column of the cost: "bytes", "instructions" or "ram".
        y : str, default="score"
            Column of the score: "score", "accuracy", "r2", "fidelity".
        references : mapping of str to (float, float), default=None
            Further points by name: cost and score.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes new ones.

        Returns
        -------
        display : ParetoDisplay
        """
        return cls.from_frame(estimator.pareto_, x=x, y=y, references=references, ax=ax)

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        x: str = "bytes",
        y: str = "score",
        references: Mapping[str, tuple[float, float]] | None = None,
        ax: Any = None,
    ) -> ParetoDisplay:
        """Draw the rows of a frame such as `pareto_`.

        Parameters
        ----------
        frame : data frame or mapping of str to array-like
            With the columns `x` and `y`, and "family".
        x, y : str
            As in `from_estimator`.
        references : mapping of str to (float, float), default=None
            Further points by name: cost and score.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes new ones.

        Returns
        -------
        display : ParetoDisplay

        Raises
        ------
        ValueError
            If a column is missing. The message lists those that are there.
        """
        for name in (x, y, "family"):
            if name not in frame:
                raise ValueError(f"the frame has no column {name!r}, only {list(frame)}")
        display = cls(
            frame[x], frame[y], frame["family"], size_name=x, score_name=y, references=references
        )
        return display.plot(ax=ax)

    def plot(self, ax: Any = None) -> ParetoDisplay:
        """Draw the candidates, and a line along the front.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes new ones.

        Returns
        -------
        self : ParetoDisplay
        """
        self.figure_, self.ax_ = new_axes(ax, self)
        self.is_front_ = pareto_front(self.size, self.score)
        for k, family in enumerate(sorted(set(self.families.tolist()))):
            of = self.families == family
            self.ax_.plot(
                self.size[of], self.score[of], _MARKERS[k % len(_MARKERS)], label=family, alpha=0.7
            )
        order = np.argsort(self.size[self.is_front_])
        front = self.size[self.is_front_][order], self.score[self.is_front_][order]
        self.ax_.step(*front, where="post", color="0.4", label="front")
        for name, point in self.references.items():
            self.ax_.plot(*point, "*", markersize=11, label=name)
        self.ax_.set(xscale="log", xlabel=self.size_name, ylabel=self.score_name)
        self.ax_.legend()
        return self
