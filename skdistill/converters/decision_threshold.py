"""The integer threshold of a score that stands for a threshold of a probability.

scikit-learn predicts the class `pos_label` where its probability, or decision function, is at
least a threshold. Both are functions of one integer score, and the label changes once: the
score at which it does is found by the functions themselves, so that labels are the same for
every score there is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import TunedThresholdClassifierCV

from skdistill.compact._frozen import require
from skdistill.compact.evaluate import probabilities
from skdistill.converters.wrappers import ThresholdClassifier, inner_estimator, unwrap
from skdistill.model import CompactModel
from skdistill.utils._sklearn_compat import tuned_pos_label

_NEARBY = 1 << 16  # scores on either side of the threshold that are looked at one by one


def as_tuned(model: CompactModel, classifier: ThresholdClassifier) -> CompactModel:
    """Give a model the threshold that a classifier has around it.

    Parameters
    ----------
    model : CompactModel
        Converted from what the classifier stands around.
    classifier : FixedThresholdClassifier or TunedThresholdClassifierCV
        Fitted; the first also around a fitted classifier.

    Returns
    -------
    model : CompactModel

    Raises
    ------
    ValueError
        For the decision function of the exponential loss, and for what `with_threshold`
        refuses.
    """
    estimator = inner_estimator(classifier)
    response_method = classifier.response_method
    if response_method == "auto":
        has_proba = hasattr(estimator, "predict_proba")
        response_method = "predict_proba" if has_proba else "decision_function"
    require(
        response_method == "predict_proba"
        or getattr(unwrap(estimator).model, "loss", None) != "exponential",
        "the decision function of the exponential loss is half a logit: tune the threshold with "
        "response_method='predict_proba'",
    )
    if isinstance(classifier, TunedThresholdClassifierCV):
        threshold, pos_label = classifier.best_threshold_, tuned_pos_label(classifier)
    else:
        threshold, pos_label = classifier.threshold, classifier.pos_label
        if threshold == "auto":
            threshold = 0.5 if response_method == "predict_proba" else 0.0
    threshold = float(threshold)
    if model.link == "normalize" and not hasattr(unwrap(estimator).model, "compact_"):
        # The votes of a forest were rounded to whole scores: one that equals the threshold may
        # stand for a probability just below it.
        threshold -= float(model.scale) / 2
    return with_threshold(model, threshold, response_method=response_method, pos_label=pos_label)


def with_threshold(
    model: CompactModel, threshold: float, *, response_method: str, pos_label: Any = None
) -> CompactModel:
    """Model that predicts `pos_label` where its response is at least `threshold`.

    Parameters
    ----------
    model : CompactModel
        Of two classes.
    threshold : float
        Of the response.
    response_method : {"predict_proba", "decision_function"}
        What is the response: the probability of `pos_label`, or the scaled score, with the
        sign changed where `pos_label` is the first class.
    pos_label : label, default=None
        None is the second class.

    Returns
    -------
    model : CompactModel
        With another ``threshold``; scores and probabilities stay.

    Raises
    ------
    ValueError
        If the model has not two classes, `pos_label` is none of them, or no score parts the
        labels.

    Examples
    --------
    >>> from skdistill import CompactModel
    >>> from skdistill.converters.decision_threshold import with_threshold
    >>> model = CompactModel(1, [300], 0.01, "sigmoid", ["no", "yes"])
    >>> with_threshold(model, 0.9, response_method="predict_proba").threshold
    219
    """
    require(model.n_classes == 2, f"a threshold needs two classes, the model has {model.n_classes}")
    classes = model.classes.tolist()  # type: ignore[union-attr]
    pos_label = classes[1] if pos_label is None else pos_label
    require(pos_label in classes, f"pos_label={pos_label!r} is none of the classes {classes}")
    positive = classes.index(pos_label)

    def is_second_class(scores: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether each score gets the second class as its label."""
        column = scores.astype(np.int32)[:, None]
        if response_method == "predict_proba":
            response = probabilities(model, column)[:, positive]
        else:
            response = column[:, 0] * np.float64(model.scale)
            response = response if positive else -response
        is_positive: NDArray[np.bool_] = response >= threshold
        return is_positive if positive else ~is_positive

    return replace(model, threshold=_last_false(is_second_class, int(model.score_bound[0])))


def _last_false(holds: Callable[[NDArray[np.int64]], NDArray[np.bool_]], bound: int) -> int:
    """The last of the integers from −`bound` to `bound` for which a rising condition is false."""
    low, high = -bound - 1, bound + 1  # false up to `low`, true from `high` on
    while high - low > 1:
        middle = (low + high) // 2
        if holds(np.array([middle]))[0]:
            high = middle
        else:
            low = middle
    # Bisection takes for granted that the condition rises; rounding in float64 may break that.
    nearby = np.arange(max(-bound, low - _NEARBY), min(bound, low + _NEARBY) + 1)
    rises = bool((holds(nearby) == (nearby > low)).all())
    require(rises, "rounding of float64 makes the label change more than once: move the threshold")
    return low
