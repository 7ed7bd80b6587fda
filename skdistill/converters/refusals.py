"""What `convert` cannot do, with a line that does it another way."""

from __future__ import annotations

from collections.abc import Iterable

FROZEN = "sklearn.frozen.FrozenEstimator(model)"


def distil_instead(classify: bool, teacher: str = FROZEN) -> str:
    """Say how to distil a fitted estimator that cannot be converted.

    Parameters
    ----------
    classify : bool
        Whether it is a classifier.
    teacher : str, default="sklearn.frozen.FrozenEstimator(model)"
        What the line calls the teacher. Native boosters are "model".

    Returns
    -------
    text : str
        Ends in a line of code that runs with `model`, the fitted estimator, and rows `X`.

    Examples
    --------
    >>> from skdistill.converters.refusals import distil_instead
    >>> distil_instead(True)  # doctest: +NORMALIZE_WHITESPACE
    'Distil it instead: skdistill.DistilledClassifier(sklearn.frozen.FrozenEstimator(model),
    skdistill.SoftBoostingClassifier()).fit(X)'
    """
    kind = "Classifier" if classify else "Regressor"
    return (
        f"Distil it instead: skdistill.Distilled{kind}({teacher}, "
        f"skdistill.SoftBoosting{kind}()).fit(X)"
    )


class NotExact(ValueError):
    """A fitted estimator that no compact model equals.

    Parameters
    ----------
    what : str
        The parameter and its value, or the property, with the library's name.
    classify : bool
        Whether the estimator is a classifier.
    remedy : str
        What to do in place of it, beside distilling.
    """

    def __init__(self, what: str, classify: bool, remedy: str) -> None:
        self.what, self.classify, self.remedy = what, classify, remedy
        super().__init__(self.text())

    def text(self, teacher: str = FROZEN) -> str:
        """The message, for a teacher that is called so."""
        line = distil_instead(self.classify, teacher).replace("Distil", "distil", 1)
        remedy = self.remedy[0].upper() + self.remedy[1:]
        return f"{self.what} cannot be converted exactly. {remedy}, or {line}"


def check_keys(keys: Iterable[str], known: frozenset[str], where: str, classify: bool) -> None:
    """Refuse a part of a stored model that this version does not know.

    It might change the answers, as the weights of dropout did that XGBoost 3.4 stores elsewhere
    than versions before.

    Parameters
    ----------
    keys : iterable of str
        Names in the stored model.
    known : frozenset of str
        Those that are read, or change no answer.
    where : str
        Path of the part, for the message.
    classify : bool
        Whether the model is a classifier.

    Raises
    ------
    NotExact
        That lists the unknown names.
    """
    unknown = sorted(set(keys) - known)
    if unknown:
        names = ", ".join(f"{where}{name}" for name in unknown)
        raise NotExact(
            f"{names} of the stored model is not known to this version of skdistill, could change "
            "answers, and",
            classify,
            "update skdistill, or store the model with an older version of its library",
        )
