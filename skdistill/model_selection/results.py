"""Results of a search, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from skdistill.model_selection.racing import Entry, Record, rank

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


def make_results(entries: list[Entry], n_splits: int) -> dict[str, Any]:
    """``cv_results_`` of a search.

    Parameters
    ----------
    entries : list of Entry
        What was tried.
    n_splits : int
        Splits of the search.

    Returns
    -------
    results : dict of str to array or list
        With the names of scikit-learn's searches where they mean the same. Means are over the
        splits that a candidate was scored on.
    """
    scores = np.full((len(entries), n_splits), np.nan)
    for row, entry in zip(scores, entries, strict=True):
        row[: len(entry.records)] = entry.scores
    order = {id(entry): i for i, entry in enumerate(rank(entries))}
    results: dict[str, Any] = {
        "params": [each.candidate.params for each in entries],
        "param_family": np.array([each.candidate.family for each in entries], object),
        "param_labels": np.array([each.candidate.labels for each in entries], object),
        "status": np.array([_status(each, n_splits) for each in entries], object),
        "n_splits": np.array([len(each.records) for each in entries]),
    }
    results |= {f"split{k}_test_score": scores[:, k] for k in range(n_splits)}
    results |= {
        "mean_test_score": np.array([each.mean_score for each in entries]),
        "std_test_score": np.array([each.scores.std() for each in entries]),
        "rank_test_score": np.array(
            [order.get(id(each), len(order)) + 1 for each in entries], np.int32
        ),
    }
    for name in _FIGURES:
        figures = np.array([_figure(each.records, name) for each in entries], np.float64)
        if not np.isnan(figures).all():
            results[f"mean_{name}"] = figures
    return results


def _status(entry: Entry, n_splits: int) -> str:
    if entry.fits:
        return "fits" if len(entry.records) == n_splits else "dropped"
    statuses = {record["status"] for record in entry.records}
    return "failed" if "failed" in statuses else "too large"


def _figure(records: list[Record], name: str) -> float:
    """Mean over the splits; NaN where it is not known."""
    figures = [record.get(name) for record in records]
    return float(np.mean([np.nan if figure is None else figure for figure in figures]))


def pareto_frame(results: Mapping[str, Any]) -> Any:
    """Candidates that were within the budget on all splits, the best first.

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
