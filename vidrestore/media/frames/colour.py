"""Conversion between sample values and R'G'B' (ITU-T H.273, clause 8.3)."""

from __future__ import annotations

from dataclasses import dataclass

import av
import torch
from torch import Tensor

from .pixel_format import PixelFormat
from .tone_mapping import Transfer

#: K_R and K_B by MatrixCoefficients (H.273, table 4), which are the numbers of FFmpeg's AVColorSpace.
_LUMA_WEIGHTS = {
    1: (0.2126, 0.0722),  # BT.709
    4: (0.30, 0.11),  # FCC
    5: (0.299, 0.114),  # BT.470 B/G, BT.601 625 lines
    6: (0.299, 0.114),  # SMPTE 170M, BT.601 525 lines
    7: (0.212, 0.087),  # SMPTE 240M
    9: (0.2627, 0.0593),  # BT.2020 non-constant luminance
    10: (0.2627, 0.0593),  # BT.2020 constant luminance: close enough for the crop of a face
}
#: The numbers that FFmpeg's scaler has for matrices, by FFmpeg's; BT.601's for 525 and 625 lines are one.
SWSCALE_MATRICES = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}
#: Luma up to which an 8-bit step can be seen, and from which on it cannot.
_SHADOWS = (0.2, 0.35)
_FULL_RANGE = 2  # AVCOL_RANGE_JPEG
#: Matrices that say nothing of YUV samples: that of RGB, unspecified and reserved.
UNTAGGED_MATRICES = (0, 2, 3)
_UNSPECIFIED = 2  # AVCOL_SPC_UNSPECIFIED and its like
_LEFT = 1  # AVCHROMA_LOC_LEFT


#: The value of each tag that says nothing.
SILENT = {"primaries": _UNSPECIFIED, "transfer": _UNSPECIFIED, "matrix": _UNSPECIFIED, "range": 0}
#: Numbers that mean the same, each with one that stands for it: matrices of BT.601 for 625 and 525 lines, and
#: of BT.2020; transfer functions of BT.709, BT.601 and BT.2020.
_SAME = {"matrix": {5: 6, 10: 9}, "transfer": {6: 1, 14: 1, 15: 1}}


@dataclass(frozen=True)
class ColourTags:
    """The colour tags of a video: FFmpeg's numbers, which are those of H.273."""

    primaries: int = _UNSPECIFIED
    transfer: int = _UNSPECIFIED
    matrix: int = _UNSPECIFIED
    range: int = 0  #: 1 is limited, 2 full, 0 unspecified
    chroma_location: int | None = None  #: 0 is unspecified, None unknown: PyAV before 19 does not tell

    @classmethod
    def of(cls, frame: av.VideoFrame) -> ColourTags:
        """The tags of a decoded frame."""
        location = getattr(frame, "chroma_location", None)
        return cls(
            primaries=int(frame.color_primaries),
            transfer=int(frame.color_trc),
            matrix=int(frame.colorspace),
            range=int(frame.color_range),
            chroma_location=None if location is None else int(location),
        )

    def contradictions(self, other: ColourTags) -> list[str]:
        """The tags, by their names, that both state, with numbers that do not mean the same."""
        found = []
        for name, silent in SILENT.items():
            pair, same = {getattr(tags, name) for tags in (self, other)}, _SAME.get(name, {})
            if silent not in pair and len({same.get(number, number) for number in pair}) > 1:
                found.append(name)
        return found


