"""How Sphinx builds these pages; it needs no network."""

from sphinx.addnodes import pending_xref

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
html_static_path = ["_static"]
html_css_files = ["tables.css"]

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_custom_sections = [("Attributes", "params_style")]  # as a list, like parameters

autosummary_generate = True
autodoc_typehints = "none"  # types stand in the numpydoc sections
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "inherited-members": True}


def skip_scikit_learn(app, what, name, obj, skip, options):
    """Leave out what scikit-learn's bases bring along: it is documented there, and links there."""
    return True if str(getattr(obj, "__module__", "")).startswith("sklearn.") else None


def link_classes_only(app, doctree):
    """Types such as `array of shape (n_samples, n_classes)` are words, no names of attributes."""
    for node in list(doctree.findall(pending_xref)):
        name = node.get("reftarget", "").rpartition(".")[2]
        if (
            node.get("refdomain") == "py"
            and node.get("reftype") == "class"
            and not name[:1].isupper()
        ):
            node.replace_self(node.children)


def setup(app):
    app.connect("autodoc-skip-member", skip_scikit_learn)
    app.connect("doctree-read", link_classes_only)
