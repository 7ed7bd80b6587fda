"""The line that does what `convert` cannot, for its messages."""

from __future__ import annotations


def distil_instead(classify: bool) -> str:
    """Say how to distil a fitted estimator that cannot be converted.

    Parameters
    ----------
    classify : bool
        Whether it is a classifier.

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
        f"Distil it instead: skdistill.Distilled{kind}(sklearn.frozen.FrozenEstimator(model), "
        f"skdistill.SoftBoosting{kind}()).fit(X)"
    )


def not_exact(what: str, classify: bool, remedy: str = "") -> ValueError:
    """Error for a fitted estimator that no compact model equals.

    Parameters
    ----------
    what : str
        The parameter and its value, or the property, with the library's name.
    classify : bool
        Whether the estimator is a classifier.
    remedy : str, default=""
        What to fit in its place, if there is something.

    Returns
    -------
    error : ValueError
    """
    remedy = f"{remedy}, or distil" if remedy else "Distil"
    text = distil_instead(classify).replace("Distil", remedy[0].upper() + remedy[1:], 1)
    return ValueError(f"{what} cannot be converted exactly. {text}")


def check_keys(keys: object, known: frozenset[str], where: str) -> None:
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

    Raises
    ------
    ValueError
        That lists the unknown names.
    """
    unknown = sorted(set(keys) - known)  # type: ignore[call-overload]
    if unknown:
        names = ", ".join(f"{where}{name}" for name in unknown)
        raise ValueError(
            f"{names} of the stored model is not known to this version of skdistill and could "
            "change answers: update skdistill, store the model with an older version of its "
            f"library, or distil it. {distil_instead(True)}"
        )
