"""A linear model on rounded inputs as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skdistill.compact._frozen import as_table, is_ascending, require
from skdistill.compact.tables.limits import check_bits, variance_of_weights
from skdistill.compact.tables.table import Table


@dataclass(frozen=True, eq=False)
class LinearTable(Table):
    """A linear model on inputs that were rounded to integers.

    ``q = clip(round((x - offset) * inv_step), -Q, Q)`` in float32, half to even,
    with Q = 2^(input_bits - 1) - 1; NaN reads as 0, which is the offset. The
    scores gain ``q @ weights``.

    Parameters
    ----------
    features : int32 array of shape (n_used,)
        Columns of the input that are read, ascending.
    offset : float32 array of shape (n_used,)
        What is subtracted from each input.
    inv_step : float32 array of shape (n_used,)
        What the difference is multiplied by; finite and positive.
    input_bits : int in [2, 16]
        Width of a rounded input.
    weights : int32 array of shape (n_used, n_scores)
        What one step of an input adds to each score.
    value_bits : int in [2, 16] or "ternary"
        Width in which a weight is stored.

    Raises
    ------
    ValueError
        If the arrays contradict each other, or do not fit their widths.
    """

    features: NDArray[Any]
    offset: NDArray[Any]
    inv_step: NDArray[Any]
    input_bits: int
    weights: NDArray[Any]
    value_bits: int | str

    kind: ClassVar[str] = "linear"
    accepts_sparse: ClassVar[bool] = True

    def __post_init__(self) -> None:
        as_table(self, "features", np.int32, 1)
        as_table(self, "offset", np.float32, 1)
        as_table(self, "inv_step", np.float32, 1)
        as_table(self, "weights", np.int32, 2)
        u = len(self.features)
        for name in ("offset", "inv_step", "weights"):
            length = len(getattr(self, name))
            require(length == u, f"{name} has {length} rows for {u} features")
        require(
            u > 0 and is_ascending(self.features) and self.features[0] >= 0,
            "features must be ascending column numbers, at least one",
        )
        require(bool(np.isfinite(self.offset).all()), "offset must be finite")
        require(
            bool((np.isfinite(self.inv_step) & (self.inv_step > 0)).all()),
            "inv_step must be finite and positive",
        )
        bits = self.input_bits
        whole = isinstance(bits, int | np.integer) and bits in range(2, 17)
        require(whole, f"input_bits must be an int in [2, 16], got {bits!r}")
        object.__setattr__(self, "input_bits", int(bits))
        check_bits(self, "weights")

    @property
    def q_max(self) -> int:
        """Largest rounded input, Q."""
        return (1 << (self.input_bits - 1)) - 1

    @property
    def n_scores(self) -> int:
        """Number of scores that a row gets."""
        return int(self.weights.shape[1])

    @property
    def n_values(self) -> int:
        """Number of weights."""
        return self.weights.size

    @property
    def columns(self) -> NDArray[Any]:
        """Columns of the input that are read, int32 array of shape (n_used,)."""
        return self.features

    @property
    def score_bound(self) -> NDArray[np.int64]:
        """``Q * sum |weight|``, which no partial sum exceeds, int64 array of shape (n_scores,)."""
        bound: NDArray[np.int64] = self.q_max * np.abs(self.weights.astype(np.int64)).sum(axis=0)
        return bound

    @property
    def slopes(self) -> NDArray[np.float64]:
        """Score units that a unit of an input adds, float64 array of shape (n_used, n_scores).

        Of the line that the steps of the rounded inputs follow; beyond the range of an input the
        scores stay as they are.
        """
        return self.weights * self.inv_step[:, None].astype(np.float64)

    @property
    def intercepts(self) -> NDArray[np.float64]:
        """What that line adds to the scores where all inputs are 0, float64, shape (n_scores,)."""
        intercepts: NDArray[np.float64] = -self.offset.astype(np.float64) @ self.slopes
        return intercepts

    def add_scores(self, X: NDArray[Any], out: NDArray[np.int32]) -> None:
        """Add ``q @ weights`` of rows; see `Table.add_scores`."""
        # Integers below 2⁵³ add up exactly in float64 in any order, and BLAS is fast there; for
        # integer dtypes NumPy has no BLAS.
        q = quantize_input(X, self).astype(np.float64)
        out += (q @ self.weights.astype(np.float64)).astype(np.int32)

    def rounding_variance(self, X: NDArray[Any] | None) -> NDArray[np.float64]:
        """The weights of the rounded inputs; see `Table.rounding_variance`."""
        if X is None:
            return np.zeros(self.n_scores)
        q = quantize_input(X, self).astype(np.float64)
        return variance_of_weights(self.weights, self.value_bits, q)

    @property
    def n_codes(self) -> int:
        """Number of rounded inputs."""
        return len(self.features)

    @property
    def code_columns(self) -> NDArray[Any]:
        """Columns of the rounded inputs."""
        return self.features

    @property
    def codes_dtype(self) -> str:
        """The narrower of int8 and int16 that holds all rounded inputs."""
        return "int8" if self.q_max <= 127 else "int16"

    def codes(self, X: NDArray[Any]) -> NDArray[Any]:
        """Rounded inputs of rows; see `Table.codes`."""
        return np.ascontiguousarray(quantize_input(X, self), self.codes_dtype)

    def turning_points(
        self, X: NDArray[Any], rng: np.random.Generator
    ) -> tuple[NDArray[np.intp], NDArray[Any], NDArray[np.float64]]:
        """Some borders of the rounding of each column, each with a random row.

        See `Table.turning_points`.
        """
        half_ways = np.unique(rng.integers(-self.q_max - 2, self.q_max + 2, 256)) + 0.5
        rows, points = [], []
        for offset, inv_step in zip(self.offset, self.inv_step, strict=True):
            rows.append(rng.integers(len(X), size=len(half_ways)))
            points.append(float(offset) + half_ways / float(inv_step))
        columns = np.repeat(self.features, len(half_ways))
        return np.concatenate(rows), columns, np.concatenate(points)

    def check_whole_numbers(self, dtype: str) -> str:
        """Find inputs in steps below 1, which no data of whole numbers asks for.

        See `Table.check_whole_numbers`.
        """
        fine = np.flatnonzero((self.inv_step > 1) & self.weights.any(axis=1))
        if len(fine) == 0:
            return ""
        first = fine[0]
        low, high = self.offset[first] + np.array([-1, 1]) * self.q_max / self.inv_step[first]
        return (
            f"input_dtype={dtype!r} has whole numbers only, and {len(fine)} "
            f"column{'s' * (len(fine) > 1)} of the linear part (the first is "
            f"{self.features[first]}) {'are' if len(fine) > 1 else 'is'} read in steps of "
            f"{1 / self.inv_step[first]:.3g} from {low:.3g} to {high:.3g}: train on the integers "
            "that the device reads"
        )

    def describe(self) -> str:
        """How many columns have weights."""
        return f"weights of {len(self.features)} columns"

    def describe_codes(self) -> str:
        """They are the rounded inputs."""
        return "rounded inputs"


def quantize_input(X: NDArray[Any], linear: LinearTable) -> NDArray[np.float32]:
    """Rounded inputs of a linear table.

    Parameters
    ----------
    X : array of shape (n_samples, n_features)
        Numbers, with ranks in place of categories.
    linear : LinearTable
        Whose offsets and steps round them.

    Returns
    -------
    q : float32 array of shape (n_samples, n_used)
        Integers in float32.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        return round_input(X[:, linear.features].astype(np.float32), linear)


def round_input(
    x: NDArray[np.float32], linear: LinearTable, at: Any = slice(None)
) -> NDArray[np.float32]:
    """Rounded values of some inputs of a linear table; they saturate, NaN reads as 0.

    Parameters
    ----------
    x : float32 array
        Its last axis runs over the inputs `at`.
    linear : LinearTable
        Whose offsets and steps round them.
    at : slice or int array, default=slice(None)
        Which of the n_used inputs.

    Returns
    -------
    q : float32 array of the shape of `x`
        Integers in float32.
    """
    # One float32 subtraction, one float32 multiplication, each rounded: what C and ONNX do too.
    with np.errstate(over="ignore", invalid="ignore"):  # out of range saturates below
        q = np.rint((x - linear.offset[at]) * linear.inv_step[at])
        return np.clip(np.where(np.isnan(q), np.float32(0), q), -linear.q_max, linear.q_max)
