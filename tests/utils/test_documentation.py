"""Estimators link to pages that the reference lists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sklearn.base import BaseEstimator
from sklearn.tree import DecisionTreeClassifier

import skdistill
from skdistill import DistilledClassifier, SoftTreeClassifier
from skdistill.teachers import hints
from skdistill.utils.documentation import DOCUMENTATION_URL

PUBLIC = [
    each
    for module in (skdistill, hints)
    for each in vars(module).values()
    if isinstance(each, type)
    and issubclass(each, BaseEstimator)
    and each.__module__.startswith("skdistill")
    and not each.__name__.startswith("_")
    and (module is skdistill or each.__name__.endswith("Hints"))
]


def listed_pages():
    """Names of the pages that autosummary makes for the reference."""
    module, pages = "", set()
    reference = sorted((Path(__file__).parents[2] / "docs" / "reference").glob("*.md"))
    for line in "\n".join(page.read_text(encoding="utf-8") for page in reference).splitlines():
        if line.startswith(".. currentmodule::"):
            module = line.split()[-1]
        elif re.fullmatch(r"   \w+", line):
            pages.add(f"{module}.{line.strip()}")
    return pages


@pytest.mark.parametrize("kind", PUBLIC, ids=lambda kind: kind.__name__)
def test_every_public_estimator_links_to_its_page(kind):
    link = kind.__new__(kind)._get_doc_link()
    assert link.startswith(f"{DOCUMENTATION_URL}/api/") and link.endswith(".html")
    assert link.removeprefix(f"{DOCUMENTATION_URL}/api/").removesuffix(".html") in listed_pages()


def test_public_estimators_are_found():
    assert {DistilledClassifier, SoftTreeClassifier, hints.FeatureHints} <= set(PUBLIC)
    assert len(PUBLIC) >= 15


def test_links_stand_in_the_representation_and_others_keep_theirs():
    shown = DistilledClassifier(DecisionTreeClassifier(), SoftTreeClassifier())._repr_html_()
    assert f"{DOCUMENTATION_URL}/api/skdistill.DistilledClassifier.html" in shown
    assert f"{DOCUMENTATION_URL}/api/skdistill.SoftTreeClassifier.html" in shown
    assert "sklearn.tree.DecisionTreeClassifier.html" in shown

    class Own(SoftTreeClassifier):
        pass

    assert Own()._get_doc_link() == ""
