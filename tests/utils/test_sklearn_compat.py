"""Private names of scikit-learn are imported in one file."""

import ast
from pathlib import Path

import skdistill

ROOT = Path(skdistill.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))


def private_imports(source):
    """Modules and names of scikit-learn in `source` that begin with an underscore."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            package, *parts = name.split(".")
            if package == "sklearn" and any(part.startswith("_") for part in parts):
                found.append(name)
    return found


def test_private_imports_are_found():
    source = "import sklearn.utils._tags\nfrom sklearn.base import _fit_context, clone\n"
    assert private_imports(source) == ["sklearn.utils._tags", "sklearn.base._fit_context"]


def test_one_file_imports_private_names():
    users = [
        path.relative_to(ROOT).as_posix() for path in FILES if private_imports(path.read_text())
    ]
    assert users == ["utils/_sklearn_compat.py"]
