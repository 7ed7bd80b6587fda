"""A small neural net in integers: int8 codes, hidden layers of uint8, scores of int32."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skdistill.compact._frozen import Frozen, as_table, is_ascending, require
from skdistill.compact.tables.limits import INT32_MAX, check_bits, variance_of_weights
from skdistill.compact.tables.table import Table

MOST_UNITS = 2**15 - 1  # of a layer: 256 * 255 * so many stays below 2^31
MOST_POWER = 100  # up to here a power of two changes the exponent of a float32 and nothing else
MOST_SHIFT = 15  # a nibble
CODE_MAX = 127  # of an input
_POWER_OF_ONE = 5  # of an input whose standard deviation is 1: 32 codes
UNIT_MAX = 255  # of a hidden unit


@dataclass(frozen=True, eq=False)
class HiddenLayer(Frozen):
    """A hidden layer of a `NetTable`.

    ``unit = clip((weights @ inputs + (bias << (shift + 1)) + ((1 << shift) >> 1)) >> shift, 0,
    255)``: a rectified linear unit whose sum is divided by ``2**shift``, half up. Shifts to the
    right of negative numbers round down.

    Parameters
    ----------
    weights : int8 array of shape (n_units, n_inputs)
        Of the codes, or of the units of the layer before.
    bias : int8 array of shape (n_units,)
        In steps of two of a unit's values.
    shift : uint8 array of shape (n_units,)
        At most 15.
    value_bits : int in [2, 8] or "ternary"
        Width in which a weight is stored, in two's complement.

    Raises
    ------
    ValueError
        If the arrays contradict each other, or do not fit their widths.
    """

    weights: NDArray[Any]
    bias: NDArray[Any]
    shift: NDArray[Any]
    value_bits: int | str

    def __post_init__(self) -> None:
        as_table(self, "weights", np.int8, 2)
        as_table(self, "bias", np.int8, 1)
        as_table(self, "shift", np.uint8, 1)
        n_units = len(self.weights)
        for name in ("bias", "shift"):
            length = len(getattr(self, name))
            require(length == n_units, f"{name} has {length} entries for {n_units} hidden units")
        most = int(self.shift.max(initial=0))
        require(most <= MOST_SHIFT, f"shift must be at most {MOST_SHIFT}, got {most}")
        _check_layer(self)

    def units(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values of the units.

        Parameters
        ----------
        inputs : float64 array of shape (n_samples, n_inputs)
            Integers.

        Returns
        -------
        units : float64 array of shape (n_samples, n_units)
            Integers from 0 to 255.
        """
        # Integers below 2⁵³ add up exactly in float64 in any order, and BLAS is fast there.
        sums = inputs @ self.weights.T.astype(np.float64) + self.starts
        return np.clip(np.floor(np.ldexp(sums, -self.shift.astype(np.int32))), 0, UNIT_MAX)

    @property
    def starts(self) -> NDArray[np.int64]:
        """What the sums start from: the bias and half a step, int64 array of shape (n_units,)."""
        shift = self.shift.astype(np.int64)
        starts: NDArray[np.int64] = (self.bias.astype(np.int64) << (shift + 1)) + (1 << shift >> 1)
        return starts


