"""One comparison that several tests read, and a quick teacher."""

from __future__ import annotations

import pytest
from sklearn.ensemble import RandomForestClassifier, VotingClassifier

from skdistill import SoftTreeClassifier
from skdistill.inspection.compare import compare
from tests.inspection.datasets import wine


@pytest.fixture(scope="module")
def wine_run(tmp_path_factory):
    out = tmp_path_factory.mktemp("wine")
    lines = []
    run = compare(
        "my wine", wine(), SoftTreeClassifier(max_leaf_nodes=8), out, progress=lines.append
    )
    return run, out, lines


@pytest.fixture
def quick(monkeypatch):
    """A small forest instead of the default teacher."""

    def small(*, random_state=0, n_jobs=None):
        return VotingClassifier(
            [("rf", RandomForestClassifier(20, random_state=random_state))], voting="soft"
        )

    monkeypatch.setattr("skdistill.inspection.compare.default_teacher", small)
