"""From a frame's code values to R'G'B' and back (ITU-T H.273, clause 8.3)."""

from __future__ import annotations

from dataclasses import dataclass

import av
import torch
from torch import Tensor

from .tone_mapping import Transfer

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
_LEFT = 1  # AVCHROMA_LOC_LEFT


@dataclass(frozen=True)
class ColourTags:
    """The colour tags of a video stream, by FFmpeg's numbers, which are those of H.273."""

    primaries: int
    transfer: int
    matrix: int
    range: int  #: 1 is limited, 2 is full
    chroma_location: int | None  #: None if this version of PyAV does not tell

    @classmethod
    def of(cls, frame: av.VideoFrame) -> ColourTags:
        """The tags of a decoded frame."""
        return cls(
            primaries=int(frame.color_primaries),
            transfer=int(frame.color_trc),
            matrix=int(frame.colorspace),
            range=int(frame.color_range),
            chroma_location=int(frame.chroma_location) if hasattr(frame, "chroma_location") else None,
        )


@dataclass(frozen=True)
class Colour:
    """How a video's code values stand for R'G'B': its matrix, range and where its chroma lies."""

    kr: float = 0.2126
    kb: float = 0.0722
    matrix: int = 1  #: FFmpeg's number of the two
    full_range: bool = False
    #: Where chroma samples lie, by FFmpeg's number: as in MPEG-2 and later on the left one of their luma
    #: samples horizontally and between them vertically, or in their middle as in JPEG (2), or on the top
    #: left one (3) and so on (H.273, figure 1).
    chroma_location: int = _LEFT
    #: The matrix was not tagged and is what players take for this frame size.
    guessed: bool = False
    #: How an HDR signal stands for light; None for SDR.
    transfer: Transfer | None = None

    @classmethod
    def from_tags(
        cls,
        matrix: int,
        colour_range: int,
        width: int,
        height: int,
        pix_fmt: str,
        *,
        transfer: int = 0,
        primaries: int = 0,
        chroma_location: int = 0,
    ) -> Colour:
        """From FFmpeg's numbers for a video's tags (0 where there is none) and its size in pixels."""
        jpeg = pix_fmt.startswith("yuvj")
        guessed = matrix not in _LUMA_WEIGHTS
        if guessed:
            matrix = guessed_matrix(width, height)
        return cls(
            *_LUMA_WEIGHTS[matrix],
            matrix=matrix,
            full_range=jpeg or colour_range == _FULL_RANGE,
            chroma_location=chroma_location or _LEFT,
            guessed=guessed,
            transfer=Transfer.from_tags(transfer, primaries),
        )

    @property
    def chroma_offset(self) -> tuple[float, float]:
        """How far, from -1 to 1, chroma samples lie to the left of and above the middle of their luma
        samples, 1 being on the first of them."""
        number = self.chroma_location
        return float(number % 2), {3: 1.0, 4: 1.0, 5: -1.0, 6: -1.0}.get(number, 0.0)

    def to_sdr(self, rgb: Tensor) -> Tensor:
        """The signal's R'G'B' (..., 3, H, W) as those of an SDR picture; SDR is left as it is."""
        return self.transfer.to_sdr(rgb) if self.transfer else rgb

    def from_sdr(self, rgb: Tensor) -> Tensor:
        """Inverse of :meth:`to_sdr`."""
        return self.transfer.from_sdr(rgb) if self.transfer else rgb

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


def guessed_matrix(width: int, height: int) -> int:
    """What players take an untagged video of this size to be: FFmpeg's number for BT.709 or BT.601."""
    return 1 if width >= 1280 or height > 576 else 6
