"""Sparse rows: linear students read them as they read dense ones, everything else refuses them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.sparse import csc_array, csr_array, csr_matrix
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from skdistill import (
    PrunedEnsembleClassifier,
    SoftBoostingClassifier,
    SoftBoostingRegressor,
    SoftLinearClassifier,
    SoftLinearRegressor,
    SoftTreeClassifier,
    SoftTreeRegressor,
    StudentAdapter,
)
from skdistill.compact import LinearTable, evaluate
from skdistill.students.linear import design
from tests.distillers import tree_classifier, tree_regressor

RNG = np.random.default_rng(0)
DENSE = np.where(RNG.random((300, 40)) < 0.12, RNG.normal(size=(300, 40)), 0).astype(np.float32)
DENSE[:, 5] = RNG.normal(size=300) + 9  # no zero at all, far from it
DENSE[:, 7] = 0
DENSE[:, 8] = RNG.integers(0, 3, 300)
SPARSE = csr_array(DENSE)
LOGIT = DENSE @ RNG.normal(size=40) - 5
Y = (np.median(LOGIT) < LOGIT).astype(int)
THREE = np.digitize(LOGIT, np.quantile(LOGIT, [0.3, 0.7]))
WEIGHT = RNG.uniform(0.0, 2, 300) * (RNG.random(300) < 0.9)


def same_reading(one, other):
    for name in ("features", "offset", "inv_step"):
        assert np.array_equal(
            getattr(one.table(LinearTable), name), getattr(other.table(LinearTable), name)
        )


@pytest.mark.parametrize("block", [1 << 22, 300 * 7])
@pytest.mark.parametrize("y", [Y, THREE], ids=["two", "three"])
@pytest.mark.parametrize("bits", [16, 3])
def test_the_model_of_dense_rows(block, y, bits, monkeypatch):
    monkeypatch.setattr(design, "_DENSE_ENTRIES", block)
    dense = SoftLinearClassifier(1e-2, weight_bits=bits).fit(DENSE, y, WEIGHT)
    sparse = SoftLinearClassifier(1e-2, weight_bits=bits).fit(SPARSE, y, WEIGHT)
    same_reading(sparse.compact_, dense.compact_)
    assert 7 not in sparse.compact_.table(LinearTable).features
    close = {16: 1e-3, 3: 0.15}[bits]
    assert_allclose(sparse.predict_proba(DENSE), dense.predict_proba(DENSE), rtol=0, atol=close)


def test_the_regression_of_dense_rows():
    dense = SoftLinearRegressor(1e-2, weight_bits=16).fit(DENSE, LOGIT, WEIGHT)
    sparse = SoftLinearRegressor(1e-2, weight_bits=16).fit(SPARSE, LOGIT, WEIGHT)
    same_reading(sparse.compact_, dense.compact_)
    assert_allclose(sparse.predict(SPARSE), dense.predict(DENSE), rtol=0, atol=2e-3)


@pytest.mark.parametrize("kind", [csr_array, csr_matrix, csc_array])
def test_predictions_are_those_of_dense_rows(kind, monkeypatch):
    student = SoftLinearClassifier().fit(kind(DENSE), Y)
    monkeypatch.setattr(evaluate, "DENSE", 1000)  # 25 rows at a time
    rows = kind(DENSE)
    assert np.array_equal(student.compact_.scores(rows), student.compact_.scores(DENSE))
    assert student.predict(rows).tolist() == student.predict(DENSE).tolist()
    assert np.array_equal(student.predict_proba(rows), student.predict_proba(DENSE))
    assert student.compact_.predict(rows).tolist() == student.predict(DENSE).tolist()
    assert student.compact_.scores(csr_array((0, 40))).shape == (0, 1)


def test_holes_and_soft_labels():
    holes = SPARSE.copy()
    holes.data[::9] = np.nan
    P = np.column_stack([1 - Y * 0.8, Y * 0.8])
    sparse = SoftLinearClassifier(1e-2, weight_bits=16).fit(holes, P)
    dense = SoftLinearClassifier(1e-2, weight_bits=16).fit(holes.toarray(), P)
    same_reading(sparse.compact_, dense.compact_)
    assert_allclose(sparse.predict_proba(holes), dense.predict_proba(holes.toarray()), atol=1e-3)


def test_text_in_a_pipeline():
    words = ["red", "green", "blue", "sweet", "sour", "round", "long", "soft"]
    texts = [" ".join(RNG.choice(words, 5)) for _ in range(200)]
    y = ["sweet" in text for text in texts]
    pipeline = make_pipeline(TfidfVectorizer(), SoftLinearClassifier()).fit(texts, y)
    assert pipeline.score(texts, y) > 0.97


@pytest.mark.parametrize("value", [np.inf, 1e39])
def test_what_is_too_large_is_refused(value):
    rows = SPARSE.astype(np.float64)
    rows.data[3] = value
    with pytest.raises(ValueError, match="infinity"):
        SoftLinearClassifier().fit(rows, Y)
    with pytest.raises(ValueError, match="integers beyond"):
        SoftLinearClassifier().fit(csr_array(DENSE.astype(np.int64) + 2**24), Y)


FOREST = RandomForestClassifier(3, random_state=0)
REFUSE = [
    SoftTreeClassifier(),
    SoftTreeRegressor(),
    SoftBoostingClassifier(2),
    SoftBoostingClassifier(2, init="linear"),
    SoftBoostingRegressor(2),
    StudentAdapter(DecisionTreeClassifier()),
    PrunedEnsembleClassifier(FOREST, 200),
    tree_classifier(FOREST, transfer_set=None),
    tree_regressor(RandomForestRegressor(3), transfer_set=None),
]


@pytest.mark.parametrize("estimator", REFUSE, ids=lambda e: repr(e)[:60])
def test_everything_else_refuses_sparse_rows_in_scikit_learns_words(estimator):
    with pytest.raises(TypeError, match="Sparse data was passed for X, but dense data is required"):
        estimator.fit(SPARSE, Y)
    estimator.fit(DENSE, Y)
    with pytest.raises(TypeError, match="Sparse data was passed for X, but dense data is required"):
        estimator.predict(SPARSE)


def test_models_of_trees_refuse_them_too():
    model = SoftTreeClassifier(max_leaf_nodes=4).fit(DENSE, Y).compact_
    with pytest.raises(ValueError, match="X is sparse, which linear models alone read"):
        model.scores(SPARSE)
