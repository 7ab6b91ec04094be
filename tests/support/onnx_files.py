"""Small ONNX files: networks that do something simple, so that what they were given can be read from what
they make."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

try:
    from onnx import TensorProto, helper
except ImportError:  # tests that need it skip
    pass
else:
    #: The type of the elements, by the precision.
    _TYPES = {"fp32": TensorProto.FLOAT, "fp16": TensorProto.FLOAT16, "double": TensorProto.DOUBLE}
    _VERSIONS: dict[str, Any] = {"opset_imports": [helper.make_opsetid("", 17)], "ir_version": 8}


def save_restorer(
    path: Path,
    *,
    side: int | str = 64,
    precision: str = "fp32",
    weight: str | None = None,
    factor: int = 1,
    names: tuple[str, str] = ("input", "output"),
    extra: bool = False,
) -> Path:
    """Write a network that multiplies the values of a picture by -1/2 and, if it has a ``weight`` (its name
    and type, as ``w: double``), adds the weight. The result is enlarged by ``factor``. With ``extra`` there
    is a second output that is a picture, which comes first."""
    image, output = names
    kind = _TYPES[precision]
    halved = helper.make_node("Mul", [image, "half"], ["halved"])
    nodes, inputs, last = [halved], [_tensor(image, kind, (1, 3, side, side))], "halved"
    if weight:
        name, _, type_name = weight.partition(": ")
        inputs.append(_tensor(name, _TYPES[type_name], (1,)))
        nodes.append(helper.make_node("Cast", [name], ["cast"], to=kind))
        nodes.append(helper.make_node("Add", [last, "cast"], ["added"]))
        last = "added"
    nodes.append(helper.make_node("Resize", [last, "", "scales"], [output], mode="nearest"))
    larger = side * factor if isinstance(side, int) else "larger"
    outputs = [_tensor(output, kind, (1, 3, larger, larger))]
    if extra:
        nodes.append(helper.make_node("Identity", [image], ["texture"]))
        outputs.insert(0, _tensor("texture", kind, (1, 3, side, side)))
    constants = [
        helper.make_tensor("half", kind, (1,), [-0.5]),
        helper.make_tensor("scales", TensorProto.FLOAT, (4,), np.array([1, 1, factor, factor], np.float32)),
    ]
    graph = helper.make_graph(nodes, "network", inputs, outputs, constants)
    path.write_bytes(helper.make_model(graph, **_VERSIONS).SerializeToString())
    return path


def save_other(
    path: Path, inputs: Sequence[tuple[int | str, ...]], outputs: Sequence[tuple[int, ...]]
) -> Path:
    """Write a network with inputs and outputs of these shapes, that passes its first input on."""
    given = [_tensor(f"in{n}", TensorProto.FLOAT, shape) for n, shape in enumerate(inputs)]
    made = [_tensor(f"out{n}", TensorProto.FLOAT, shape) for n, shape in enumerate(outputs)]
    nodes = [helper.make_node("ReduceSum", ["in0"], [f"sum{n}"], keepdims=0) for n in range(len(outputs))]
    for n in range(len(outputs)):
        nodes.append(helper.make_node("Expand", [f"sum{n}", f"shape{n}"], [f"out{n}"]))
    constants = [
        helper.make_tensor(f"shape{n}", TensorProto.INT64, (len(shape),), np.array(shape, np.int64))
        for n, shape in enumerate(outputs)
    ]
    graph = helper.make_graph(nodes, "network", given, made, constants)
    path.write_bytes(helper.make_model(graph, **_VERSIONS).SerializeToString())
    return path


def _tensor(name: str, kind: int, shape: Sequence[int | str]) -> Any:
    return helper.make_tensor_value_info(name, kind, list(shape))
