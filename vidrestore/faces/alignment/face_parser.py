"""Which pixels of an aligned face are face: facexlib's ParseNet, where its weights are there."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from facexlib.parsing.parsenet import ParseNet
from torch import Tensor
from torchvision.transforms.functional import gaussian_blur

from ...errors import WeightsError
from ...runtime.batching import per_sample_on_cpu
from ...runtime.device import DTYPES
from .mask import border_mask

#: The side of a face that ParseNet works on.
SIZE = 512
#: Of its 19 classes (those of CelebAMask-HQ) the ones that a restored face is pasted for: skin, nose,
#: glasses, eyes, brows, ears, mouth, lips and hair; not background, hat, necklace, neck or clothes.
_FACE_CLASSES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15)
#: Deviation in pixels by which the mask's edge is softened.
_SOFTNESS = 14.0


class FaceParser:
    """Masks from ParseNet's classes."""

    def __init__(
        self, state: Mapping[str, Tensor], *, device: torch.device | str = "cpu", precision: str = "fp32"
    ) -> None:
        """``state``: the published weights. Raises WeightsError where they are of another network."""
        self._dtype = DTYPES[precision]
        self._network = ParseNet(in_size=SIZE, out_size=SIZE, parsing_ch=19)
        try:
            self._network.load_state_dict(state, strict=True)
        except RuntimeError:
            raise WeightsError(
                "these are not ParseNet's weights; get them with: vidrestore weights get parsenet"
            ) from None
        self._network.eval().requires_grad_(False).to(device, memory_format=torch.channels_last)
        self._see = per_sample_on_cpu(self._classes, device)

    @torch.inference_mode()
    def __call__(self, faces: Tensor) -> Tensor:
        """Faces (N, 3, 512, 512) RGB in [0, 1] -> soft masks (N, 512, 512) in [0, 1]."""
        [classes] = self._see(faces)
        mask = torch.isin(classes, torch.tensor(_FACE_CLASSES, device=classes.device)).float()
        radius = int(3 * _SOFTNESS)
        mask = gaussian_blur(mask[:, None], 2 * radius + 1, _SOFTNESS)[:, 0]
        return mask * border_mask(SIZE, mask.device)

    def _classes(self, faces: Tensor) -> list[Tensor]:
        reduced = self._dtype != torch.float32
        with torch.autocast(faces.device.type, self._dtype, enabled=reduced):
            return [self._network(faces * 2 - 1)[0].argmax(dim=1)]
