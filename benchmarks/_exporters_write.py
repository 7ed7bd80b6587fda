"""For exporters.py, inside the peers' own environment: fitted models to C or C++.

    python _exporters_write.py MODELS.joblib FOLDER

MODELS holds dicts of `name`, `model`, `type` (the C type of an input row), `features` and
`classes`. Each gets FOLDER/<number>/<peer>.c or .cpp with `int run(const type *x)`, which turns the
row into what the peer's own function reads and its answer into a class number. What a peer refuses
is told in FOLDER/written.json, with the versions of all. This file imports none of ours: emlearn
sets numpy's error state on import, and treelite and the others bring their own needs.
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
LARGEST = """  int best = 0;
  for (int i = 1; i < CLASSES; i++) if (p[i] > p[best]) best = i;
  return best;
"""
Writer = Callable[[dict[str, Any], Path], tuple[str, str]]  # -> suffix of the file, its text


def emlearn_writer(method: str, dtype: str, leaf_bits: int = 0) -> Writer:
    def write(case: dict[str, Any], folder: Path) -> tuple[str, str]:
        converted = emlearn.convert(case["model"], method=method, dtype=dtype, leaf_bits=leaf_bits)
        code = converted.save(name="peer", format="c")
        return ".c", code + harness(case, dtype, "return peer_predict({x}, FEATURES);")

    return write


def write_m2cgen(case: dict[str, Any], folder: Path) -> tuple[str, str]:
    code = m2cgen.export_to_c(case["model"])
    body = "double p[CLASSES];\n  score({x}, p);\n" + LARGEST
    return ".c", code + harness(case, "double", body)


def write_micromlgen(case: dict[str, Any], folder: Path) -> tuple[str, str]:
    code = micromlgen.port(case["model"], classname="Peer")
    if "class Peer" not in code:
        raise ValueError(f"no code for {type(case['model']).__name__}")
    body = "Eloquent::ML::Port::Peer peer;\n  return peer.predict((float *){x});"
    return ".cpp", code + harness(case, "float", body)


def tl2cgen_writer(quantize: int) -> Writer:
    def write(case: dict[str, Any], folder: Path) -> tuple[str, str]:
        model = treelite.sklearn.import_model(as_forest(case["model"]))
        target = folder / f"tl2cgen{quantize}"
        tl2cgen.generate_c_code(model, dirpath=target, params={"quantize": quantize})
        header = target / "header.h"  # which several files include, and nothing guards
        header.write_text("#pragma once\n" + header.read_text())
        parts = [path.name for path in sorted(target.glob("*.c"))]
        code = "".join(f'#include "{target.name}/{part}"\n' for part in parts)
        body = f"""union Entry row[FEATURES];
  double p[CLASSES] = {{0}};
  for (int i = 0; i < FEATURES; i++) row[i].fvalue = x[i];
  predict(row, 0, p);
{LARGEST}"""
        return ".c", code + harness(case, case["type"], body)

    return write


def as_forest(model: Any) -> Any:
    """treelite reads forests only: a single tree becomes a forest of one."""
    if not hasattr(model, "tree_"):
        return model
    forest = RandomForestClassifier(n_estimators=1)
    forest.estimators_ = [copy.deepcopy(model)]
    for name in ("classes_", "n_classes_", "n_features_in_", "n_outputs_"):
        setattr(forest, name, getattr(model, name))
    return forest


def harness(case: dict[str, Any], wanted: str, body: str) -> str:
    """The function that is measured; `{x}` in its body is the row in the type that is wanted."""
    given, convert, name = case["type"], "", "x"
    if wanted != given:
        convert = f"""  {wanted} row[FEATURES];
  for (int i = 0; i < FEATURES; i++) row[i] = ({wanted})x[i];
"""
        name = "row"
    elif wanted == "float":
        name = "(float *)x"  # some peers forget the const
    return f"""
enum {{ FEATURES = {case["features"]}, CLASSES = {case["classes"]} }};
#ifdef __cplusplus
extern "C"
#endif
int run(const {given} *x) {{
{convert}  {body.replace("{x}", name)}
}}
"""


HARD: dict[str, Writer] = {
    "emlearn inline float": emlearn_writer("inline", "float"),
    "emlearn inline int16": emlearn_writer("inline", "int16_t"),
    "emlearn loadable": emlearn_writer("loadable", "int16_t"),
}
SOFT: dict[str, Writer] = {
    "emlearn inline float, soft": emlearn_writer("inline", "float", 8),
    "emlearn inline int16, soft": emlearn_writer("inline", "int16_t", 8),
    "emlearn loadable, soft": emlearn_writer("loadable", "int16_t", 8),
}
REST: dict[str, Writer] = {
    "m2cgen": write_m2cgen,
    "micromlgen": write_micromlgen,
    "tl2cgen": tl2cgen_writer(0),
    "tl2cgen quantize": tl2cgen_writer(1),
}


def writers(model: Any) -> dict[str, Writer]:
    """Soft votes of emlearn where there is a vote."""
    return {**HARD, **(SOFT if hasattr(model, "estimators_") else {}), **REST}


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
        told = written[case["name"]] = {}
        for peer, write in writers(case["model"]).items():
            try:
                suffix, text = write(case, target)
            except Exception as error:
                told[peer] = {"refused": f"{type(error).__name__}: {error}"}
                continue
            path = target / f"{peer.replace(' ', '_').replace(',', '')}{suffix}"
            path.write_text("#include <stdint.h>\n" + text)
            told[peer] = {"source": str(path), "entry": "run"}
    packages = ("emlearn", "m2cgen", "micromlgen", "tl2cgen", "treelite", "scikit-learn")
    versions = {name: metadata.version(name) for name in packages}
    (folder / "written.json").write_text(json.dumps({"versions": versions, "cases": written}))


if __name__ == "__main__":
    main()
