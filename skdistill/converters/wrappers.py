"""What stands around a model: Pipelines, FrozenEstimators and thresholds of the labels."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

ThresholdClassifier: TypeAlias = FixedThresholdClassifier | TunedThresholdClassifierCV


class Unwrapped(NamedTuple):
    """A model and what stood around it.

    Attributes
    ----------
    steps : list of (name, transformer)
        What rows pass before the model, in order; the names are paths, like those of
        parameters. Steps that do nothing are left out.
    model : object
        The last step.
    thresholds : list of FixedThresholdClassifier and TunedThresholdClassifierCV
        From the outermost to the innermost.
    """

    steps: list[tuple[str, Any]]
    model: Any
    thresholds: list[ThresholdClassifier]


def unwrap(fitted: Any) -> Unwrapped:
    """Take a model out of Pipelines, FrozenEstimators and threshold classifiers.

    Parameters
    ----------
    fitted : object
        Nested in any order. What is none of them is the model.

    Returns
    -------
    unwrapped : Unwrapped

    Raises
    ------
    NotFittedError
        For a TunedThresholdClassifierCV that has no threshold yet.
    """
    steps: list[tuple[str, Any]] = []
    thresholds: list[ThresholdClassifier] = []
    path = ""
    while True:
        if isinstance(fitted, FrozenEstimator):
            fitted = fitted.estimator
        elif isinstance(fitted, Pipeline):
            *before, (name, fitted) = fitted.steps
            steps += [(path + own, step) for own, step in before if not is_passthrough(step)]
            path += f"{name}__"
        elif isinstance(fitted, ThresholdClassifier):
            if isinstance(fitted, TunedThresholdClassifierCV):
                check_is_fitted(fitted)
            thresholds.append(fitted)
            fitted = inner_estimator(fitted)
        else:
            return Unwrapped(steps, fitted, thresholds)


def is_passthrough(step: Any) -> bool:
    """Whether a step of a Pipeline is None or "passthrough".

    Parameters
    ----------
    step : transformer, str or None
        As it stands in ``Pipeline.steps`` or ``ColumnTransformer.transformers_``.

    Returns
    -------
    passthrough : bool
    """
    return step is None or (isinstance(step, str) and step == "passthrough")


def inner_estimator(classifier: ThresholdClassifier) -> Any:
    """Classifier that a threshold stands around.

    Parameters
    ----------
    classifier : FixedThresholdClassifier or TunedThresholdClassifierCV
        The first needs no fit of its own around a fitted classifier.

    Returns
    -------
    estimator : object
    """
    return getattr(classifier, "estimator_", classifier.estimator)