@dataclass(frozen=True, eq=False)
class NetTable(Table):
    """A neural net on inputs that were rounded to int8.

    The code of an input is ``clip(round((x - offset) * 2**power), -127, 127)`` in float32, half to
    even, and `missing_code` for NaN. Columns of categories hold ranks. The codes pass the hidden
    layers, and the scores gain ``weights @ units`` [1]_.

    Parameters
    ----------
    features : int32 array of shape (n_inputs,)
        Columns of the inputs, ascending; one column may have several inputs.
    offset : float32 array of shape (n_inputs,)
        What is subtracted.
    power : int8 array of shape (n_inputs,)
        Powers of two that the difference is multiplied by, from -100 to 100.
    missing_code : int8 array of shape (n_inputs,)
        Codes of NaN, not -128.
    hidden : sequence of HiddenLayer
        At least one.
    weights : int8 array of shape (n_scores, n_units)
        What one step of a unit of the last hidden layer adds to each score.
    value_bits : int in [2, 8] or "ternary"
        Width in which one of `weights` is stored.

    Raises
    ------
    ValueError
        If the arrays contradict each other, or do not fit their widths.

    References
    ----------
    .. [1] B. Jacob et al., "Quantization and training of neural networks for efficient
       integer-arithmetic-only inference", CVPR 2018, sections 2.1 to 2.4.

    Examples
    --------
    One unit that counts halves above 1.5; NaN reads as 2.5:

    >>> import numpy as np
    >>> from skdistill.compact import HiddenLayer, NetTable
    >>> layer = HiddenLayer([[1]], [0], [0], value_bits="ternary")
    >>> net = NetTable([0], [1.5], [1], [2], [layer], [[3]], value_bits=3)
    >>> scores = np.zeros((4, 1), np.int32)
    >>> net.add_scores(np.array([[1.0], [2.0], [8.5], [np.nan]]), scores)
    >>> scores.ravel().tolist()
    [0, 3, 42, 6]
    """

    features: NDArray[Any]
    offset: NDArray[Any]
    power: NDArray[Any]
    missing_code: NDArray[Any]
    hidden: tuple[HiddenLayer, ...] | Sequence[HiddenLayer]
    weights: NDArray[Any]
    value_bits: int | str

    kind: ClassVar[str] = "net"

    def __post_init__(self) -> None:
        as_table(self, "features", np.int32, 1)
        as_table(self, "offset", np.float32, 1)
        as_table(self, "power", np.int8, 1)
        as_table(self, "missing_code", np.int8, 1)
        as_table(self, "weights", np.int8, 2)
        object.__setattr__(self, "hidden", tuple(self.hidden))
        self._validate_inputs()
        self._validate_layers()

    def _validate_inputs(self) -> None:
        for name in ("offset", "power", "missing_code"):
            length, n = len(getattr(self, name)), self.n_codes
            require(length == n, f"{name} has {length} entries for {n} features")
        require(
            is_ascending(self.features, strict=False) and bool((self.features >= 0).all()),
            "features must be ascending column numbers",
        )
        require(self.n_codes > 0, "a net must read at least one column")
        require(bool(np.isfinite(self.offset).all()), "offset must be finite")
        most = int(np.abs(self.power.astype(np.int64)).max(initial=0))
        require(most <= MOST_POWER, f"power must lie within ±{MOST_POWER}, got {most}")
        require(
            bool((self.missing_code >= -CODE_MAX).all()),
            f"missing_code must lie within ±{CODE_MAX}",
        )

    def _validate_layers(self) -> None:
        require(len(self.hidden) > 0, "hidden must have at least one layer")
        width = self.n_codes
        for layer in self.hidden:
            require(
                isinstance(layer, HiddenLayer),
                f"hidden must hold HiddenLayer, got {type(layer).__name__}",
            )
            inputs = layer.weights.shape[1]
            require(inputs == width, f"a hidden layer has weights of {inputs} inputs for {width}")
            width = len(layer.weights)
        inputs = self.weights.shape[1]
        require(inputs == width, f"weights has {inputs} columns for {width} hidden units")
        _check_layer(self)
        largest = np.full(self.n_codes, CODE_MAX, np.int64)
        for layer in self.hidden:
            worst = np.abs(layer.weights.astype(np.int64)) @ largest + np.abs(layer.starts)
            require(
                int(worst.max()) <= INT32_MAX,
                f"a hidden unit's sum can reach {worst.max()}, which overflows int32",
            )
            largest = np.full(len(worst), UNIT_MAX, np.int64)

    @property
    def unit_bounds(self) -> list[NDArray[np.int64]]:
        """Largest value of the units of each hidden layer, int64 arrays of shape (n_units,)."""
        low = np.full(self.n_codes, -CODE_MAX, np.int64)
        high, bounds = -low, []
        for layer in self.hidden:
            weights = layer.weights.astype(np.int64)
            most = np.maximum(weights, 0) @ high + np.minimum(weights, 0) @ low + layer.starts
            high = np.clip(most >> layer.shift.astype(np.int64), 0, UNIT_MAX)
            low = np.zeros(len(high), np.int64)
            bounds.append(high)
        return bounds

    @property
    def n_scores(self) -> int:
        """Number of scores that a row gets."""
        return int(self.weights.shape[0])

    @property
    def n_values(self) -> int:
        """Number of weights of all layers."""
        return self.weights.size + sum(layer.weights.size for layer in self.hidden)

    @property
    def columns(self) -> NDArray[Any]:
        """Columns of the input that are read, ascending int32 array."""
        return np.unique(self.features)

    @property
    def score_bound(self) -> NDArray[np.int64]:
        """``|weights| @ unit_bounds``, which no partial sum exceeds, int64, shape (n_scores,)."""
        bound: NDArray[np.int64] = np.abs(self.weights.astype(np.int64)) @ self.unit_bounds[-1]
        return bound

    def add_scores(self, X: NDArray[Any], out: NDArray[np.int32]) -> None:
        """Add ``weights @ units`` of rows; see `Table.add_scores`."""
        units = self.units(self.codes(X))[-1]
        out += (units @ self.weights.T.astype(np.float64)).astype(np.int32)

    def units(self, codes: NDArray[Any]) -> list[NDArray[np.float64]]:
        """Values of all hidden units.

        Parameters
        ----------
        codes : array of shape (n_samples, n_codes)
            As `codes` returns them.

        Returns
        -------
        units : list of float64 arrays of shape (n_samples, n_units)
            For each hidden layer, integers from 0 to 255.
        """
        inputs, units = codes.astype(np.float64), []
        for layer in self.hidden:
            inputs = layer.units(inputs)
            units.append(inputs)
        return units

    def rounding_variance(self, X: NDArray[Any] | None) -> NDArray[np.float64]:
        """The weights of the last hidden units; see `Table.rounding_variance`."""
        if X is None:
            return np.zeros(self.n_scores)
        units = self.units(self.codes(X))[-1]
        return variance_of_weights(self.weights.T, self.value_bits, units)

    @property
    def n_codes(self) -> int:
        """Number of inputs."""
        return len(self.features)

    @property
    def code_columns(self) -> NDArray[Any]:
        """Columns of the rounded inputs."""
        return self.features

    @property
    def codes_dtype(self) -> str:
        """Always int8."""
        return "int8"

    def codes(self, X: NDArray[Any]) -> NDArray[np.int8]:
        """Codes of rows; see `Table.codes`."""
        q = codes_of_numbers(X[:, self.features], self.offset, self.power)
        # Row by row, as devices read them: columns taken together are in another order.
        return np.where(np.isnan(q), self.missing_code, q).astype(np.int8, order="C")

    def turning_points(
        self, X: NDArray[Any], rng: np.random.Generator
    ) -> tuple[NDArray[np.intp], NDArray[Any], NDArray[np.float64]]:
        """Some borders of the codes of each input, each with a random row.

        See `Table.turning_points`.
        """
        columns, points = [], []
        half_ways = np.unique(rng.integers(-CODE_MAX - 2, CODE_MAX + 2, 128)) + 0.5
        for column, offset, power in zip(self.features, self.offset, self.power, strict=True):
            points.append(float(offset) + np.ldexp(half_ways, -int(power)))
            columns.append(np.full(len(half_ways), column))
        where = np.concatenate(columns)
        return rng.integers(len(X), size=len(where)), where, np.concatenate(points)

    def check_whole_numbers(self, dtype: str) -> str:
        """Find offsets that are no whole numbers, and inputs as standardised columns have them.

        See `Table.check_whole_numbers`.
        """
        fractions = np.flatnonzero(self.offset != np.rint(self.offset))
        # Of a deviation of about 1 around 0. Few columns of whole numbers are so, and seldom most.
        standardised = np.flatnonzero((self.offset == 0) & (self.power == _POWER_OF_ONE))
        if len(fractions) == 0 and 2 * len(standardised) > len(self.features):
            return (
                f"input_dtype={dtype!r} has whole numbers only, and {len(standardised)} of "
                f"{len(self.features)} inputs of the net (the first is column "
                f"{self.features[standardised[0]]}) are read in steps of 1/32 from -4 to 4, as "
                "standardised columns are: train on the integers that the device reads"
            )
        if len(fractions) == 0:
            return ""
        first = fractions[0]
        return (
            f"input_dtype={dtype!r} has whole numbers only, and {len(fractions)} "
            f"input{'s' * (len(fractions) > 1)} of the net (the first is column "
            f"{self.features[first]}) {'have offsets' if len(fractions) > 1 else 'has an offset'} "
            f"such as {self.offset[first]:.3g}: train on the integers that the device reads"
        )

    def describe(self) -> str:
        """How many inputs and hidden units there are."""
        units = " and ".join(str(len(layer.weights)) for layer in self.hidden)
        return f"a net of {self.n_codes} inputs and {units} hidden units"

    def describe_codes(self) -> str:
        """They are what the net reads."""
        return "codes of the net's inputs, from -127 to 127"


