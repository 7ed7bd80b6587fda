"""The integer threshold of a score that stands for a threshold of a probability.

scikit-learn says the class `pos_label` where its probability, or decision function, is at
least a threshold. Both are functions of one integer score, and the label changes once: the
score at which it does is found by the functions themselves, so that labels are the same for
every score there is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skdistill.compact._frozen import require
from skdistill.compact.evaluate import probabilities

if TYPE_CHECKING:
    from skdistill.model import CompactModel

_NEAR = 1 << 16  # scores on either side of the threshold that are looked at one by one


def with_threshold(
    model: CompactModel, threshold: float, *, function: str, pos_label: Any = None
) -> CompactModel:
    """The model that says `pos_label` where its response is at least `threshold`.

    Parameters
    ----------
    model : CompactModel
        Of two classes.
    threshold : float
    function : {"predict_proba", "decision_function"}
        What is the response: the probability of `pos_label`, or scale times score, turned
        round where `pos_label` is the first class.
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
    >>> with_threshold(model, 0.9, function="predict_proba").threshold
    219
    """
    require(model.n_classes == 2, f"a threshold needs two classes, the model has {model.n_classes}")
    classes = model.classes.tolist()  # type: ignore[union-attr]
    pos_label = classes[1] if pos_label is None else pos_label
    require(pos_label in classes, f"pos_label={pos_label!r} is none of the classes {classes}")
    positive = classes.index(pos_label)

    def second(scores: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether the label of each score is the second class."""
        column = scores.astype(np.int32)[:, None]
        if function == "predict_proba":
            response = probabilities(model, column)[:, positive]
        else:
            response = column[:, 0] * np.float64(model.scale)
            response = response if positive else -response
        said = response >= threshold
        found: NDArray[np.bool_] = said if positive else ~said
        return found

    return replace(model, threshold=_last_without(second, int(model.score_bound[0])))


def _last_without(holds: Callable[[NDArray[np.int64]], NDArray[np.bool_]], bound: int) -> int:
    """The last of the whole numbers up to `bound` for which a rising condition does not hold."""
    low, high = -bound - 1, bound + 1  # it does not hold below `low`, and holds from `high` on
    while high - low > 1:
        middle = (low + high) // 2
        if holds(np.array([middle]))[0]:
            high = middle
        else:
            low = middle
    near = np.arange(max(-bound, low - _NEAR), min(bound, low + _NEAR) + 1)
    rises = bool((holds(near) == (near > low)).all())
    require(rises, "rounding of float64 makes the label change more than once: move the threshold")
    return low
