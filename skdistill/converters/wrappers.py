"""What stands around a model: Pipelines, FrozenEstimators, thresholds of the labels, files."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

from numpy.typing import ArrayLike
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skdistill.teachers.booster import BoosterTeacher, is_model_file, load_booster

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
    classes : array-like of shape (n_classes,), or None
        Labels that a BoosterTeacher names.
    """

    steps: list[tuple[str, Any]]
    model: Any
    thresholds: list[ThresholdClassifier]
    classes: ArrayLike | None


def unwrap(fitted: Any) -> Unwrapped:
    """Take a model out of what stands around it.

    Parameters
    ----------
    fitted : object
        Pipelines, FrozenEstimators, threshold classifiers, a BoosterTeacher and the path of a
        model file, nested in any order. What is none of them is the model.

    Returns
    -------
    unwrapped : Unwrapped

    Raises
    ------
    NotFittedError
        For a TunedThresholdClassifierCV that has no threshold yet.
    FileNotFoundError, ValueError
        For a file that is absent, or no model; see `load_booster`.
    """
    steps: list[tuple[str, Any]] = []
    thresholds: list[ThresholdClassifier] = []
    classes: ArrayLike | None = None
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
        elif isinstance(fitted, BoosterTeacher):
            classes = getattr(fitted, "classes_", fitted.classes)
            fitted = fitted.booster_ if hasattr(fitted, "booster_") else fitted._native()
        elif is_model_file(fitted):
            fitted = load_booster(fitted)
        else:
            return Unwrapped(steps, fitted, thresholds, classes)


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
