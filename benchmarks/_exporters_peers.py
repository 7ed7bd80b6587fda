"""For exporters.py: an environment of their own for the peers, and their C from it.

The environment has the scikit-learn, XGBoost and LightGBM that run here, so that the peers read the
very models that were fitted here. TinyMind, a package of C++, is in no registry for Python, Debian
or npm (the `tinymind` of PyPI is something else), so it is not among them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import joblib
from _exporters_cases import INPUTS, Case

PEERS = ("emlearn>=0.23", "m2cgen>=0.10", "micromlgen>=1.1.28", "tl2cgen>=1.0", "treelite>=4.4")
SHARED = ("scikit-learn", "numpy", "joblib", "xgboost", "xgboost-cpu", "lightgbm")
WORKER = Path(__file__).with_name("_exporters_write.py")


def environment(folder: Path) -> Path:
    """The interpreter of the peers' environment, which is made or brought up to date if need be."""
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    shared = [found for name in SHARED for found in metadata.distributions(name=name)]
    packages = [*PEERS, *(f"{each.name}=={each.version}" for each in shared)]
    stamp = folder / "skdistill-peers.json"
    if stamp.exists() and json.loads(stamp.read_text()) == packages:
        return python
    subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
    stamp.write_text(json.dumps(packages))
    return python


def outputs(model: Any) -> int:
    """Scores of a model: one of a booster that decides between two classes."""
    classes = len(model.classes_)
    return 1 if classes == 2 and not hasattr(model, "estimators_") else classes


def write(cases: Sequence[Case], environment_folder: Path, folder: Path) -> dict[str, Any]:
    """What each peer makes of each case: `versions`, and a source file or a refusal in `cases`."""
    python = environment(environment_folder)
    folder.mkdir(parents=True, exist_ok=True)
    models = folder / "models.joblib"
    exported = [
        {
            "name": case.name,
            "model": case.model,
            "type": INPUTS[case.input][0],
            "features": case.X.shape[1],
            "classes": len(case.model.classes_),
            "outputs": outputs(case.model),
        }
        for case in cases
        if not case.ours_alone
    ]
    joblib.dump(exported, models)
    done = subprocess.run(
        [python, WORKER, models, folder / "peers"], capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"the peers' script failed:\n{done.stderr}")
    return json.loads((folder / "peers" / "written.json").read_text())
