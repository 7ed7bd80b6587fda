"""How Sphinx builds these pages; it needs no network."""

import re
import sys
from pathlib import Path

from numpydoc.xref import DEFAULT_LINKS

import skdistill

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

project = "skdistill"
author = "The skdistill developers"
copyright = f"2026, {author}"
release = version = skdistill.__version__

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_design",
    "gallery",  # of _extensions, as the next one
    "mathml",
]
exclude_patterns = ["_build", "_extensions", "gallery/*.txt"]
templates_path = ["_templates"]

html_theme = "pydata_sphinx_theme"
html_context = {"default_mode": "auto"}  # light or dark, as the system is
html_title = f"skdistill {release}"
html_favicon = "_static/favicon.svg"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["summaries.js"]
html_show_sourcelink = False
html_copy_source = False
html_math_renderer = "mathml"
html_theme_options = {
    "logo": {"text": "skdistill"},
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "show_toc_level": 2,
    "collapse_navigation": True,
    "secondary_sidebar_items": {"**": ["page-toc"], "index": []},
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
html_sidebars = {name: [] for name in ("index", "installation", "quickstart", "gallery", "theory")}

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # `make notebooks` executes them
nb_output_stderr = "remove"
copybutton_selector = "div:not(.highlight-output) > div.highlight > pre"

numpydoc_show_class_members = False  # autodoc lists them below
numpydoc_xref_param_type = True
numpydoc_xref_ignore = "all"
DEFAULT_LINKS.clear()  # to pages of Python and NumPy: they take inventories from the network
numpydoc_xref_aliases = {name: f"skdistill.{name}" for name in skdistill.__all__}

toc_object_entries_show_parents = "hide"
default_role = "literal"  # single backquotes are code
autosummary_generate = True
autodoc_typehints = "none"  # types stand in the numpydoc sections
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "inherited-members": True}


def skip_scikit_learn(app, what, name, obj, skip, options):
    """Leave out what scikit-learn's bases bring along: it is documented there, and links there."""
    return True if str(getattr(obj, "__module__", "")).startswith("sklearn.") else None


def escape_names_in_shapes(app, what, name, obj, options, lines):
    """In `array of shape (n_features_in_,)` the underscore is a part of the name, no link."""
    for i, line in enumerate(lines):
        if " : " in line:
            lines[i] = re.sub(r"(?<=[(, ])(\w+)_(?=[,)])", r"\1\\_", line)


def setup(app):
    app.connect(
        "autodoc-process-docstring", escape_names_in_shapes, priority=400
    )  # before numpydoc
    app.connect("autodoc-skip-member", skip_scikit_learn)
