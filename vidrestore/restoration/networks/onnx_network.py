"""Restorers in ONNX files, run by ONNX Runtime (the extra ``onnx``): networks for aligned faces with one
picture as input and, if they have one, a fidelity weight."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from ...errors import WeightsError
from ...weights.entry import Network
from ..planes import shrink
from ..restorer import RestorerSpec
from .onnx_graph import read_graph
from .whole_face import WholeFaceRestorer

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

log = logging.getLogger(__name__)


class OnnxRestorer(WholeFaceRestorer):
    """A restorer over an ONNX file, in the precision in which it is stored."""

    def __init__(
        self,
        path: Path,
        *,
        name: str,
        licence: str,
        readable: tuple[float, float],
        network: Network | None = None,
        device: torch.device,
    ) -> None:
        """``network`` says what is known of the file; None: nothing.

        Raises WeightsError for a file that is no restorer of aligned faces.
        """
        self._source = str(path)
        session = _open(path, device)
        self._session = session
        self._graph = graph = read_graph(session, str(path), network)
        self._range = network.value_range if network else (-1.0, 1.0)
        spec = RestorerSpec(
            name=name,
            input_size=graph.output_side,
            precisions=("fp16" if graph.image_type == np.float16 else "fp32",),
            licence=licence,
            readable=readable,
            has_codes=False,
            has_weight=graph.weight is not None,
        )
        super().__init__(spec, device, batched=False)

    def _step(self, images: Tensor, w: Tensor) -> list[Tensor]:
        graph, (low, high) = self._graph, self._range
        faces = images if graph.input_side == graph.output_side else shrink(images, graph.input_side)
        values = (faces * (high - low) + low).cpu().numpy().astype(graph.image_type)
        feeds: dict[str, Any] = {graph.image: values}
        if graph.weight is not None:
            feeds[graph.weight] = np.full(graph.weight_shape, float(w), graph.weight_type)
        result: Any = self._session.run([graph.output], feeds)[0]
        restored: np.ndarray = result.astype(np.float32)
        if restored.shape != images.shape:
            raise WeightsError(
                f"{self._source} makes {restored.shape} of a face of {images.shape}; it is no face restorer"
            )
        unit = torch.from_numpy(restored).sub(low).div_(high - low).clamp_(0, 1)
        return [unit.to(images.device)]


def _open(path: Path, device: torch.device) -> InferenceSession:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors: what else it logs is for developers
    providers: list[Any] = ["CPUExecutionProvider"]
    if device.type == "cuda":
        providers.insert(0, ("CUDAExecutionProvider", {"device_id": device.index or 0}))
    available = onnxruntime.get_available_providers()
    usable = [p for p in providers if (p if isinstance(p, str) else p[0]) in available]
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=usable)
    except Exception as error:  # its exceptions have no class in common but this one
        raise WeightsError(
            f"cannot read weights from {path}: it is damaged, or not an ONNX file that ONNX Runtime "
            f"{onnxruntime.__version__} can run"
        ) from error
    if device.type != "cpu" and session.get_providers()[0] == "CPUExecutionProvider":
        log.warning(
            "%s runs on the CPU: ONNX Runtime has no %s here; for CUDA, install onnxruntime-gpu in the place "
            "of onnxruntime",
            path.name,
            device.type.upper(),
        )
    return session
