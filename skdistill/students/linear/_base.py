"""What both linear students share: their parameters and tags."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import Tags

from skdistill.compact import LinearTable
from skdistill.model import CompactModel
from skdistill.students._validation import BITS, CATEGORIES
from skdistill.students.size_search import MAX_BYTES
from skdistill.utils._sklearn_compat import Interval


class BaseSoftLinear(BaseEstimator):
    """Parameters of a linear model on integer inputs."""

    _parameter_constraints: dict[str, list[Any]] = {
        "l2_regularization": [Interval(Real, 0, None, closed="left")],
        "input_bits": BITS["threshold_bits"],
        "weight_bits": BITS["value_bits"],
        **MAX_BYTES,
        **CATEGORIES,
    }

    def __init__(
        self,
        l2_regularization: float = 1e-4,
        *,
        input_bits: int = 8,
        weight_bits: int | str = 8,
        max_bytes: int | None = None,
        categorical_features: Any = "from_dtype",
    ) -> None:
        self.l2_regularization = l2_regularization
        self.input_bits = input_bits
        self.weight_bits = weight_bits
        self.max_bytes = max_bytes
        self.categorical_features = categorical_features

    compact_: CompactModel

    @property
    def coef_(self) -> NDArray[np.float64]:
        """Coefficients in units of the columns: what a unit of a column adds to the output.

        The output is `decision_function` of a classifier, the value of a regressor. Inputs are
        rounded and have a range, so this is the line that the steps follow. A column of
        categories has the coefficient of its ranks.

        Returns
        -------
        coef : float64 array
            Of the shape of scikit-learn's linear models: (1, n_features) for two classes,
            (n_classes, n_features) for more; (n_features,) or (n_targets, n_features) for a
            regressor.
        """
        model = self.compact_
        coef = np.zeros((model.n_scores, model.n_features))
        for linear in model.tables_of(LinearTable):
            coef[:, linear.features] = linear.slopes.T
        coef *= np.reshape(model.scale, (-1, 1))
        return coef[0] if model.n_scores == 1 and model.classes is None else coef

    @property
    def intercept_(self) -> Any:
        """Output where all columns are 0, on the same line as `coef_`.

        Returns
        -------
        intercept : float64 array of shape (n_scores,), or float
            A float for a regressor of one target.
        """
        model = self.compact_
        total = model.bias.astype(np.float64)
        for linear in model.tables_of(LinearTable):
            total = total + linear.intercepts
        total = total * model.scale
        return float(total[0]) if model.n_scores == 1 and model.classes is None else total

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
