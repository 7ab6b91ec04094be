"""HDR10 metadata: the mastering display and the content light level.

They are read from the input's first frame and passed to the encoder, which writes them into the video itself
(SEI messages, AV1 metadata OBUs).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import av

from .side_data import side_data_of

#: Chromaticities are coded in steps of 0.00002, luminance in steps of 0.0001 cd/m2 (H.265, D.3.28).
_CHROMATICITY_STEPS, _LUMINANCE_STEPS = 50000, 10000


@dataclass(frozen=True)
class HdrMetadata:
    """Mastering display colour volume (SMPTE ST 2086) and content light level (CTA-861.3). Each part is
    None if the video does not say it."""

    #: x and y of red, green, blue and white, as defined by CIE 1931.
    chromaticities: tuple[Fraction, ...] | None = None
    #: Minimum and maximum luminance of the mastering display, cd/m2.
    luminance: tuple[Fraction, Fraction] | None = None
    #: MaxCLL, the brightest pixel, and MaxFALL, the brightest average of a frame, in cd/m2.
    content: tuple[int, int] | None = None

    @classmethod
    def of(cls, frame: av.VideoFrame) -> HdrMetadata | None:
        """The metadata of a decoded frame; None if it has none."""
        chromaticities = luminance = content = None
        side_data = side_data_of(frame)
        if data := side_data.get("MASTERING_DISPLAY_METADATA"):
            # AVMasteringDisplayMetadata: ten AVRationals, then flags that tell which of them are set.
            *numbers, has_primaries, has_luminance = struct.unpack("=22i", bytes(data))
            pairs = zip(numbers[::2], numbers[1::2], strict=True)
            values = tuple(Fraction(a, b) if b else Fraction(0) for a, b in pairs)
            chromaticities = values[:8] if has_primaries else None
            luminance = (values[8], values[9]) if has_luminance else None
        if data := side_data.get("CONTENT_LIGHT_LEVEL"):
            max_cll, max_fall = struct.unpack_from("=2I", bytes(data))
            content = (max_cll, max_fall)
        metadata = cls(chromaticities, luminance, content)
        return None if metadata == cls() else metadata

    def encoder_options(self, encoder: str) -> dict[str, dict[str, str]]:
        """Options that make an FFmpeg encoder write this metadata: parameters by name, under the name of the
        option that holds them (such as ``x265-params``). Empty if the encoder cannot write it."""
        steps = self._display(
            lambda x: str(round(x * _CHROMATICITY_STEPS)), lambda x: str(round(x * _LUMINANCE_STEPS))
        )
        decimals = self._display(lambda x: f"{float(x):.5f}", lambda x: f"{float(x):.4f}")
        content = ",".join(map(str, self.content)) if self.content else None
        parameters = {
            "libx264": ("x264-params", {"mastering-display": steps, "cll": content}),
            "libx265": ("x265-params", {"master-display": steps, "max-cll": content, "hdr10": "1"}),
            "libsvtav1": ("svtav1-params", {"mastering-display": decimals, "content-light": content}),
        }
        if encoder not in parameters:
            return {}
        option, values = parameters[encoder]
        return {option: {name: value for name, value in values.items() if value}}

    def _display(
        self, chromaticity: Callable[[Fraction], str], luminance: Callable[[Fraction], str]
    ) -> str | None:
        """``G(x,y)B(x,y)R(x,y)WP(x,y)L(max,min)``, which encoders accept only complete."""
        if self.chromaticities is None or self.luminance is None:
            return None
        rx, ry, gx, gy, bx, by, wx, wy = map(chromaticity, self.chromaticities)
        low, high = map(luminance, self.luminance)
        return f"G({gx},{gy})B({bx},{by})R({rx},{ry})WP({wx},{wy})L({high},{low})"

    def __str__(self) -> str:
        parts = []
        if self.luminance:
            parts.append(f"mastered at {float(self.luminance[0]):g} to {float(self.luminance[1]):g} cd/m2")
        if self.content:
            parts.append(f"MaxCLL {self.content[0]}, MaxFALL {self.content[1]}")
        return ", ".join(parts) or "a mastering display"
