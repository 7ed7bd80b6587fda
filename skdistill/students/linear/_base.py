"""What both linear students share: their parameters and tags."""

from __future__ import annotations

from numbers import Real
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.utils import Tags

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

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
