"""The other libraries of `speed.py`, as functions without arguments. Absent ones are left out."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.tree import DecisionTreeRegressor

ROUNDS, LEAVES, BIG = 16, 8, 128

Run = Callable[[], Any]


def cart(X: np.ndarray, P: np.ndarray) -> Run:
    """scikit-learn's multi-output tree."""
    return lambda: DecisionTreeRegressor(max_leaf_nodes=BIG).fit(X, P)


def boosters(X: np.ndarray, y: np.ndarray, n_threads: int) -> dict[str, Run]:
    """Boosters with as many rounds, each of a tree of as many leaves for every class."""
    runs: dict[str, Run] = {}
    if find_spec("lightgbm"):
        runs["LightGBM"] = lambda: lightgbm_model(X, y, ROUNDS, n_threads)
    if find_spec("xgboost"):
        runs["XGBoost"] = lambda: _xgboost_model(X, y, n_threads)
    return runs


def lightgbm_model(X: np.ndarray, y: np.ndarray, n_rounds: int, n_threads: int) -> Any:
    from lightgbm import LGBMClassifier

    model = LGBMClassifier(n_estimators=n_rounds, num_leaves=LEAVES, n_jobs=n_threads, verbose=-1)
    return model.fit(X, y)


def _xgboost_model(X: np.ndarray, y: np.ndarray, n_threads: int) -> Any:
    from xgboost import XGBClassifier

    return XGBClassifier(
        n_estimators=ROUNDS,
        max_leaves=LEAVES,
        grow_policy="lossguide",
        max_depth=0,
        tree_method="hist",
        n_jobs=n_threads,
    ).fit(X, y)


def predictors(
    X: np.ndarray, y: np.ndarray, n_trees: int, n_threads: int, failed: dict[str, str]
) -> dict[str, Run]:
    """Probabilities of a LightGBM of as many trees and leaves, by LightGBM and by compilers of it.

    What is installed but does not run here goes into `failed`, with its error.
    """
    if not find_spec("lightgbm"):
        return {}
    model = lightgbm_model(X[:20_000], y[:20_000], max(1, n_trees // len(np.unique(y))), n_threads)
    booster = model.booster_
    runs: dict[str, Run] = {
        "LightGBM": lambda: booster.predict(X, num_threads=n_threads),
    }
    folder = Path(tempfile.mkdtemp())
    booster.save_model(folder / "model.txt")
    makers = {"lleaves": _lleaves, "treelite": _treelite, "tl2cgen": _tl2cgen}
    for name, make in makers.items():
        if not find_spec(name):
            continue
        try:
            run = make(folder, X, n_threads)
            run()
        except (AttributeError, ImportError, OSError, RuntimeError) as error:
            failed[name] = f"{type(error).__name__}: {error}"
        else:
            runs[name] = run
    return runs


def _lleaves(folder: Path, X: np.ndarray, n_threads: int) -> Run:
    import lleaves

    model = lleaves.Model(model_file=str(folder / "model.txt"))
    model.compile()
    return lambda: model.predict(X, n_jobs=n_threads)


def _treelite(folder: Path, X: np.ndarray, n_threads: int) -> Run:
    import treelite

    model = treelite.frontend.load_lightgbm_model(folder / "model.txt")
    return lambda: treelite.gtil.predict(model, X, nthread=n_threads)


def _tl2cgen(folder: Path, X: np.ndarray, n_threads: int) -> Run:
    import tl2cgen
    import treelite

    model = treelite.frontend.load_lightgbm_model(folder / "model.txt")
    library = folder / "model.so"
    tl2cgen.export_lib(model, toolchain="gcc", libpath=library, params={"parallel_comp": 4})
    predictor, rows = tl2cgen.Predictor(library, nthread=n_threads), tl2cgen.DMatrix(X)
    return lambda: predictor.predict(rows)


def onnx_runtime(graph: Any, X: np.ndarray, n_threads: int) -> Run:
    """Our own graph."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = n_threads
    session = onnxruntime.InferenceSession(graph.SerializeToString(), options)
    name = session.get_inputs()[0].name
    return lambda: session.run(None, {name: X})
