"""Records that outlive a search."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.naive_bayes import GaussianNB

from skdistill.compact.file_format import to_bytes
from skdistill.model_selection import BudgetSearchCV
from skdistill.model_selection.storage import Storage
from skdistill.students import SoftTreeClassifier
from skdistill.teachers import OnnxTeacher

X, Y = load_iris(return_X_y=True)
CALL = {"budget": "4KB", "data": np.arange(3)}


def test_records_and_arrays_come_back(tmp_path):
    storage = Storage(tmp_path / "search", CALL)
    assert storage.read("a") is None
    assert storage.read_arrays("a") is None
    storage.write("a", {"score": 0.1 + 0.2, "ram": None})
    storage.write_arrays("a", {"P": np.array([[0.1, 0.9]])})
    again = Storage(tmp_path / "search", dict(CALL))
    assert again.read("a") == {"score": 0.1 + 0.2, "ram": None}
    np.testing.assert_array_equal(again.read_arrays("a")["P"], [[0.1, 0.9]])


def test_other_calls_do_not_see_them(tmp_path):
    Storage(tmp_path, CALL).write("a", {"score": 1.0})
    assert Storage(tmp_path, CALL | {"data": np.arange(4)}).read("a") is None


def test_without_a_folder_nothing_is_kept():
    storage = Storage(None, {"cannot be pickled": lambda: None})
    storage.write("a", {})
    storage.write_arrays("a", {})
    assert storage.read("a") is storage.read_arrays("a") is None


def test_a_call_that_has_no_hash(tmp_path):
    with pytest.raises(ValueError, match="storage needs parameters and data"):
        Storage(tmp_path, {"teacher": (each for each in [])})


@pytest.mark.parametrize("as_path", [True, False])
def test_a_model_that_was_replaced_in_its_file_is_another_teacher(tmp_path, as_path):
    pytest.importorskip("onnxruntime")
    X, y = np.arange(40.0).reshape(-1, 1), np.arange(40) // 20
    path, folder = tmp_path / "big.onnx", tmp_path / "search"
    for labels in (y, 1 - y):
        student = SoftTreeClassifier(max_leaf_nodes=2).fit(X, labels)
        path.write_bytes(student.to_onnx().SerializeToString())
        search = BudgetSearchCV(
            str(path) if as_path else OnnxTeacher(path),
            "300B",
            families=["tree"],
            cv=2,
            storage=folder,
            random_state=0,
        )
        search.fit(X, y)
    assert len(list(folder.iterdir())) == 2


def test_a_full_disk(tmp_path):
    """No file may have more than 100 bytes, in place of a disk without room."""
    resource = pytest.importorskip("resource")  # Windows has none
    search = BudgetSearchCV(
        GaussianNB(), "400B", families=["tree"], cv=3, storage=tmp_path, random_state=0
    )
    model = to_bytes(search.fit(X, Y).compact_)
    for path in tmp_path.glob("*/student-*-split2.*"):
        path.unlink()
    before = sorted(tmp_path.rglob("*"))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            search.fit(X, Y)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert sorted(tmp_path.rglob("*")) == before  # no half of a file
    assert to_bytes(search.fit(X, Y).compact_) == model
