"""Attributions of random models add up to their integer scores: 50 models, 10,000 rows each."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from skdistill.inspection import explain

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.strategies import adversarial_rows, tree_model


def report(results: dict[str, Any]) -> str:
    """What was found, in a sentence."""
    models, rows = len(results["models"]), results["rows"]
    return f"{models} models, {rows:,} rows each, two methods: {results['unequal']} rows differ."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--models", type=int, default=50)
    parser.add_argument("--rows", type=int, default=10_000)
    arguments = parser.parse_args()
    rng = np.random.default_rng(19)
    records = []
    while len(records) < arguments.models:
        model = tree_model(rng)
        if model.n_features * model.n_scores > 1000:
            continue  # attributions of 10,000 rows would take more than 40 MB a thousand rows
        X = adversarial_rows(model, len(records), arguments.rows)
        if model.input_dtype == "int32":
            X = np.clip(np.rint(np.nan_to_num(X)), -(2**23), 2**23)
        scores, record = model.scores(X), {"model": repr(model)}
        for method in ("path", "shapley"):
            start = time.perf_counter()
            explanation = explain(model, X, X[:500], method=method, max_background=10)
            unequal = int((explanation.scores != scores).any(axis=1).sum())
            record |= {f"{method}_unequal": unequal}
            record |= {f"{method}_seconds": round(time.perf_counter() - start, 2)}
        records.append(record)
    unequal = sum(each["path_unequal"] + each["shapley_unequal"] for each in records)
    result = {"rows": arguments.rows, "unequal": unequal, "models": records}
    arguments.output.write_text(json.dumps(result, indent=1) + "\n")
    print(report(result))


if __name__ == "__main__":
    main()
