"""Restorers that spandrel recognises by their weights: GFPGAN 1.2 to 1.4, RestoreFormer.

spandrel is the extra ``restorers``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ...errors import WeightsError
from ...runtime.device import DTYPES
from ...weights.architecture import recognise
from ..restorer import RestorerSpec
from .whole_face import WholeFaceRestorer

if TYPE_CHECKING:
    from spandrel import ImageModelDescriptor

#: Side in pixels of the faces of all these networks.
SIZE = 512
#: The prefix of the network's own tensors in a checkpoint of RestoreFormer's training.
_PREFIX = "vqvae."


def _gfpgan(model: Any, images: Tensor) -> Tensor:
    # Its noise would be another one in each frame: it is taken from the file.
    return model(images * 2 - 1, return_rgb=False, randomize_noise=False)[0] / 2 + 0.5


def _restoreformer(model: Any, images: Tensor) -> Tensor:
    return model(images * 2 - 1)[0] / 2 + 0.5


#: For each architecture how its network is called, with RGB in [0, 1], and the precisions in which its
#: results can be trusted. Between entries of a codebook bf16 decides differently.
_CALLS: dict[str, tuple[Callable[[Any, Tensor], Tensor], tuple[str, ...]]] = {
    "GFPGAN": (_gfpgan, ("fp32", "bf16")),
    "RestoreFormer": (_restoreformer, ("fp32",)),
}


class SpandrelRestorer(WholeFaceRestorer):
    """A restorer over a network that spandrel has built."""

    def __init__(
        self,
        network: ImageModelDescriptor[Any],
        *,
        name: str,
        licence: str,
        readable: tuple[float, float],
        device: torch.device,
        precision: str,
    ) -> None:
        """``network`` is changed in place for inference. In a precision that is not to be trusted it runs in
        fp32."""
        model = network.model.eval().requires_grad_(False).to(device)
        # One that a later spandrel knows is called as spandrel does, with values in [0, 1].
        unknown = (lambda _, images: network(images)), ("fp32",)
        self._call, precisions = _CALLS.get(network.architecture.id, unknown)
        self._model = model
        self._dtype = DTYPES[precision if precision in precisions else "fp32"]
        spec = RestorerSpec(
            name=name,
            input_size=SIZE,
            precisions=precisions,
            licence=licence,
            readable=readable,
            has_codes=False,
            has_weight=False,
        )
        super().__init__(spec, device, batched=True)

    def _step(self, images: Tensor, w: Tensor) -> list[Tensor]:
        with torch.autocast(images.device.type, self._dtype, enabled=self._dtype != torch.float32):
            restored = self._call(self._model, images)
        return [restored.float().clamp(0, 1)]


def build_network(state: Mapping[str, Tensor], source: str) -> ImageModelDescriptor[Any]:
    """The face restorer whose weights are ``state``. Raises WeightsError, naming ``source``, for weights of
    another network."""
    if any(key.startswith(_PREFIX) for key in state):
        # The rest are networks that only its training used.
        state = {key.removeprefix(_PREFIX): x for key, x in state.items() if key.startswith(_PREFIX)}
    network = recognise(
        state,
        source,
        wanted="those of CodeFormer, GFPGAN or RestoreFormer, or an ONNX file",
        hints={"RestoreFormer": "; RestoreFormer++ runs with --model restoreformer++"},
    )
    kind = network.architecture.name
    if network.purpose != "FaceSR":
        enlarges = f", which enlarges pictures {network.scale} times" if network.scale > 1 else ""
        use = "; --background enlarges with it" if network.purpose == "SR" else ""
        raise WeightsError(
            f"{source} is {kind}, a network for whole pictures{enlarges}; give a face restorer, such as "
            f"GFPGAN{use}"
        )
    if (network.input_channels, network.output_channels, network.scale) != (3, 3, 1):
        raise WeightsError(f"{source} is a {kind} that does not take and give RGB faces of one size")
    return network
