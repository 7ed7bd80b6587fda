"""What a search has found, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.model_selection.portfolio import Candidate

_FIGURES = (
    "nbytes",
    "flash",
    "ram",
    "instructions",
    "features",
    "accuracy",
    "log_loss",
    "r2",
    "fidelity",
    "fit_time",
)
Record = dict[str, Any]


def scores_of(records: list[Record]) -> NDArray[np.float64]:
    """Scores of a candidate.

    Parameters
    ----------
    records : list of dict
        One for each split, from `evaluate`.

    Returns
    -------
    scores : float64 array of shape (n_splits,)
        NaN where nothing was within the budget.
    """
    return np.array([record.get("score", np.nan) for record in records], np.float64)


def compared_scores(records: list[Record]) -> NDArray[np.float64]:
    """Scores of a candidate to be compared with those of another: of a hold-out, by part.

    Parameters
    ----------
    records : list of dict
        One for each split, from `evaluate`.

    Returns
    -------
    scores : float64 array of shape (n_scores,)
    """
    if len(records) == 1 and records[0]["part_scores"]:
        return np.array(records[0]["part_scores"], np.float64)
    return scores_of(records)


def make_results(candidates: list[Candidate], records: list[list[Record]]) -> dict[str, Any]:
    """``cv_results_`` of a search.

    Parameters
    ----------
    candidates : list of Candidate
        What was tried.
    records : list of lists of dict
        For each candidate one for each split.

    Returns
    -------
    results : dict of str to array or list
        With the names of scikit-learn's searches where they mean the same.
    """
    scores = np.array([scores_of(each) for each in records])
    means = scores.mean(axis=1)
    order = np.argsort(np.argsort(np.where(np.isnan(means), np.inf, -means), kind="stable"))
    results: dict[str, Any] = {
        "params": [each.params for each in candidates],
        "param_family": np.array([each.family for each in candidates], object),
        "param_labels": np.array([each.labels for each in candidates], object),
        "status": np.array([_status(each) for each in records], object),
    }
    results |= {f"split{k}_test_score": scores[:, k] for k in range(scores.shape[1])}
    results |= {
        "mean_test_score": means,
        "std_test_score": scores.std(axis=1),
        "rank_test_score": (order + 1).astype(np.int32),
    }
    for name in _FIGURES:
        figures = np.array([_figure(each, name) for each in records], np.float64)
        if not np.isnan(figures).all():
            results[f"mean_{name}"] = figures
    return results


def _status(records: list[Record]) -> str:
    statuses = {record["status"] for record in records}
    return next(each for each in ("failed", "too large", "fits") if each in statuses)


def _figure(records: list[Record], name: str) -> float:
    """Mean over the splits; NaN where it is not known."""
    figures = [record.get(name) for record in records]
    return float(np.mean([np.nan if figure is None else figure for figure in figures]))


def pareto_frame(results: Mapping[str, Any]) -> Any:
    """Candidates within the budget, the best first.

    Parameters
    ----------
    results : dict
        From `make_results`.

    Returns
    -------
    frame : pandas.DataFrame
        Means over the splits. "pareto" says that no other one scores as much with less flash.

    Raises
    ------
    ImportError
        Without pandas.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError("pareto_ needs pandas: pip install pandas") from error
    columns = {
        "family": results["param_family"],
        "labels": results["param_labels"],
        "score": results["mean_test_score"],
        "bytes": results.get("mean_flash"),
        "instructions": results.get("mean_instructions"),
        "ram": results.get("mean_ram"),
        "accuracy": results.get("mean_accuracy"),
        "log_loss": results.get("mean_log_loss"),
        "r2": results.get("mean_r2"),
        "fidelity": results.get("mean_fidelity"),
        "params": results["params"],
    }
    frame = pd.DataFrame({name: values for name, values in columns.items() if values is not None})
    frame = frame[results["status"] == "fits"]
    frame = frame.sort_values(["score", "bytes"], ascending=[False, True], kind="stable")
    least = frame["bytes"].cummin().shift(fill_value=np.inf)
    frame["pareto"] = frame["bytes"] < least
    return frame.reset_index(drop=True)
