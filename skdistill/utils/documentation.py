"""Where the pages of the documentation are."""

from __future__ import annotations

DOCUMENTATION_URL = "https://skdistill.readthedocs.io/en/stable"


class DocumentationLinkMixin:
    """Links from the HTML representation of an estimator to its page.

    scikit-learn asks an estimator for the pattern of the address and for what fills it in.
    Classes outside this package get no link. Stands left of `BaseEstimator`.
    """

    _doc_link_module = "skdistill"
    _doc_link_template = f"{DOCUMENTATION_URL}/api/{{module}}.{{name}}.html"
    _documented_module = "skdistill"

    def _doc_link_url_param_generator(self) -> dict[str, str]:
        return {"module": self._documented_module, "name": type(self).__name__}
