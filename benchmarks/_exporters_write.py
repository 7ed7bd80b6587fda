"""For exporters.py, inside the peers' own environment: fitted models to C or C++.

    python _exporters_write.py MODELS.joblib FOLDER

MODELS holds dicts of `name`, `model`, `type` (the C type of an input row), `features`, `classes`
and `outputs` (1 where one score decides between two classes). Each gets FOLDER/<number>/<peer>.c or
.cpp with `int run(const type *x)`, which turns the row into what the peer's own function reads and
its answer into a class number. What a peer refuses is in FOLDER/written.json, with the versions of
all. This file imports none of ours: emlearn sets numpy's error state on import, and treelite and
the others bring their own needs.

Each peer gets the settings that its users would choose for a small device, and none of them pays
for what a label does not need: softmax and sigmoid of boosters are left out.
"""

from __future__ import annotations

import copy
import json
import shutil
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import emlearn
import joblib
import m2cgen
import micromlgen
import numpy as np
import tl2cgen
import treelite
from sklearn.ensemble import RandomForestClassifier

# Peers include these, and need next to nothing of them on a bare core.
HEADERS = {
    "stdio.h": "",
    "stdlib.h": "#include <stddef.h>\n",
    "math.h": '#define NAN (__builtin_nanf(""))\n',
    "string.h": '#include <stddef.h>\n#ifdef __cplusplus\nextern "C" {\n#endif\n'
    "void *memcpy(void *, const void *, size_t);\nvoid *memset(void *, int, size_t);\n"
    "#ifdef __cplusplus\n}\n#endif\n",
    "cstdarg": "#include <stdarg.h>\n",
}
LABEL = """  int best = 0;
  for (int i = 1; i < OUTPUTS; i++) if (p[i] > p[best]) best = i;
  return OUTPUTS == 1 ? p[0] > 0 : best;
"""
Case = dict[str, Any]
Writer = Callable[[Case, Path], tuple[str, str]]  # -> suffix of the file, its text


def emlearn_writer(method: str, dtype: str, leaf_bits: int = 0, factor: int = 1) -> Writer:
    """A `factor` of 2 makes whole thresholds of halves, and even numbers of the inputs."""

    def write(case: Case, folder: Path) -> tuple[str, str]:
        model = case["model"]
        if factor > 1 and case["type"] == "float":
            raise ValueError("floats are no whole numbers")
        if factor > 1:
            model = multiplied(model, factor)
        converted = emlearn.convert(model, method=method, dtype=dtype, leaf_bits=leaf_bits)
        code = converted.save(name="peer", format="c")
        return ".c", code + harness(case, dtype, "return peer_predict({x}, FEATURES);", factor)

    return write


def multiplied(model: Any, factor: int) -> Any:
    """The trees that scikit-learn would have fitted to multiples of the inputs."""
    changed = copy.deepcopy(model)
    for tree in getattr(changed, "estimators_", [changed]):
        state = tree.tree_.__getstate__()
        inner = state["nodes"]["feature"] >= 0
        state["nodes"]["threshold"][inner] *= factor
        if np.abs(state["nodes"]["threshold"]).max() > 32767:
            raise ValueError(f"{factor} times a threshold is no int16")
        tree.tree_.__setstate__(state)
    return changed


def write_m2cgen(case: Case, folder: Path) -> tuple[str, str]:
    code = m2cgen.export_to_c(with_parameters(case["model"]))
    # Labels need neither function; half of the sigmoid's range is the threshold of the label.
    code = without(code, "void softmax(double *x, int size, double *result)",
                   "for (int i = 0; i < size; i++) result[i] = x[i];")  # fmt: skip
    code = without(code, "double sigmoid(double x)", "return x + 0.5;")
    body = "double p[CLASSES];\n  score({x}, p);\n" + LABEL.replace("OUTPUTS", "CLASSES")
    return ".c", code + harness(case, "double", body)


def without(code: str, head: str, body: str) -> str:
    """Code in which the function of a head has another body."""
    if head not in code:
        return code
    before, behind = code.split(head)
    return f"{before}{head} {{ {body} }}\n{behind[behind.index(chr(10) + '}') + 2 :]}"


def with_parameters(model: Any) -> Any:
    """XGBoost's own values of parameters, where m2cgen looks for them."""
    if type(model).__name__ != "XGBClassifier":
        return model
    changed = copy.copy(model)
    config = json.loads(model.get_booster().save_config())
    text = config["learner"]["learner_model_param"]["base_score"]
    changed.base_score = float(json.loads(text)[0] if text.startswith("[") else text)
    changed.num_parallel_tree = 1
    return changed


def write_micromlgen(case: Case, folder: Path) -> tuple[str, str]:
    code = micromlgen.port(case["model"], classname="Peer")
    if "class Peer" not in code:
        raise ValueError(f"no code for {type(case['model']).__name__}")
    body = "Eloquent::ML::Port::Peer peer;\n  return peer.predict((float *){x});"
    return ".cpp", code + harness(case, "float", body)


