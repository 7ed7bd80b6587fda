"""Methods by which skl2onnx converts an estimator with a ``compact_``, without being told.

skl2onnx asks an unknown estimator for `onnx_parser`, `onnx_shape_calculator` and
`onnx_converter`. The parser hook makes the type known before it answers, so that options
are accepted and the first conversion of an interpreter equals all later ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.model_tables import ModelTables
from skdistill.export.onnx.categories import Part
from skdistill.export.onnx.graph import import_onnx, make_tensor
from skdistill.export.onnx.outputs import n_classes, onnx_labels, output_names, write_model

_OPTIONS = {
    "zipmap": [True, False, "columns"],
    "output_class_labels": [False, True],
    "nocl": [False, True],
}


class OnnxHooks:
    """Mixin for estimators that hold a fitted ``compact_``."""

    compact_: ModelTables

    def onnx_parser(self) -> Callable[..., list[Any]]:
        """Hook of skl2onnx: declares the outputs."""
        alias = _register(type(self))

        def parse(scope: Any = None, inputs: Any = None) -> list[Any]:
            *_, operator = scope.operators.values()  # skl2onnx declares it, and then asks here
            wrapper = operator.raw_operator
            if wrapper is not self:
                # A FrozenEstimator passes this hook on. The operator becomes that of the student,
                # options included, so that skl2onnx needs no converter for a FrozenEstimator.
                named = scope.options or {}
                options = {**named.get(type(wrapper), {}), **named.get(id(wrapper), {})}
                scope.add_options(id(self), options)
                scope.replace_raw_operator(wrapper, self, alias)
            return _declare_outputs(scope, self, self.compact_)

        return parse

    def onnx_shape_calculator(self) -> Callable[[Any], None]:
        """Hook of skl2onnx: the types were declared with the outputs."""
        return lambda operator: None

    def onnx_converter(self) -> Callable[..., None]:
        """Hook of skl2onnx: writes the nodes."""
        return _convert


def _register(kind: type) -> str:
    """Make a type of student known to skl2onnx, and return the name of its operator."""
    from skl2onnx import update_registered_converter
    from skl2onnx._parse import _parse_sklearn_simple_model
    from skl2onnx._supported_operators import sklearn_operator_name_map

    alias = f"Skdistill{kind.__module__}.{kind.__qualname__}"
    if kind not in sklearn_operator_name_map:

        def parse(scope: Any, model: Any, inputs: Any, custom_parsers: Any = None) -> Any:
            # Without one, skl2onnx takes that of classifiers and adds a ZipMap of its own.
            return _parse_sklearn_simple_model(scope, model, inputs, custom_parsers)

        update_registered_converter(
            kind, alias, _no_shapes, _convert, parser=parse, options=_OPTIONS
        )
    return str(sklearn_operator_name_map[kind])


def _no_shapes(operator: Any) -> None:
    """Shapes were declared by the parser."""


def _options(scope: Any, model: Any) -> dict[str, Any]:
    defaults = {"zipmap": True, "output_class_labels": False, "nocl": False}
    options = scope.get_options(model, dict(defaults), fail=False)
    if options is None:  # for an option that nobody knows: asked again, skl2onnx names it
        options = scope.get_options(model, dict(defaults))
    return dict(options)


def _declare_outputs(scope: Any, model: Any, compact: ModelTables) -> list[Any]:
    from skl2onnx.common import data_types as t

    options = _options(scope, model)
    names = output_names(compact, bool(options["zipmap"]))
    scores = (names[-1], t.Int32TensorType([None, compact.n_scores]))
    if compact.classes is None:
        declared = [(names[0], t.FloatTensorType([None, compact.n_scores])), scores]
        return [scope.declare_local_variable(name, kind) for name, kind in declared]
    labels = np.arange(n_classes(compact)) if options["nocl"] else onnx_labels(compact)
    label_type = t.StringTensorType if labels.dtype.kind == "U" else t.Int64TensorType
    declared = [(names[0], label_type([None]))]
    if options["zipmap"] == "columns":
        declared += [(str(label), t.FloatTensorType([None])) for label in labels.tolist()]
    elif options["zipmap"]:
        declared.append(
            (names[1], t.SequenceType(t.DictionaryType(label_type([]), t.FloatTensorType([]))))
        )
    else:
        declared.append((names[1], t.FloatTensorType([None, len(labels)])))
    declared.append(scores)
    if options["output_class_labels"]:
        declared.append(("class_labels", label_type([len(labels)])))
    return [scope.declare_local_variable(name, kind) for name, kind in declared]


def _convert(scope: Any, operator: Any, container: Any) -> None:
    from skl2onnx.common.data_types import SequenceType, StringTensorType

    model = operator.raw_operator
    compact: ModelTables = model.compact_
    options = _options(scope, model)
    outputs = [variable.full_name for variable in operator.outputs]
    inputs = [
        Part(v.full_name, isinstance(v.type, StringTensorType), v.type.shape[1])
        for v in operator.inputs
    ]
    writer = _ContainerWriter(scope, container)
    if compact.classes is None:
        write_model(writer, compact, inputs, outputs)
        return
    if options["output_class_labels"]:
        *outputs, class_labels = outputs
    by_row = isinstance(operator.outputs[1].type, SequenceType)
    columns = options["zipmap"] == "columns"
    probabilities = scope.get_unique_variable_name("probabilities") if columns else outputs[1]
    named = [outputs[0], probabilities, outputs[-1]]
    write_model(writer, compact, inputs, named, zipmap=by_row, class_numbers=options["nocl"])
    if columns:
        for k, output in enumerate(outputs[1:-1]):
            at = writer.constant("column", np.array(k, np.int64))
            writer.node("Gather", [probabilities, at], output, axis=1, fixed=True)
    if options["output_class_labels"]:
        labels = np.arange(n_classes(compact)) if options["nocl"] else onnx_labels(compact)
        writer.node("Identity", [writer.constant("all_labels", labels)], class_labels, fixed=True)


class _ContainerWriter:
    """Writer into skl2onnx's container."""

    def __init__(self, scope: Any, container: Any) -> None:
        self.scope, self.container = scope, container

    def node(
        self,
        op: str,
        inputs: Sequence[str],
        output: str,
        *,
        domain: str = "",
        fixed: bool = False,
        **attributes: Any,
    ) -> str:
        output = output if fixed else self.scope.get_unique_variable_name(output)
        name = self.scope.get_unique_operator_name(op)
        version = {"ZipMap": 1, "TreeEnsembleRegressor": 3, "LabelEncoder": 2}.get(op)
        self.container.add_node(
            op, list(inputs), output, op_domain=domain, op_version=version, name=name, **attributes
        )
        return output

    def constant(self, name: str, value: NDArray[Any]) -> str:
        name = self.scope.get_unique_variable_name(name)
        tensor = make_tensor(import_onnx(), name, value)
        self.container.initializers.append(tensor)
        return name