@dataclass(frozen=True)
class Colour:
    """How sample values are converted to R'G'B': matrix, range and chroma location, and for HDR its
    transfer function."""

    kr: float = 0.2126
    kb: float = 0.0722
    matrix: int = 1  #: FFmpeg's number for this pair
    full_range: bool = False
    #: Position of chroma samples, by FFmpeg's number: left (1, as in MPEG-2 and later) is on the left luma
    #: sample horizontally and midway vertically, centre (2, as in JPEG) is midway in both, top left (3) is
    #: on the top left luma sample, and so on (H.273, figure 1).
    chroma_location: int = _LEFT
    #: The matrix is not tagged, or is one without a conversion; it is the one that players assume for this
    #: frame size.
    guessed: bool = False
    #: The transfer function of an HDR signal; None for SDR.
    transfer: Transfer | None = None

    @classmethod
    def from_tags(cls, tags: ColourTags, width: int, height: int, pix_fmt: str = "") -> Colour:
        """The conversion for a video with these tags, of this size in pixels. ``pix_fmt`` is FFmpeg's name
        of the codec's format, of which the ``yuvj`` ones are full range."""
        guessed = not has_conversion(tags.matrix)
        matrix = guessed_matrix(width, height) if guessed else tags.matrix
        return cls(
            *_LUMA_WEIGHTS[matrix],
            matrix=matrix,
            full_range=pix_fmt.startswith("yuvj") or tags.range == _FULL_RANGE,
            chroma_location=tags.chroma_location or _LEFT,
            guessed=guessed,
            transfer=Transfer.from_tags(tags.transfer, tags.primaries),
        )

    def shows_as(self, other: Colour) -> bool:
        """Whether the same YUV samples are the same R'G'B' by ``other``, wherever chroma lies."""
        return (self.kr, self.kb, self.full_range) == (other.kr, other.kb, other.full_range)

    @property
    def swscale_matrix(self) -> int:
        """FFmpeg's scaler's number of the matrix."""
        return SWSCALE_MATRICES[self.matrix]

    @property
    def chroma_offset(self) -> tuple[float, float]:
        """Distance of chroma samples to the left of, and above, the centre of the luma samples that they
        belong to: 1 is on the first luma sample, -1 on the last."""
        number = self.chroma_location
        return float(number % 2), {3: 1.0, 4: 1.0, 5: -1.0, 6: -1.0}.get(number, 0.0)

    def to_sdr(self, rgb: Tensor) -> Tensor:
        """Tone-map R'G'B' (..., 3, H, W) to SDR; SDR is returned unchanged."""
        return self.transfer.to_sdr(rgb) if self.transfer else rgb

    def from_sdr(self, rgb: Tensor) -> Tensor:
        """Inverse of :meth:`to_sdr`."""
        return self.transfer.from_sdr(rgb) if self.transfer else rgb

    def yuv_to_rgb(self, yuv: Tensor, bits: int) -> Tensor:
        """Convert sample values (..., 3, H, W) float to R'G'B', where 0 is black and 1 white; not clipped."""
        y, u, v = yuv.unbind(-3)
        kr, kb = self.kr, self.kb
        kg = 1 - kr - kb
        y, zero, scale = self.luma_from_code(y, bits), float(1 << (bits - 1)), self._chroma_scale(bits)
        u, v = u - zero, v - zero
        rgb = torch.empty_like(yuv)
        r, g, b = rgb.unbind(-3)
        torch.add(y, v, alpha=2 * (1 - kr) / scale, out=r)
        torch.add(y, u, alpha=2 * (1 - kb) / scale, out=b)
        torch.add(y, u, alpha=-2 * (1 - kb) * kb / kg / scale, out=g)
        g.add_(v, alpha=-2 * (1 - kr) * kr / kg / scale)
        return rgb

    def rgb_to_yuv(self, rgb: Tensor, bits: int) -> Tensor:
        """Inverse of :meth:`yuv_to_rgb`; not rounded."""
        r, g, b = rgb.unbind(-3)
        kr, kb = self.kr, self.kb
        yuv = torch.empty_like(rgb)
        y, u, v = yuv.unbind(-3)
        torch.mul(g, 1 - kr - kb, out=y).add_(r, alpha=kr).add_(b, alpha=kb)
        zero, scale = float(1 << (bits - 1)), self._chroma_scale(bits)
        torch.sub(b, y, out=u).mul_(scale / (2 * (1 - kb))).add_(zero)
        torch.sub(r, y, out=v).mul_(scale / (2 * (1 - kr))).add_(zero)
        scale, offset = self._luma_scale(bits)
        y.mul_(scale).add_(offset)
        return yuv

    def rgb_to_samples(self, rgb: Tensor, fmt: PixelFormat) -> Tensor:
        """Convert R'G'B' (3, H, W) to the sample values of a format's colour planes: (3, H, W) as G, B, R or
        Y, U, V, or (1, H, W) as Y; not rounded."""
        if fmt.is_rgb:
            return rgb[[1, 2, 0]] * float((1 << fmt.bits) - 1)
        return self.rgb_to_yuv(rgb, fmt.bits)[: fmt.colour_planes]

    def shadows(self, bits: int) -> tuple[float, float]:
        """Sample values of luma up to which, and from which on no more, a sample is in the shadows."""
        scale, offset = self._luma_scale(bits)
        return _SHADOWS[0] * scale + offset, _SHADOWS[1] * scale + offset

    def luma_to_code(self, y: Tensor, bits: int) -> Tensor:
        """Convert luma, or full-range R, G or B, from [0, 1] to sample values."""
        scale, offset = self._luma_scale(bits)
        return y * scale + offset

    def luma_from_code(self, y: Tensor, bits: int) -> Tensor:
        """Inverse of :meth:`luma_to_code`."""
        scale, offset = self._luma_scale(bits)
        return (y - offset) / scale

    def _luma_scale(self, bits: int) -> tuple[float, float]:
        step = float(1 << (bits - 8))
        return (float((1 << bits) - 1), 0.0) if self.full_range else (219 * step, 16 * step)

    def _chroma_scale(self, bits: int) -> float:
        return float((1 << bits) - 1) if self.full_range else 224.0 * (1 << (bits - 8))


def has_conversion(matrix: int) -> bool:
    """Whether a matrix, by FFmpeg's number, is one whose coefficients are known here."""
    return matrix in _LUMA_WEIGHTS


def guessed_matrix(width: int, height: int) -> int:
    """The matrix that players assume for an untagged video of this size: FFmpeg's number for BT.709 or
    BT.601."""
    return 1 if width >= 1280 or height > 576 else 6