def _check_layer(layer: HiddenLayer | NetTable) -> None:
    """Check the shape and the width of the weights of a layer."""
    n_units, n_inputs = layer.weights.shape
    require(
        1 <= n_units <= MOST_UNITS and 1 <= n_inputs <= MOST_UNITS,
        f"weights must have 1 to {MOST_UNITS} rows and columns, got shape {layer.weights.shape}",
    )
    bits = layer.value_bits
    known = bits == "ternary" or (isinstance(bits, int | np.integer) and bits in range(2, 9))
    require(known, f"value_bits must be 'ternary' or an int in [2, 8], got {bits!r}")
    low, high = (-1, 1) if bits == "ternary" else (-(1 << int(bits) - 1), (1 << int(bits) - 1) - 1)
    inside = low <= layer.weights.min() and layer.weights.max() <= high
    require(bool(inside), f"weights must lie in [{low}, {high}] for value_bits={bits!r}")
    check_bits(layer, "weights")


def codes_of_numbers(
    X: NDArray[Any], offset: NDArray[np.float32], power: NDArray[np.integer]
) -> NDArray[np.float32]:
    """Codes ``clip(round((x - offset) * 2**power), -127, 127)``, half to even.

    Parameters
    ----------
    X : array of shape (n_samples, n_inputs)
        Numbers of the columns that are read.
    offset : float32 array of shape (n_inputs,)
        Number with the code 0.
    power : int array of shape (n_inputs,)
        Exponent of the number of codes that a difference of 1 is.

    Returns
    -------
    codes : float32 array of shape (n_samples, n_inputs)
        Whole numbers; NaN stays.
    """
    # One float32 subtraction, one float32 multiplication, each rounded: what C and ONNX do too.
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        q = np.rint(
            (X.astype(np.float32) - offset) * np.ldexp(np.float32(1), power.astype(np.int32))
        )
        codes: NDArray[np.float32] = np.clip(q, -CODE_MAX, CODE_MAX)
    return codes
