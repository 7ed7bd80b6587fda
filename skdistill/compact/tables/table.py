"""What every kind of table answers, for all who evaluate, pack, bound, export or save models."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skdistill.compact._frozen import Frozen, require


class Table(Frozen, ABC):
    """One term of the scores: integer tables that turn a row into an integer for each score.

    A model is a bias plus a sequence of tables whose scores add up. Nobody outside a table's own
    files asks which kinds there are: a kind answers here for its meaning, and has one packer
    (`skdistill.compact.packing.pack`), one C printer (`skdistill.export.c.printers`) and one
    graph writer (`skdistill.export.onnx.scores`).

    Rows are float arrays of shape (n_samples, n_features), with ranks in place of categories.
    """

    kind: ClassVar[str]
    """Name of the kind, in files and messages."""

    accepts_sparse: ClassVar[bool] = False
    """Whether sparse rows are accepted; they are made dense a few at a time."""

    @property
    def input_dtype(self) -> str:
        """Type in which inputs are read, ``"float32"`` or ``"int32"``."""
        return "float32"

    @property
    @abstractmethod
    def n_scores(self) -> int:
        """Number of scores that a row gets."""

    @property
    @abstractmethod
    def n_values(self) -> int:
        """Number of stored values: leaves times scores, or weights."""

    @property
    @abstractmethod
    def columns(self) -> NDArray[Any]:
        """Columns of the input that are read, ascending int array."""

    @property
    @abstractmethod
    def score_bound(self) -> NDArray[np.int64]:
        """Largest magnitude of scores and their partial sums, int64 array of shape (n_scores,)."""

    @abstractmethod
    def add_scores(self, X: NDArray[Any], out: NDArray[np.int32]) -> None:
        """Add the scores of rows.

        Parameters
        ----------
        X : array of shape (n_samples, n_features)
            Numbers, with ranks in place of categories.
        out : int32 array of shape (n_samples, n_scores)
            What they are added to.
        """

    @abstractmethod
    def rounding_variance(self, X: NDArray[Any] | None) -> NDArray[np.float64]:
        """Variance of the scores' error that whole numbers as values cause.

        Rounding is off by half at most, with a variance of 1 / 12. Errors are taken as
        independent. Values whose bits are the reason do not count.

        Parameters
        ----------
        X : array of shape (n_samples, n_features), or None
            Rows that show the spread of what weights act on. Trees need none.

        Returns
        -------
        variance : float64 array of shape (n_scores,)
            In units of a squared score.
        """

    @property
    @abstractmethod
    def n_codes(self) -> int:
        """Number of ready codes that a device with ``input_dtype="codes"`` takes for a row."""

    @property
    @abstractmethod
    def code_columns(self) -> NDArray[Any]:
        """Column of the input that each ready code is of, int array of shape (n_codes,)."""

    @property
    @abstractmethod
    def codes_dtype(self) -> str:
        """NumPy's name of the type of a ready code: int8, uint8, int16 or uint16."""

    @abstractmethod
    def codes(self, X: NDArray[Any]) -> NDArray[Any]:
        """Ready codes of rows, as a device with ``input_dtype="codes"`` takes them.

        Parameters
        ----------
        X : array of shape (n_samples, n_features)
            Numbers, with ranks in place of categories.

        Returns
        -------
        codes : array of shape (n_samples, n_codes) and of `codes_dtype`, C-contiguous
        """

    @abstractmethod
    def turning_points(
        self, X: NDArray[Any], rng: np.random.Generator
    ) -> tuple[NDArray[np.intp], NDArray[Any], NDArray[np.float64]]:
        """Numbers at which the scores may change.

        Parameters
        ----------
        X : array of shape (n_samples, n_features)
            Ordinary rows, at least one.
        rng : numpy.random.Generator
            Chooses where there are many.

        Returns
        -------
        row : int array of shape (n_points,)
            A row of `X` whose scores depend on the number, where one is known.
        column : int array of shape (n_points,)
            The column in which the number matters.
        point : float64 array of shape (n_points,)
            The number.
        """

    def check_range(self, dtype: str, low: int, high: int) -> None:
        """Refuse an integer type of inputs that cannot have been that of the data.

        Parameters
        ----------
        dtype : str
            Name of the type.
        low, high : int
            Smallest and largest number that an input can be.

        Raises
        ------
        ValueError
            If the table tells numbers beyond them apart.
        """

    def check_whole_numbers(self, dtype: str) -> str:
        """Say what whole numbers as inputs cannot tell apart that the table does.

        Parameters
        ----------
        dtype : str
            Name of the integer type.

        Returns
        -------
        text : str
            For a warning; empty where nothing is lost.

        Raises
        ------
        ValueError
            If each column keeps a single threshold, although some have several.
        """
        return ""

    @abstractmethod
    def describe(self) -> str:
        """Say in a few words what the table is, for people."""

    @abstractmethod
    def describe_codes(self) -> str:
        """Say what the ready codes are, for people who fill them in."""

    @property
    def one_leaf_a_row(self) -> bool:
        """Whether each row ends in one leaf, where a device can keep the label itself."""
        return False

    def validate_for(self, n_features: int, n_scores: int) -> None:
        """Check that the table suits a model.

        Parameters
        ----------
        n_features : int
            Columns of the model's input.
        n_scores : int
            Scores of the model.

        Raises
        ------
        ValueError
            If the table has other scores, or reads a column that is not there.
        """
        require(
            self.n_scores == n_scores,
            f"the {self.kind} table has {self.n_scores} score columns, the model has {n_scores}",
        )
        require(
            int(self.columns.max(initial=-1)) < n_features,
            f"the {self.kind} table reads a column beyond n_features={n_features}",
        )
