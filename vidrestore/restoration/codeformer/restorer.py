"""CodeFormer as a :class:`~vidrestore.restoration.restorer.FaceRestorer`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from ...errors import WeightsError
from ...runtime.batching import Row, Step, map_rows, run_batched
from ...runtime.cuda_graphs import AcceleratedStep, GraphRecorder
from ...runtime.device import DTYPES
from ...runtime.uninitialised import Uninitialised
from ..restorer import FaceRestorer, Observation, RestorerSpec
from .config import CodeFormerConfig
from .frozen import freeze
from .network import CodeFormer, Encoding

#: The ``readable`` of a model trained like the published one, down to 1/30 of the size and a blur of 15
#: pixels (Zhou et al., 2022, section 4.1): a face that is a few blobs.
PAPER_RANGE = (0.04, 0.10)

#: A step of the network over the rows of a batch, one for each face.
_OverRows = Callable[[Sequence[Row]], list[Row]]


class CodeFormerRestorer(FaceRestorer):
    """A restorer over one CodeFormer of any size, in the precision asked for.

    On a CPU each face is run by itself, in several threads, so that results do not depend on the batch. On a
    CUDA device a batch is run at once, through CUDA graphs and, after a while, compiled code. How CUDA
    devices multiply float32 is a setting of the process, which this class leaves alone: see
    :func:`vidrestore.runtime.device.float32_arithmetic`.
    """

    def __init__(
        self,
        network: CodeFormer,
        *,
        name: str,
        licence: str,
        readable: tuple[float, float] = PAPER_RANGE,
        codes_hold: tuple[float, float] | None = None,
        adain: bool = True,
        device: torch.device | str = "cpu",
        precision: str = "fp32",
    ) -> None:
        """Wrap ``network``, which is changed in place for inference.

        ``readable`` and ``codes_hold`` are those of the spec, ``adain`` that of
        :meth:`.network.CodeFormer.decode`. ``precision`` is one of the spec's. Nearly all convolutions use
        it; what decides between codes stays in float32, and so does the result.
        """
        self.spec = RestorerSpec(
            name=name,
            input_size=network.config.image_size,
            precisions=("fp32", "bf16", "fp16"),
            licence=licence,
            readable=readable,
            codes_hold=codes_hold,
        )
        self._adain = adain
        self._device = torch.device(device)
        self._sizes = network.config.kept_sizes
        self._network = freeze(network, self._device, DTYPES[precision])
        over_rows = _row_runner(self._device)
        self._run_encode = over_rows(self._encode)
        self._run_decode = over_rows(self._decode)
        self._run_decode_codes = over_rows(self._decode_codes)

    @torch.inference_mode()
    def observe(self, faces: Tensor) -> list[Observation]:
        x = torch.empty_like(faces, device=self._device, memory_format=torch.channels_last)
        images = x.copy_(faces, non_blocking=True).mul_(2).sub_(1).split(1)
        encoded = self._run_encode([(image,) for image in images])
        return [
            Observation(features[0], log_probs[0], (image, features, *levels))
            for image, (features, log_probs, *levels) in zip(images, encoded, strict=True)
        ]

    @torch.inference_mode()
    def render(self, observations: Sequence[Observation], w: Tensor) -> Tensor:
        codes = [observation.log_probs.argmax(dim=-1)[None] for observation in observations]
        # At w = 0 the feature transformations add nothing, so those faces are decoded without them.
        transformed = [value != 0 or not self._sizes for value in w.tolist()]
        with_features, codes_alone = [], []
        for is_transformed, face_codes, face_w, observation in zip(
            transformed, codes, w.to(self._device, non_blocking=True).split(1), observations, strict=True
        ):
            if is_transformed:
                with_features.append((face_codes, face_w, *observation.rest))
            else:
                codes_alone.append((face_codes, *observation.rest[:2]))
        decoded, from_codes = iter(self._run_decode(with_features)), iter(self._run_decode_codes(codes_alone))
        return torch.cat([face for each in transformed for face in next(decoded if each else from_codes)])

    # The network's steps. Tensors in and out have one row for each face, so that steps can be recorded.

    def _encode(self, x: Tensor) -> list[Tensor]:
        encoding = self._network.encode(x)
        log_probs = self._network.predict(encoding.features).float().log_softmax(dim=-1)
        return [encoding.features, log_probs, *(encoding.levels[size] for size in self._sizes)]

    def _decode(
        self, codes: Tensor, w: Tensor, image: Tensor, features: Tensor, *levels: Tensor
    ) -> list[Tensor]:
        encoding = Encoding(image, features, dict(zip(self._sizes, levels, strict=True)))
        return [_to_unit_range(self._network.decode(codes, encoding, w, self._adain))]

    def _decode_codes(self, codes: Tensor, image: Tensor, features: Tensor) -> list[Tensor]:
        encoding = Encoding(image, features, {})
        return [_to_unit_range(self._network.decode(codes, encoding, 0.0, self._adain))]


def _row_runner(device: torch.device) -> Callable[[Step], _OverRows]:
    """How ``device`` runs a step over rows."""
    if device.type == "cpu":
        return map_rows
    if device.type != "cuda":
        return run_batched
    recorder = GraphRecorder()
    return lambda step: run_batched(AcceleratedStep(step, recorder=recorder))


def _to_unit_range(x: Tensor) -> Tensor:
    """``x``, which nobody else uses, from about [-1, 1] to [0, 1], in float32."""
    return x.float().add_(1).div_(2).clamp_(0, 1)


def is_codeformer(state: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bool:
    """Whether the weights ``state`` are those of a CodeFormer of any size."""
    return "config" in metadata or {"position_emb", "quantize.embedding.weight"} <= state.keys()


def build_codeformer(state: Mapping[str, Tensor], metadata: Mapping[str, str], source: str) -> CodeFormer:
    """Build a network with the weights ``state``; its sizes are in ``metadata["config"]`` (JSON), else they
    are those of the published networks, which differ in their codebook and in the levels of their CFT. Raises
    WeightsError, naming ``source``, if the weights do not fit."""
    try:
        if "config" in metadata:
            config = CodeFormerConfig.from_dict(json.loads(metadata["config"]))
        else:
            config = _published_sizes(state)
        with torch.device("meta"), Uninitialised():
            network = CodeFormer(config)
        state = {key: value.float() if value.is_floating_point() else value for key, value in state.items()}
        network.load_state_dict(state, strict=True, assign=True)
    except (RuntimeError, ValueError, TypeError, KeyError, IndexError):
        raise WeightsError(
            f"{source} does not hold the weights of a CodeFormer; give codeformer.pth or leave --weights out"
        ) from None
    return network


def _published_sizes(state: Mapping[str, Tensor]) -> CodeFormerConfig:
    """The sizes of the published network that ``state`` looks like. Raises ValueError for levels that it
    cannot have."""
    levels = {int(key.split(".")[1]) for key in state if key.startswith("fuse_convs_dict.")}
    codes = len(state["quantize.embedding.weight"])
    return CodeFormerConfig(codebook_size=codes, cft_sizes=tuple(sorted(levels)))
