"""Regressions of positive values, whose scores are logarithms: link "exp"."""

from __future__ import annotations

import lightgbm
import numpy as np
import onnxruntime
import pytest
import xgboost
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import GammaRegressor, PoissonRegressor, TweedieRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill import PrunedEnsembleClassifier, adapt, convert, load
from tests.converters.harness import HGB, LGB, XGB

rng = np.random.default_rng(0)
X = rng.normal(size=(400, 4)).astype(np.float32)
VALUES = np.exp(X[:, 0] - np.abs(X[:, 1])) * rng.gamma(20, size=400)  # above 0
COUNTS = rng.poisson(VALUES)

TREES = {
    "xgboost poisson": xgboost.XGBRegressor(**XGB, objective="count:poisson"),
    "xgboost gamma": xgboost.XGBRegressor(**XGB, objective="reg:gamma"),
    "xgboost tweedie": xgboost.XGBRegressor(**XGB, objective="reg:tweedie", base_score=3.5),
    "lightgbm poisson": lightgbm.LGBMRegressor(**LGB, objective="poisson"),
    "lightgbm gamma": lightgbm.LGBMRegressor(**LGB, objective="gamma"),
    "lightgbm tweedie": lightgbm.LGBMRegressor(**LGB, objective="tweedie"),
    "hist poisson": HistGradientBoostingRegressor(**HGB, loss="poisson"),
    "hist gamma": HistGradientBoostingRegressor(**HGB, loss="gamma"),
}
LINEAR = {
    "poisson": PoissonRegressor(),
    "gamma": GammaRegressor(),
    "tweedie log": TweedieRegressor(power=1.5),
    "tweedie named": TweedieRegressor(power=0, link="log"),
}


def fit(model, name):
    return model.fit(X, COUNTS if "poisson" in name else VALUES)


@pytest.mark.parametrize("name", TREES)
def test_trees_predict_the_values(name):
    model = fit(TREES[name], name)
    compact = convert(model, X, dtype="float32", value_bits=16)
    assert compact.link == "exp" and compact.classes is None
    # Half a step of 2^-16 of the widest tree, for each of eight trees.
    np.testing.assert_allclose(compact.predict(X), model.predict(X), rtol=1e-3)
    if hasattr(model, "get_booster"):
        assert (convert(model.get_booster()).scores(X) == convert(model).scores(X)).all()


@pytest.mark.parametrize("name", LINEAR)
def test_linear_models_predict_the_values(name):
    model = fit(LINEAR[name], name)
    compact = convert(model, X, value_bits=16, threshold_bits=16)
    assert compact.link == "exp"
    np.testing.assert_allclose(compact.predict(X), model.predict(X), rtol=2e-3)


def test_other_links_of_tweedie():
    model = TweedieRegressor(power=0).fit(X, VALUES)
    assert convert(model, X).link == "identity"


def test_pipelines_and_columns_of_small_units():
    small = X * 1e-6  # the check's own rows have values beyond float32 then
    for steps in ([], [StandardScaler()]):
        model = make_pipeline(*steps, PoissonRegressor(alpha=0)).fit(small, COUNTS)
        compact = convert(model, small, value_bits=16, threshold_bits=16)
        np.testing.assert_allclose(compact.predict(small), model.predict(small), rtol=2e-3)


def test_onnx_c_and_files(tmp_path):
    compact = convert(fit(TREES["xgboost gamma"], "gamma"))
    session = onnxruntime.InferenceSession(compact.to_onnx().SerializeToString())
    values, scores = session.run(None, {session.get_inputs()[0].name: X})
    assert (scores == compact.scores(X)).all()
    np.testing.assert_allclose(values.ravel(), compact.predict(X), rtol=1e-6)
    assert f"Values    exp of a score times {compact.scale:.9g}" in compact.to_c()
    with pytest.raises(ValueError, match="whose values are exp of scores times their scale"):
        compact.to_c(output="proba_float")
    compact.save(tmp_path / "m.skd")
    loaded = load(tmp_path / "m.skd")
    assert loaded.link == "exp" and (loaded.predict(X) == compact.predict(X)).all()
    assert compact.score(X, VALUES) > 0.5


def test_what_needs_another_link_says_so():
    compact = convert(fit(TREES["lightgbm gamma"], "gamma"))
    with pytest.raises(ValueError, match="link 'exp' cannot be adapted"):
        adapt(compact, X, VALUES)
    classifier = xgboost.XGBClassifier(**XGB, objective="count:poisson").fit(X, VALUES > 10)
    with pytest.raises(ValueError, match="neither logits nor probabilities"):
        convert(classifier)
    with pytest.raises(ValueError, match="not that of a classifier"):
        PrunedEnsembleClassifier(classifier).fit(X, VALUES > 10)