def tl2cgen_writer(quantize: int) -> Writer:
    def write(case: Case, folder: Path) -> tuple[str, str]:
        model = treelite_model(case["model"])
        target = folder / f"tl2cgen{quantize}"
        tl2cgen.generate_c_code(model, dirpath=target, params={"quantize": quantize})
        header = target / "header.h"  # which several files include, and nothing guards
        header.write_text("#pragma once\n" + header.read_text())
        parts = [path.name for path in sorted(target.glob("*.c"))]
        code = "".join(f'#include "{target.name}/{part}"\n' for part in parts)
        number = "float" if "float* result" in header.read_text() else "double"
        body = f"""union Entry row[FEATURES];
  {number} p[OUTPUTS] = {{0}};
  for (int i = 0; i < FEATURES; i++) row[i].fvalue = x[i];
  predict(row, 1, p);
{LABEL}"""
        return ".c", code + harness(case, case["type"], body)

    return write


def treelite_model(model: Any) -> Any:
    """The model in treelite, without what turns scores into probabilities."""
    kind = type(model).__name__
    if kind == "XGBClassifier":
        read = treelite.frontend.from_xgboost(model.get_booster())
    elif kind == "LGBMClassifier":
        read = treelite.frontend.from_lightgbm(model.booster_)
    else:
        read = treelite.sklearn.import_model(as_forest(model))
        if kind != "GradientBoostingClassifier":
            return read
    several = len(model.classes_) > 2
    name = "identity_multiclass" if several else "identity"
    read.get_header_accessor().set_field("postprocessor", name)
    return read


def as_forest(model: Any) -> Any:
    """treelite reads forests only: a single tree becomes a forest of one."""
    if not hasattr(model, "tree_"):
        return model
    forest = RandomForestClassifier(n_estimators=1)
    forest.estimators_ = [copy.deepcopy(model)]
    for name in ("classes_", "n_classes_", "n_features_in_", "n_outputs_"):
        setattr(forest, name, getattr(model, name))
    return forest


def harness(case: Case, read: str, body: str, factor: int = 1) -> str:
    """The function that is measured; `{x}` in its body is the row in the type `read`."""
    row, convert, name = case["type"], "", "x"
    if read != row or factor > 1:
        times = f"{factor} * " if factor > 1 else ""
        convert = f"""  {read} row[FEATURES];
  for (int i = 0; i < FEATURES; i++) row[i] = ({read})({times}x[i]);
"""
        name = "row"
    elif read == "float":
        name = "(float *)x"  # some peers forget the const
    return f"""
enum {{ FEATURES = {case["features"]}, CLASSES = {case["classes"]}, OUTPUTS = {case["outputs"]} }};
#ifdef __cplusplus
extern "C"
#endif
int run(const {row} *x) {{
{convert}  {body.replace("{x}", name)}
}}
"""


def emlearn_settings(leaf_bits: int) -> dict[str, Writer]:
    vote = ", soft vote" if leaf_bits else ""
    return {
        f"emlearn inline float{vote}": emlearn_writer("inline", "float", leaf_bits),
        f"emlearn inline int16{vote}": emlearn_writer("inline", "int16_t", leaf_bits),
        f"emlearn inline int16 doubled{vote}": emlearn_writer("inline", "int16_t", leaf_bits, 2),
        f"emlearn loadable{vote}": emlearn_writer("loadable", "int16_t", leaf_bits),
        f"emlearn loadable doubled{vote}": emlearn_writer("loadable", "int16_t", leaf_bits, 2),
    }


REST: dict[str, Writer] = {
    "m2cgen": write_m2cgen,
    "micromlgen": write_micromlgen,
    "tl2cgen": tl2cgen_writer(0),
    "tl2cgen quantize": tl2cgen_writer(1),
}


def writers(model: Any) -> dict[str, Writer]:
    """Soft votes of emlearn where there is a vote."""
    soft = emlearn_settings(8) if isinstance(model, RandomForestClassifier) else {}
    return {**emlearn_settings(0), **soft, **REST}


def main() -> None:
    models, folder = Path(sys.argv[1]), Path(sys.argv[2])
    include = folder / "include"
    include.mkdir(parents=True, exist_ok=True)
    for name, text in HEADERS.items():
        (include / name).write_text(text)
    for path in Path(emlearn.includedir).glob("eml_*.h"):
        shutil.copy(path, include)
    np.seterr(all="warn")  # emlearn made everything raise, underflow included
    written: dict[str, Any] = {}
    for number, case in enumerate(joblib.load(models)):
        target = folder / str(number)
        target.mkdir(exist_ok=True)
        files = written[case["name"]] = {}
        for peer, write in writers(case["model"]).items():
            try:
                suffix, text = write(case, target)
            except Exception as error:
                reason = str(error).strip().splitlines()
                first = reason[0] if reason else ""
                files[peer] = {"refused": f"{type(error).__name__}: {first}"}
                continue
            path = target / f"{peer.replace(' ', '_').replace(',', '')}{suffix}"
            path.write_text("#include <stdint.h>\n" + text)
            files[peer] = {"source": str(path), "entry": "run"}
    packages = ("emlearn", "m2cgen", "micromlgen", "tl2cgen", "treelite", "scikit-learn")
    packages += ("xgboost", "lightgbm")
    versions = {name: metadata.version(name) for name in packages}
    (folder / "written.json").write_text(json.dumps({"versions": versions, "cases": written}))


if __name__ == "__main__":
    main()
