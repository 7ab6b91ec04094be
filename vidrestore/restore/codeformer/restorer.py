"""CodeFormer as a restorer: weights in, batches of faces through, in the precision asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping

import torch
from torch import Tensor

from ...errors import WeightsError
from ...runtime.device import DTYPES
from ..restorer import RestorerSpec
from .config import CodeFormerConfig
from .network import CodeFormer


class CodeFormerRestorer:
    """A :class:`~vidrestore.restore.restorer.Restorer` over one CodeFormer of any size."""

    def __init__(
        self,
        network: CodeFormer,
        *,
        name: str,
        licence: str,
        device: torch.device | str = "cpu",
        precision: str = "fp32",
    ) -> None:
        """``precision`` is one of the spec's; it holds for convolutions and matrix products, while
        normalisation and the result stay in float32."""
        self.spec = RestorerSpec(
            name=name, input_size=network.config.image_size, precisions=("fp32", "bf16"), licence=licence
        )
        self._device = torch.device(device)
        self._dtype = DTYPES[precision]
        self._network = network.eval().requires_grad_(False)
        self._network.to(self._device, memory_format=torch.channels_last)

    @torch.inference_mode()
    def __call__(self, faces: Tensor, w: Tensor) -> Tensor:
        x = (faces.to(self._device) * 2 - 1).contiguous(memory_format=torch.channels_last)
        reduced = self._dtype != torch.float32
        with torch.autocast(self._device.type, self._dtype, enabled=reduced):
            # Where every w is zero the network leaves the CFT out, which a number tells it.
            restored = self._network(x, w.to(self._device) if w.any() else 0.0)
        return (restored.float() + 1).div_(2).clamp_(0, 1)


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
