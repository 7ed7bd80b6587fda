"""How Sphinx builds these pages; it needs no network."""

import re

import skdistill

project = "skdistill"
author = "The skdistill developers"
copyright = f"2026, {author}"
release = version = skdistill.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]

html_theme = "furo"
html_title = f"skdistill {release}"

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

napoleon_google_docstring = False
napoleon_use_rtype = False

autosummary_generate = True
autodoc_typehints = "none"  # types stand in the numpydoc sections
autodoc_member_order = "bysource"
# Members of our own mixins are shown, those of scikit-learn's bases are not.
autodoc_default_options = {
    "members": True,
    "inherited-members": "BaseEstimator, ClassifierMixin, RegressorMixin, MetaEstimatorMixin",
}


def skip_metadata_requests(app, what, name, obj, skip, options):
    """Leave out set_fit_request and its kin: their docstrings link into scikit-learn's own pages."""
    return True if re.fullmatch(r"set_\w+_request", name) else None


def setup(app):
    app.connect("autodoc-skip-member", skip_metadata_requests)
