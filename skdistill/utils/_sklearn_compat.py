"""Every private name of scikit-learn that skdistill uses, in one place.

scikit-learn may move these between releases; what follows a move is changed here and nowhere else.
"""

from sklearn.base import _fit_context
from sklearn.model_selection._search import BaseSearchCV
from sklearn.neural_network._base import ACTIVATIONS
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions, validate_params
from sklearn.utils.validation import _check_sample_weight

__all__ = [
    "ACTIVATIONS",
    "BaseSearchCV",
    "HasMethods",
    "Interval",
    "StrOptions",
    "_check_sample_weight",
    "_fit_context",
    "validate_params",
]
