"""Where the pages of the documentation are."""

from __future__ import annotations

DOCUMENTATION_URL = "https://skdistill.readthedocs.io/en/stable"


class DocumentationLinkMixin:
    """Links from the HTML representation of estimators to their pages.

    scikit-learn asks an estimator for the pattern of its address and for what fills it in; those
    of classes outside this package have no link. It has to stand left of `BaseEstimator`.
    """

    _doc_link_module = "skdistill"
    _doc_link_template = f"{DOCUMENTATION_URL}/api/skdistill.{{estimator_name}}.html"

    def _doc_link_url_param_generator(self) -> dict[str, str]:
        return {"estimator_name": type(self).__name__}
