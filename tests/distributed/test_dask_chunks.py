"""Students on collections of Dask: the models of one machine."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator

from skdistill import (
    DistilledClassifier,
    SoftBoostingClassifier,
    SoftBoostingRegressor,
    SoftLinearClassifier,
    SoftTreeClassifier,
    SoftTreeRegressor,
)
from skdistill.chunks import Chunks
from skdistill.compact.file_format import to_bytes

da = pytest.importorskip("dask.array")
distributed = pytest.importorskip("distributed")

from skdistill.distributed import DaskChunks  # noqa: E402

RNG = np.random.default_rng(0)
N = 2000
X = RNG.normal(size=(N, 4)).astype(np.float32)
X[RNG.random(X.shape) < 0.03] = np.nan
Y = (np.nan_to_num(X[:, 0]) > 0).astype(int) + (np.nan_to_num(X[:, 1]) + RNG.normal(0, 0.5, N) > 0)
WEIGHT = RNG.integers(0, 3, N).astype(np.float64)
SIZES = (700, 1, 1299)


@pytest.fixture(scope="module", autouse=True)
def cluster():
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster),
    ):
        yield cluster


def divided(*columns):
    return [da.from_array(c, chunks=(SIZES, *((n,) for n in c.shape[1:]))) for c in columns]


def local(*columns, **options):
    pieces = [tuple(c[:1100] for c in columns), tuple(c[1100:] for c in columns)]
    return Chunks(pieces, max_samples=800, **options)


def content(estimator):
    return to_bytes(estimator.compact_)


@pytest.mark.parametrize(
    "student",
    [
        SoftTreeClassifier(max_leaf_nodes=12),
        SoftTreeClassifier(max_leaf_nodes=12, criterion="entropy", min_samples_leaf=9),
        SoftTreeRegressor(max_leaf_nodes=6),
        SoftBoostingClassifier(3, reuse_penalty=1e-3, random_state=0),
        SoftBoostingRegressor(2, random_state=0),
    ],
)
def test_models_are_those_of_one_machine(student):
    rows, y, weight = divided(X, Y, WEIGHT)
    expected = content(student.fit(local(X, Y)))
    assert content(student.fit(DaskChunks(rows, y, max_samples=800))) == expected
    expected = content(student.fit(local(X, Y, WEIGHT)))
    weighted = DaskChunks(rows, y, sample_weight=weight, max_samples=800)
    assert content(student.fit(weighted)) == expected


@pytest.mark.parametrize("student", [SoftTreeClassifier(max_leaf_nodes=8), SoftLinearClassifier()])
def test_a_table_within_the_sample_and_other_students(student):
    rows, y = divided(np.nan_to_num(X), Y)
    expected = content(student.fit(np.nan_to_num(X), Y))
    assert content(student.fit(DaskChunks(rows, y))) == expected


def test_a_teacher_labels_partitions():
    forest = RandomForestClassifier(5, max_depth=4, random_state=0).fit(X, Y)
    model = DistilledClassifier(
        FrozenEstimator(forest),
        SoftTreeClassifier(max_leaf_nodes=12),
        temperature=2.0,
        transfer_set=None,
        random_state=0,
    )
    for columns in ((X,), (X, Y)):
        expected = content(model.fit(local(*columns)))
        assert content(model.fit(DaskChunks(*divided(*columns), max_samples=800))) == expected


def test_data_frames_with_categories():
    dd = pytest.importorskip("dask.dataframe")
    frame = pd.DataFrame(X, columns=list("abcd")).assign(
        kind=pd.Categorical(np.array(["u", "v", "w"])[(Y + (X[:, 2] > 0)) % 3]),
        label=np.array(["low", "middle", "high"])[Y],
        w=WEIGHT,
    )
    student = SoftTreeClassifier(max_leaf_nodes=12)
    options = {"target": "label", "sample_weight": "w", "max_samples": 800}
    expected = content(student.fit(Chunks(frame, chunk_size=300, **options)))
    divided = dd.from_pandas(frame, npartitions=3)
    assert content(student.fit(DaskChunks(divided, **options))) == expected
    empty = divided[divided.a > 1e9]  # partitions without rows
    with pytest.raises(ValueError, match="the chunks hold no rows"):
        student.fit(DaskChunks(empty, **options))


def test_what_a_lost_worker_held_is_computed_again(cluster):
    student = SoftTreeClassifier(max_leaf_nodes=12)
    expected = content(student.fit(local(X, Y)))

    class Lost(DaskChunks):
        """Loses a worker when all partitions are coded."""

        def load(self, encode, n_samples):
            rows = super().load(encode, n_samples)
            distributed.wait(rows._shards)
            worker = next(iter(cluster.workers.values()))
            assert worker.data
            self._client.sync(worker.close)
            return rows

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # distributed's own, of a worker that goes
        assert content(student.fit(Lost(*divided(X, Y), max_samples=800))) == expected


def test_errors():
    rows, y = divided(X, Y)
    with pytest.raises(TypeError, match="X must be a data frame or array of Dask, got ndarray"):
        DaskChunks(X, Y)
    with pytest.raises(ValueError, match="y has 1 partitions, X has 3"):
        DaskChunks(rows, y.rechunk(-1))
    with pytest.raises(ValueError, match="X has 2 blocks of columns"):
        DaskChunks(rows.rechunk({1: 2}), y)
    with pytest.raises(ValueError, match="sample_weight beside X needs y"):
        DaskChunks(rows, sample_weight=y)
    with pytest.raises(ValueError, match="max_samples=0 must be"):
        DaskChunks(rows, y, max_samples=0)


def test_no_client(monkeypatch):
    def none():
        raise ValueError("No clients found")

    monkeypatch.setattr("distributed.default_client", none)
    with pytest.raises(ValueError, match=r"client=None and there is no client of Dask: make one"):
        DaskChunks(*divided(X, Y))
