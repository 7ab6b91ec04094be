"""Segment aligned faces with facexlib's ParseNet, and turn the result into soft masks."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from ...errors import WeightsError
from ...runtime.batching import per_sample_on_cpu
from ...runtime.device import DTYPES
from ...runtime.uninitialised import Uninitialised
from .mask import border_mask

#: Width and height in pixels of the faces that ParseNet takes.
SIZE = 512
#: The classes, of ParseNet's 19 (those of CelebAMask-HQ), under which a restored face is pasted: skin, nose,
#: glasses, eyes, brows, ears, mouth, lips, hair and earrings; not background, hat, necklace, neck or clothes.
_FACE_CLASSES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15)
#: Standard deviation in pixels of the Gaussian that softens the edge of the mask.
_SOFTNESS = 14.0


class FaceParser:
    """Soft masks of the face in aligned faces."""

    def __init__(
        self, state: Mapping[str, Tensor], *, device: torch.device | str = "cpu", precision: str = "fp32"
    ) -> None:
        """``state`` holds the published weights. Raises WeightsError for weights of another network."""
        from facexlib.parsing.parsenet import ParseNet  # imports torchvision, which takes seconds

        self._dtype = DTYPES[precision]
        with Uninitialised():
            self._network = ParseNet(in_size=SIZE, out_size=SIZE, parsing_ch=19)
        try:
            self._network.load_state_dict(state, strict=True)
        except RuntimeError:
            raise WeightsError(
                "these are not ParseNet's weights; download them with: vidrestore weights get parsenet"
            ) from None
        self._network.eval().requires_grad_(False).to(device).to(memory_format=torch.channels_last)
        self._forward = per_sample_on_cpu(self._classes, device)

    @torch.inference_mode()
    def __call__(self, faces: Tensor) -> Tensor:
        """Return soft masks (N, S, S), float32 in [0, 1], of ``faces`` (N, 3, S, S) RGB in [0, 1].

        A mask is 0 at the border of the crop. Faces of other sizes than 512 are resampled to that and back.
        """
        if (side := faces.shape[-1]) != SIZE:
            resampled = F.interpolate(faces, (SIZE, SIZE), mode="area" if side > SIZE else "bilinear")
            return F.interpolate(self(resampled)[:, None], (side, side), mode="bilinear")[:, 0]
        [classes] = self._forward(faces)
        from torchvision.transforms.functional import gaussian_blur

        mask = torch.isin(classes, torch.tensor(_FACE_CLASSES, device=classes.device)).float()
        radius = int(3 * _SOFTNESS)
        mask = gaussian_blur(mask[:, None], [2 * radius + 1] * 2, [_SOFTNESS])[:, 0]
        return mask * border_mask(SIZE, mask.device)

    def _classes(self, faces: Tensor) -> list[Tensor]:
        reduced = self._dtype != torch.float32
        with torch.autocast(faces.device.type, self._dtype, enabled=reduced):
            return [self._network(faces * 2 - 1)[0].argmax(dim=1)]
