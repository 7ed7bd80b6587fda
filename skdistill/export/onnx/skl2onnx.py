"""Methods by which skl2onnx converts an estimator with a ``compact_``, without being told.

skl2onnx asks an unknown estimator for `onnx_parser`, `onnx_shape_calculator` and
`onnx_converter`; but its converters of meta-estimators (voting, stacking, calibration, …) look the
types of their parts up in a table. So all types are registered there: as soon as skl2onnx is
imported, which `_Finder` waits for, or when a type is made after that. Nothing of scikit-learn's
is registered.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.model_tables import ModelTables
from skdistill.export.onnx.categories import Part
from skdistill.export.onnx.graph import cast, import_onnx, make_tensor
from skdistill.export.onnx.outputs import n_classes, onnx_labels, output_names, write_model

_OPTIONS = {
    "zipmap": [True, False, "columns"],
    "output_class_labels": [False, True],
    "nocl": [False, True],
    "raw_scores": [False, True],
}


class OnnxHooks:
    """Mixin for estimators that hold a fitted ``compact_``."""

    compact_: ModelTables

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if hasattr(sys.modules.get("skl2onnx"), "update_registered_converter"):
            _register(cls)

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


class _Finder(MetaPathFinder):
    """Registers all types when skl2onnx is imported; finds nothing itself."""

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        """The spec of the finders behind this one, which registers after the import."""
        if fullname != "skl2onnx":
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        specs = (finder.find_spec(fullname, path, target) for finder in others)
        spec = next((each for each in specs if each is not None), None)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def load_and_register(module: ModuleType) -> None:
                load(module)
                _register_all(OnnxHooks)

            spec.loader.exec_module = load_and_register  # type: ignore[method-assign]
        return spec


def _register_all(kind: type) -> None:
    each: type
    for each in kind.__subclasses__():
        _register(each)
        _register_all(each)


if "skl2onnx" not in sys.modules:  # else each type is registered when it is made
    sys.meta_path.insert(0, _Finder())


def _no_shapes(operator: Any) -> None:
    """Shapes were declared by the parser."""


def _options(scope: Any, model: Any) -> dict[str, Any]:
    defaults: dict[str, Any] = {"zipmap": True, "output_class_labels": False}
    defaults |= {"nocl": False, "raw_scores": False}
    options = scope.get_options(model, dict(defaults), fail=False)
    if options is None:  # for an option that nobody knows: asked again, skl2onnx names it
        options = scope.get_options(model, dict(defaults))
    return dict(options)


def _declare_outputs(scope: Any, model: Any, compact: ModelTables) -> list[Any]:
    from skl2onnx.common import data_types as t

    options = _options(scope, model)
    # Parsed while others are converted, it is part of an estimator that takes no further outputs.
    is_part = any(each.is_evaluated is not None for each in scope.operators.values())
    if is_part:
        options |= {"zipmap": False, "output_class_labels": False}
    names = output_names(compact, bool(options["zipmap"]))
    scores = (names[-1], t.Int32TensorType([None, compact.n_scores]))
    if compact.classes is None:
        declared = [(names[0], t.FloatTensorType([None, compact.n_scores]))]
        declared += [] if is_part else [scores]
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
    declared += [] if is_part else [scores]
    if options["output_class_labels"]:
        declared.append(("class_labels", label_type([len(labels)])))
    return [scope.declare_local_variable(name, kind) for name, kind in declared]


def _convert(scope: Any, operator: Any, container: Any) -> None:
    from skl2onnx.common.data_types import StringTensorType

    model = operator.raw_operator
    compact: ModelTables = model.compact_
    _check_opset(compact, container.main_opset)
    # A parent may have told the container alone.
    options = {**_options(scope, model), **(container.options or {}).get(id(model), {})}
    inputs = [
        # Bagging of some columns does not say how many they are: then all of the model's.
        Part(
            v.full_name,
            isinstance(v.type, StringTensorType),
            v.type.shape[1] if len(v.type.shape) > 1 else compact.n_features,
        )
        for v in operator.inputs
    ]
    writer = _ContainerWriter(scope, container)
    if len(operator.outputs) < (2 if compact.classes is None else 3):
        _convert_part(writer, compact, inputs, operator.outputs, bool(options["raw_scores"]))
    elif compact.classes is None:
        write_model(writer, compact, inputs, [each.full_name for each in operator.outputs])
    else:
        _convert_classifier(writer, compact, inputs, operator.outputs, options)


def _check_opset(compact: ModelTables, opset: int) -> None:
    """Refuse opsets that lack an operator."""
    least, why = 9, "trees"
    for table in compact.tables:
        if table.kind == "linear":
            least, why = max(least, 11), "the rounding of a linear part"
        if table.kind == "net":
            least, why = 12, "the limits of a network"
    if len(compact.categories):
        least, why = 12, "categories"
    if opset < least:
        raise ValueError(f"target_opset={opset}: {why} needs {least} or more")


def _convert_classifier(
    writer: _ContainerWriter,
    compact: ModelTables,
    inputs: Sequence[Part],
    declared: Sequence[Any],
    options: dict[str, Any],
) -> None:
    """Write the outputs that `_declare_outputs` has declared."""
    from skl2onnx.common.data_types import SequenceType

    outputs = [variable.full_name for variable in declared]
    if options["output_class_labels"]:
        *outputs, class_labels = outputs
    by_row = isinstance(declared[1].type, SequenceType)
    if by_row:
        outputs[1] = writer.without_identity(outputs[1])
    columns = options["zipmap"] == "columns"
    probabilities = (
        writer.scope.get_unique_variable_name("probabilities") if columns else outputs[1]
    )
    write_model(
        writer,
        compact,
        inputs,
        [outputs[0], probabilities, outputs[-1]],
        zipmap=by_row,
        class_numbers=options["nocl"],
        raw_scores=options["raw_scores"],
    )
    if columns:
        for k, output in enumerate(outputs[1:-1]):
            at = writer.constant("column", np.array(k, np.int64))
            writer.node("Gather", [probabilities, at], output, axis=1, fixed=True)
    if options["output_class_labels"]:
        labels = np.arange(n_classes(compact)) if options["nocl"] else onnx_labels(compact)
        writer.node("Identity", [writer.constant("all_labels", labels)], class_labels, fixed=True)


def _convert_part(
    writer: _ContainerWriter,
    compact: ModelTables,
    inputs: Sequence[Part],
    declared: Sequence[Any],
    raw_scores: bool,
) -> None:
    """Write the outputs that a meta-estimator has declared: label and probabilities, or a value.

    Probabilities and values leave in the float type that it declares.
    """
    from skl2onnx.common.data_types import DoubleTensorType

    new_name = writer.scope.get_unique_variable_name
    names = [new_name(name) for name in output_names(compact, zipmap=False)]
    write_model(writer, compact, inputs, names, raw_scores=raw_scores)
    for name, variable in zip(names, declared, strict=False):  # nobody declares scores
        if isinstance(variable.type, DoubleTensorType):
            cast(writer, name, "float64", variable.full_name, fixed=True)
        else:
            writer.node("Identity", [name], variable.full_name, fixed=True)


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

    def without_identity(self, name: str) -> str:
        """What a result shall be called whose only use is an Identity, which is taken away.

        The converter of searches adds one, and ONNX has none for lists of dictionaries.
        """
        for node in self.container.nodes:
            if node.op_type == "Identity" and list(node.input) == [name]:
                self.container.nodes.remove(node)
                # The container refuses names that it has seen.
                getattr(self.container, "_added_names_", set()).discard(node.output[0])
                return str(node.output[0])
        return name

    def constant(self, name: str, value: NDArray[Any]) -> str:
        name = self.scope.get_unique_variable_name(name)
        tensor = make_tensor(import_onnx(), name, value)
        self.container.initializers.append(tensor)
        return name
