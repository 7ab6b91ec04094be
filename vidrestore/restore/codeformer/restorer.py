"""CodeFormer as a restorer: weights in, batches of faces through, in the precision asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from ...errors import WeightsError
from ...runtime.device import DTYPES
from ..restorer import Observation, RestorerSpec
from .config import CodeFormerConfig
from .network import CodeFormer, Encoding


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

    def __call__(self, faces: Tensor, w: Tensor) -> Tensor:
        return self.render(self.observe(faces), w)

    @torch.inference_mode()
    def observe(self, faces: Tensor) -> list[Observation]:
        x = (faces.to(self._device) * 2 - 1).contiguous(memory_format=torch.channels_last)
        with self._reduced():
            encoding = self._network.encode(x)
            logits = self._network.predict(encoding.features)
        needed = {size: encoding.levels[size] for size in self._network.config.cft_sizes}
        encoding = encoding._replace(levels=needed)
        faces_of = [encoding.part(slice(i, i + 1)) for i in range(len(x))]
        return [Observation(e.features[0], its, e) for e, its in zip(faces_of, logits, strict=True)]

    @torch.inference_mode()
    def render(self, observations: Sequence[Observation], w: Tensor) -> Tensor:
        encoding = Encoding.join([observation.rest for observation in observations])
        codes = torch.stack([observation.logits.argmax(dim=-1) for observation in observations])
        with self._reduced():
            # Where every w is zero the network leaves the CFT out, which a number tells it.
            restored = self._network.decode(codes, encoding, w.to(self._device) if w.any() else 0.0)
        return (restored.float() + 1).div_(2).clamp_(0, 1)

    def _reduced(self) -> torch.autocast:
        return torch.autocast(self._device.type, self._dtype, enabled=self._dtype != torch.float32)


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
