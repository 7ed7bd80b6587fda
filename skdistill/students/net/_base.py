"""What both network students share: their parameters, and the way from rows to integer tables."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from skdistill.compact import CategoryTable, NetTable
from skdistill.compact.tables.net_table import MOST_UNITS
from skdistill.model import CompactModel
from skdistill.students._student import relative_importances
from skdistill.students._validation import CATEGORIES
from skdistill.students.net.equal_rows import merge_equal_rows
from skdistill.students.net.hidden_units import units_for_bytes
from skdistill.students.net.inputs import NetInputs, fit_inputs
from skdistill.students.net.layout import INTERCEPT_MAX, Batches
from skdistill.students.net.tables import largest_table, largest_weight, net_table
from skdistill.students.net.training import IntegerNet, Schedule, as_integers, learn
from skdistill.students.size_search import MAX_BYTES, too_small
from skdistill.students.training_data import ClassificationData, RegressionData
from skdistill.utils._sklearn_compat import Interval, StrOptions

_WEIGHT_BITS = [Interval(Integral, 2, 8, closed="both"), StrOptions({"ternary"})]
_DEFAULT_UNITS = 64  # of a layer, where neither sizes nor bytes are asked for
_MANY_ROWS = 10_000
_MANY_ROWS_PENALTY = 0.06  # of that of very few rows; of more than _MANY_ROWS it falls as 1 / n


class Targets(NamedTuple):
    """What a network learns.

    Attributes
    ----------
    values : float64 array of shape (n_parts, n_samples, n_outputs)
        Probabilities for each temperature, each row's times the share of the part in its loss;
        values for squared errors.
    temperatures : float64 array of shape (n_parts,)
        Temperatures of the parts; empty for squared errors.
    n_scores : int
        Raw predictions of a row.
    penalty : float
        ``l2_regularization="auto"`` for very few rows.
    hints : float64 array of shape (n_samples, n_hints)
        What further outputs of the last hidden layer learn while the network trains, in units
        of about a standard deviation.
    hint_weight : float
        Weight of half their squared errors in the loss.
    """

    values: NDArray[np.float64]
    temperatures: NDArray[np.float64]
    n_scores: int
    penalty: float
    hints: NDArray[np.float64]
    hint_weight: float


class FittedNet(NamedTuple):
    """What a network student has learnt.

    Attributes
    ----------
    table : NetTable
        The integers.
    intercept : float64 array of shape (n_scores,)
        Raw predictions beside those of the table.
    scale : float
        Raw prediction that a score of 1 is.
    categories : CategoryTable
        With ranks that are learnt codes.
    """

    table: NetTable
    intercept: NDArray[np.float64]
    scale: float
    categories: CategoryTable


class BaseSoftNet(BaseEstimator):
    """Parameters of a network in integers."""

    compact_: CompactModel
    feature_importances_: NDArray[np.float64]

    _parameter_constraints: dict[str, list[Any]] = {
        "hidden_layer_sizes": [
            "array-like",
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"auto"}),
        ],
        "n_hidden_layers": [Interval(Integral, 1, 2, closed="both"), StrOptions({"auto"})],
        **MAX_BYTES,
        "weight_bits": _WEIGHT_BITS,
        "output_bits": _WEIGHT_BITS,
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "l2_regularization": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"})],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), None],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
        **CATEGORIES,
    }

    def __init__(
        self,
        hidden_layer_sizes: Any = "auto",
        *,
        n_hidden_layers: int | str = "auto",
        max_bytes: int | None = None,
        weight_bits: int | str = 4,
        output_bits: int | str = 4,
        learning_rate_init: float = 0.01,
        max_iter: int = 300,
        batch_size: int = 128,
        l2_regularization: float | str = "auto",
        n_iter_no_change: int | None = None,
        validation_fraction: float = 0.1,
        categorical_features: Any = "from_dtype",
        random_state: Any = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.n_hidden_layers = n_hidden_layers
        self.max_bytes = max_bytes
        self.weight_bits = weight_bits
        self.output_bits = output_bits
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.l2_regularization = l2_regularization
        self.n_iter_no_change = n_iter_no_change
        self.validation_fraction = validation_fraction
        self.categorical_features = categorical_features
        self.random_state = random_state

    def _train(
        self, data: ClassificationData | RegressionData, targets: Targets, min_scale: float = 0.0
    ) -> FittedNet | None:
        """Learn a network; None where all columns are constant."""
        X, values, weight, hints = merge_equal_rows(
            data.X, targets.values, data.weight, targets.hints
        )
        weight = weight / weight.mean()
        inputs = fit_inputs(X, weight, data.categories)
        if len(inputs.features) == 0:
            return None
        if len(inputs.features) > MOST_UNITS:
            raise ValueError(
                f"a network reads {MOST_UNITS} columns at most, but X has {len(inputs.features)} "
                "that are not constant: select columns first, for example with SelectKBest, or "
                "train another student"
            )
        hidden = self._hidden_units(data, inputs, targets.n_scores)
        bits = [*[self.weight_bits] * len(hidden), self.output_bits]
        if len(targets.temperatures):
            values = values * weight[:, None]
        batches = Batches(
            np.ascontiguousarray(inputs.fixed_codes(X)),  # of columns taken together it is not
            inputs.lookup_inputs,
            inputs.lookups(X),
            np.ascontiguousarray(values),
            targets.temperatures,
            weight,
            np.ascontiguousarray(hints),
            targets.hint_weight,
        )
        rng = check_random_state(self.random_state)
        learnt = learn(
            [len(inputs.features), *hidden, targets.n_scores],
            [largest_weight(each) for each in bits],
            batches,
            inputs.codes,
            Schedule(
                self.max_iter,
                self.learning_rate_init,
                self.batch_size,
                self.n_iter_no_change,
                self._penalty(targets.penalty, len(X)),
            ),
            rng,
            None if self.n_iter_no_change is None else self._hold_out(len(X), rng),
            min_scale,
        )
        net, self.n_iter_ = as_integers(learnt), learnt.n_iter
        missing_code, categories = inputs.learnt_codes(net.codes, data.categories)
        table = net_table(inputs, net, missing_code, self.weight_bits, self.output_bits)
        codes = _codes(batches, net)
        total = _path_weights(table, codes, weight, data.n_features)
        self.feature_importances_ = relative_importances(total)
        return FittedNet(table, net.intercept, net.scale, categories)

    def _keep_constant(self, model: CompactModel) -> None:
        """Keep a model that needs no network."""
        if self.max_bytes is not None and model.nbytes > self.max_bytes:
            raise too_small(self.max_bytes, "a constant", model.nbytes)
        self.compact_, self.n_iter_ = model, 0
        self.feature_importances_ = np.zeros(model.n_features)

    def _hidden_units(
        self, data: ClassificationData | RegressionData, inputs: NetInputs, n_scores: int
    ) -> tuple[int, ...]:
        """Units of the hidden layers, as the parameters ask for them."""
        sizes = self.hidden_layer_sizes
        if not isinstance(sizes, str):
            if self.max_bytes is not None:
                raise ValueError(
                    f"max_bytes={self.max_bytes} chooses the hidden layers: it needs "
                    f"hidden_layer_sizes='auto', got {sizes!r}"
                )
            units = _check_sizes(sizes)
            if self.n_hidden_layers not in ("auto", len(units)):
                raise ValueError(
                    f"n_hidden_layers={self.n_hidden_layers} is for hidden_layer_sizes='auto', "
                    f"got {sizes!r}: leave it out"
                )
            return units
        if self.max_bytes is None:
            layers = self.n_hidden_layers
            return (_DEFAULT_UNITS,) * (1 if isinstance(layers, str) else layers)

        def nbytes(hidden: tuple[int, ...]) -> int:
            table = largest_table(inputs, hidden, n_scores, self.weight_bits, self.output_bits)
            return _largest_model(data, table).nbytes

        return units_for_bytes(nbytes, self.max_bytes, self.n_hidden_layers)

    def _penalty(self, largest: float, n_samples: int) -> float:
        """The penalty of weights: "auto" falls with the number of rows."""
        if not isinstance(self.l2_regularization, str):
            return float(self.l2_regularization)
        least = _MANY_ROWS_PENALTY * min(1.0, _MANY_ROWS / n_samples)
        return largest * max(1 - n_samples / _MANY_ROWS, least)

    def _hold_out(self, n_samples: int, rng: np.random.RandomState) -> NDArray[np.int32]:
        """Rows for early stopping; some are left, as two rows differ at least."""
        n_held_out = max(1, int(self.validation_fraction * n_samples))
        return np.sort(rng.permutation(n_samples)[:n_held_out]).astype(np.int32)


def _check_sizes(sizes: Any) -> tuple[int, ...]:
    """Units of one or two hidden layers."""
    units = tuple(np.ravel(sizes).tolist())
    if len(units) not in (1, 2) or not all(
        isinstance(n, int) and 1 <= n <= MOST_UNITS for n in units
    ):
        raise ValueError(
            "hidden_layer_sizes must be 'auto' or the units of one or two layers, at most "
            f"{MOST_UNITS} each, got {sizes!r}"
        )
    return units


def _largest_model(data: ClassificationData | RegressionData, table: NetTable) -> CompactModel:
    """A model of a table that takes as many bytes as one can."""
    signs = np.resize([1, -1], table.n_scores)
    if isinstance(data, ClassificationData):
        return data.model(INTERCEPT_MAX * signs, 1.0, table)
    return data.model(2**30 * signs, np.ones(table.n_scores), table)


def _path_weights(
    table: NetTable,
    codes: NDArray[np.float64],
    weight: NDArray[np.float64],
    n_features: int,
) -> NDArray[np.float64]:
    """Absolute weights along all paths from a column to a score, times its deviation in codes."""
    mean = np.average(codes, axis=0, weights=weight)
    deviation = np.sqrt(np.average((codes - mean) ** 2, axis=0, weights=weight))
    paths = np.abs(table.weights.astype(np.float64))
    for layer in reversed(table.hidden):
        paths = (paths * np.exp2(-layer.shift.astype(np.float64))) @ np.abs(
            layer.weights.astype(np.float64)
        )
    total = np.zeros(n_features)
    total[table.features] = paths.sum(axis=0) * deviation
    return total


def _codes(batches: Batches, net: IntegerNet) -> NDArray[np.float64]:
    """Codes of the training rows, learnt ones in their places."""
    codes = batches.codes.astype(np.float64)
    for c, which in enumerate(batches.lookup_inputs):
        learnt = batches.lookups[:, c] >= 0
        codes[learnt, which] = net.codes[batches.lookups[learnt, c]]
    return codes
