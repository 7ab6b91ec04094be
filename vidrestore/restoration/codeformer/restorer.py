"""CodeFormer as a restorer: weights in, batches of faces through, in the precision asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import torch
from torch import Tensor

from ...errors import WeightsError
from ...runtime.batching import Row, Step, map_rows, run_batched
from ...runtime.cuda_graphs import AcceleratedStep, GraphRecorder, set_compile_cache
from ...runtime.device import DTYPES, set_matmul_precision
from ...weights.store import cache_dir
from ..restorer import Observation, RestorerSpec
from .config import CodeFormerConfig
from .frozen import freeze
from .network import CodeFormer, Encoding


class CodeFormerRestorer:
    """A :class:`~vidrestore.restoration.restorer.Restorer` over one CodeFormer of any size."""

    def __init__(
        self,
        network: CodeFormer,
        *,
        name: str,
        licence: str,
        device: torch.device | str = "cpu",
        precision: str = "fp32",
    ) -> None:
        """``network`` is changed into its form for inference. ``precision`` is one of the spec's; it holds
        for nearly all convolutions, while what decides between codes stays in float32, and so does the
        result."""
        self.spec = RestorerSpec(
            name=name,
            input_size=network.config.image_size,
            precisions=("fp32", "bf16", "fp16"),
            licence=licence,
        )
        self._device = torch.device(device)
        self._sizes = network.config.cft_sizes
        self._network = freeze(network, self._device, DTYPES[precision])
        over = map_rows if self._device.type == "cpu" else run_batched
        if self._device.type == "cuda":
            set_matmul_precision(precision)
            set_compile_cache(cache_dir() / "compiled")
            over = partial(_accelerated, recorder=GraphRecorder())
        self._see, self._show, self._show_codes = map(over, (self._see, self._show, self._show_codes))

    def __call__(self, faces: Tensor, w: Tensor) -> Tensor:
        return self.render(self.observe(faces), w)

    @torch.inference_mode()
    def observe(self, faces: Tensor) -> list[Observation]:
        x = torch.empty_like(faces, device=self._device, memory_format=torch.channels_last)
        images = x.copy_(faces, non_blocking=True).mul_(2).sub_(1).split(1)
        seen = self._see([(image,) for image in images])
        return [
            Observation(features[0], log_probs[0], (image, features, *levels))
            for image, (features, log_probs, *levels) in zip(images, seen, strict=True)
        ]

    @torch.inference_mode()
    def render(self, observations: Sequence[Observation], w: Tensor) -> Tensor:
        codes = [seen.log_probs.argmax(dim=-1)[None] for seen in observations]
        weights = w.to(self._device, non_blocking=True).split(1)
        # The feature transformations of a face whose w is zero add nothing: it goes without them.
        whole = [its != 0 or not self._sizes for its in w.tolist()]
        shown, of_codes = [], []
        for is_whole, its, weight, seen in zip(whole, codes, weights, observations, strict=True):
            if is_whole:
                shown.append((its, weight, *seen.rest))
            else:
                of_codes.append((its, seen.rest[1]))
        faces, their = iter(self._show(shown)), iter(self._show_codes(of_codes))
        return torch.cat([face for is_whole in whole for face in next(faces if is_whole else their)])

    # The network's steps: tensors of one row for each face in and out, which is what can be recorded.

    def _see(self, x: Tensor) -> list[Tensor]:
        encoding = self._network.encode(x)
        log_probs = self._network.predict(encoding.features).float().log_softmax(dim=-1)
        return [encoding.features, log_probs, *(encoding.levels[size] for size in self._sizes)]

    def _show(
        self, codes: Tensor, w: Tensor, image: Tensor, features: Tensor, *levels: Tensor
    ) -> list[Tensor]:
        encoding = Encoding(image, features, dict(zip(self._sizes, levels, strict=True)))
        return [_to_pixels(self._network.decode(codes, encoding, w))]

    def _show_codes(self, codes: Tensor, features: Tensor) -> list[Tensor]:
        # Without an image, which only networks without feature transformations look at.
        return [_to_pixels(self._network.decode(codes, Encoding(features, features, {}), 0.0))]


def _accelerated(step: Step, *, recorder: GraphRecorder) -> Callable[[Sequence[Row]], list[Row]]:
    return run_batched(AcceleratedStep(step, recorder=recorder))


def _to_pixels(x: Tensor) -> Tensor:
    """From about [-1, 1] to [0, 1], float32."""
    return x.float().add(1).div_(2).clamp_(0, 1)


def build_codeformer(state: Mapping[str, Tensor], metadata: Mapping[str, str], source: str) -> CodeFormer:
    """A network with these weights; its sizes come from the metadata, without any they are the
    published ones. Raises WeightsError, naming ``source``, where they do not fit."""
    try:
        config = CodeFormerConfig.from_dict(json.loads(metadata["config"])) if "config" in metadata else None
        with torch.device("meta"):
            network = CodeFormer(config)
        state = {key: value.float() if value.is_floating_point() else value for key, value in state.items()}
        network.load_state_dict(state, strict=True, assign=True)
    except (RuntimeError, ValueError, TypeError):
        raise WeightsError(
            f"{source} does not hold the weights of a CodeFormer; give codeformer.pth or leave --weights out"
        ) from None
    return network
