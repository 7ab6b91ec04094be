"""What an ONNX file of a face restorer takes and gives, read from its graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from ...errors import WeightsError
from ...weights.entry import Network
from ...weights.registry import REGISTRY

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

#: The types of pictures and of fidelity weights.
_TYPES: dict[str, type[np.floating]] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
}
#: Sides in pixels of faces that a network may take.
_SMALLEST, _LARGEST = 64, 2048
#: Side from which on a network may give faces of twice the size: it draws detail of its own. Below, it is
#: one that enlarges pictures.
_DOUBLED = 512
#: Side of the picture with which it is tried out whether a network for pictures of any size enlarges them.
_TRIED = 64
_USUAL_SIDE = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """The inputs and the output of a face restorer."""

    image: str  #: name of the input that takes the face
    image_type: type[np.floating]
    input_side: int  #: pixels
    weight: str | None  #: name of the input for the fidelity weight
    weight_type: type[np.floating]
    weight_shape: tuple[int, ...]
    output: str  #: name of the output that is the restored face
    output_side: int  #: pixels


def read_graph(session: InferenceSession, source: str, network: Network | None) -> Graph:
    """The inputs and the output of the graph in ``session``, of a file called ``source`` of which ``network``
    is known. Raises WeightsError if it is not that of a restorer of aligned faces."""
    inputs, outputs = session.get_inputs(), session.get_outputs()
    images = [x for x in inputs if len(x.shape) == 4 and x.type in _TYPES]
    weights = [x for x in inputs if x not in images]
    numbers = [x for x in weights if x.type in _TYPES and {d for d in x.shape if isinstance(d, int)} <= {1}]
    if len(images) != 1 or len(weights) > 1 or weights != numbers:
        _refuse(source, f"its inputs are {_listed(inputs)}")
    [image], weight = images, (weights[0] if weights else None)
    count, channels, *size = image.shape
    if (isinstance(channels, int) and channels != 3) or (isinstance(count, int) and count != 1):
        _refuse(source, f"its input is {_listed([image])}")
    sides = {side for side in size if isinstance(side, int)}
    if len(sides) > 1 or not all(_SMALLEST <= side <= _LARGEST for side in sides):
        _refuse(source, f"its input is {_listed([image])}")
    side = sides.pop() if sides else network.input_size if network else _USUAL_SIDE
    output = _choose_output(outputs, source, network)
    graph = Graph(
        image=image.name,
        image_type=_TYPES[image.type],
        input_side=side,
        weight=weight.name if weight else None,
        weight_type=_TYPES[weight.type] if weight else np.float32,
        weight_shape=tuple(1 for _ in weight.shape) if weight else (),
        output=output.name,
        output_side=side,
    )
    factor = _factor(session, graph, image, output)
    if factor == 2 and side >= _DOUBLED and isinstance(size[0], int):
        return replace(graph, output_side=2 * side)
    if factor < 1:
        _refuse(source, f"it makes pictures of {factor:g} times the size of its input")
    if factor != 1:
        _refuse(source, f"it enlarges pictures {factor:g} times, as super-resolution networks do")
    return graph


def _choose_output(outputs: Sequence[Any], source: str, network: Network | None) -> Any:
    """The output that is the restored face: the one that is known to be, or the first that is a picture."""
    ranked = [x for x in outputs if len(x.shape) == 4]
    pictures = [x for x in ranked if x.shape[1] == 3 or not isinstance(x.shape[1], int)]
    if not pictures:
        _refuse(source, f"its outputs are {_listed(outputs)}")
    known = (network,) if network else tuple(weights.network for weights in REGISTRY.values())
    names = {each.output for each in known if each and each.output}
    return next((x for x in pictures if x.name in names), pictures[0])


def _factor(session: InferenceSession, graph: Graph, image: Any, output: Any) -> float:
    """How many times larger the output is than the input."""
    given, made = image.shape[2], output.shape[2]
    if isinstance(given, int):
        return made / given if isinstance(made, int) else 1
    feeds: dict[str, Any] = {graph.image: np.zeros((1, 3, _TRIED, _TRIED), graph.image_type)}
    if graph.weight is not None:
        feeds[graph.weight] = np.ones(graph.weight_shape, graph.weight_type)
    try:
        tried: Any = session.run([graph.output], feeds)[0]
    except Exception:  # it takes pictures of one size in spite of what it says
        return 1
    return tried.shape[-1] / _TRIED


def _refuse(source: str, why: str) -> NoReturn:
    raise WeightsError(
        f"{source} is not a restorer of aligned faces: {why}; one takes an RGB picture of 1 x 3 x S x S and "
        "at most one fidelity weight besides, and gives such a picture"
    )


def _listed(tensors: Sequence[Any]) -> str:
    return ", ".join(f"{x.name} ({' x '.join(map(str, x.shape))})" for x in tensors) or "none"
