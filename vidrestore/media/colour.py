"""From a frame's code values to R'G'B' and back (ITU-T H.273, clause 8.3)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

#: K_R and K_B by MatrixCoefficients (H.273, table 4); the numbers are those of FFmpeg's AVColorSpace.
_LUMA_WEIGHTS = {
    1: (0.2126, 0.0722),  # BT.709
    4: (0.30, 0.11),  # FCC
    5: (0.299, 0.114),  # BT.470 B/G, BT.601 625 lines
    6: (0.299, 0.114),  # SMPTE 170M, BT.601 525 lines
    7: (0.212, 0.087),  # SMPTE 240M
    9: (0.2627, 0.0593),  # BT.2020 non-constant luminance
    10: (0.2627, 0.0593),  # BT.2020 constant luminance: near enough for a face's crop
}
_FULL_RANGE = 2  # AVCOL_RANGE_JPEG


@dataclass(frozen=True)
class Colour:
    """How a video's code values stand for R'G'B': its matrix, range and where its chroma lies."""

    kr: float = 0.2126
    kb: float = 0.0722
    full_range: bool = False
    #: Chroma samples lie in the middle of their luma samples, as in JPEG; otherwise, as in MPEG-2 and
    #: later, on the left one horizontally and between them vertically (H.273, figure 1).
    centred_chroma: bool = False
    #: The matrix was not tagged and is what players take for this frame size.
    guessed: bool = False

    @classmethod
    def from_tags(cls, matrix: int, colour_range: int, width: int, height: int, pix_fmt: str) -> Colour:
        """From FFmpeg's numbers for matrix and range and the picture's size in pixels."""
        jpeg = pix_fmt.startswith("yuvj")
        weights = _LUMA_WEIGHTS.get(matrix)
        hd = width >= 1280 or height > 576
        kr, kb = weights or _LUMA_WEIGHTS[1 if hd else 6]
        return cls(kr, kb, jpeg or colour_range == _FULL_RANGE, jpeg, weights is None)

    def yuv_to_rgb(self, yuv: Tensor, bits: int) -> Tensor:
        """Code values (..., 3, H, W) float -> R'G'B' with 0 black and 1 white, not clipped."""
        y, u, v = self._normalised(yuv, bits).unbind(-3)
        kr, kb = self.kr, self.kb
        kg = 1 - kr - kb
        r = y + 2 * (1 - kr) * v
        b = y + 2 * (1 - kb) * u
        g = y - 2 * (1 - kb) * kb / kg * u - 2 * (1 - kr) * kr / kg * v
        return torch.stack((r, g, b), dim=-3)

    def rgb_to_yuv(self, rgb: Tensor, bits: int) -> Tensor:
        """Inverse of :meth:`yuv_to_rgb`; not rounded."""
        r, g, b = rgb.unbind(-3)
        kr, kb = self.kr, self.kb
        y = kr * r + (1 - kr - kb) * g + kb * b
        u = (b - y) / (2 * (1 - kb))
        v = (r - y) / (2 * (1 - kr))
        return torch.stack((self.luma_to_code(y, bits), *(self._chroma_to_code(c, bits) for c in (u, v))), -3)

    def luma_to_code(self, y: Tensor, bits: int) -> Tensor:
        """Luma, or a full-range R, G or B, from [0, 1] to code values."""
        scale, offset = self._luma_scale(bits)
        return y * scale + offset

    def luma_from_code(self, y: Tensor, bits: int) -> Tensor:
        """Inverse of :meth:`luma_to_code`."""
        scale, offset = self._luma_scale(bits)
        return (y - offset) / scale

    def _luma_scale(self, bits: int) -> tuple[float, float]:
        step = float(1 << (bits - 8))
        return (float((1 << bits) - 1), 0.0) if self.full_range else (219 * step, 16 * step)

    def _chroma_to_code(self, c: Tensor, bits: int) -> Tensor:
        return c * self._chroma_scale(bits) + float(1 << (bits - 1))

    def _chroma_scale(self, bits: int) -> float:
        return float((1 << bits) - 1) if self.full_range else 224.0 * (1 << (bits - 8))

    def _normalised(self, yuv: Tensor, bits: int) -> Tensor:
        y = self.luma_from_code(yuv[..., :1, :, :], bits)
        uv = (yuv[..., 1:, :, :] - float(1 << (bits - 1))) / self._chroma_scale(bits)
        return torch.cat((y, uv), dim=-3)
