"""What HDR10 says of the display that a video was made on and of how bright it gets, from the input's first
frame to the encoder, which writes it into the video itself (SEI messages, AV1's metadata OBUs)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import av

#: Chromaticities are in steps of 0.00002, luminance in steps of 0.0001 cd/m2 (H.265, D.3.28).
_CHROMA_STEPS, _LIGHT_STEPS = 50000, 10000

#: What changes from scene to scene, and no encoder here writes, by FFmpeg's name of a frame's side data.
_DYNAMIC = {
    "DYNAMIC_HDR_PLUS": "HDR10+",
    "DYNAMIC_HDR_VIVID": "HDR Vivid",
    "DOVI_METADATA": "Dolby Vision",
    "DOVI_RPU_BUFFER": "Dolby Vision",
}


def dynamic_hdr(frame: av.VideoFrame) -> str | None:
    """What dynamic HDR metadata a decoded frame comes with, such as HDR10+; None without any."""
    found = {name: None for kind, name in _DYNAMIC.items() if frame.side_data.get(kind)}
    return " and ".join(found) or None


@dataclass(frozen=True)
class HdrMetadata:
    """Mastering display colour volume (SMPTE ST 2086) and content light level (CTA-861.3); either may be
    missing."""

    #: x and y of red, green, blue and white.
    chromaticities: tuple[Fraction, ...] | None = None
    #: The display's darkest and brightest, cd/m2.
    luminance: tuple[Fraction, Fraction] | None = None
    #: The brightest pixel and the brightest frame's average, cd/m2.
    content: tuple[int, int] | None = None

    @classmethod
    def of(cls, frame: av.VideoFrame) -> HdrMetadata | None:
        """What a decoded frame says; None where it says nothing."""
        chromaticities = limits = content = None
        if data := frame.side_data.get("MASTERING_DISPLAY_METADATA"):
            # AVMasteringDisplayMetadata: ten AVRationals, and which of them are there.
            *numbers, has_primaries, has_luminance = struct.unpack("=22i", bytes(data))
            pairs = zip(numbers[::2], numbers[1::2], strict=True)
            values = tuple(Fraction(a, b) if b else Fraction(0) for a, b in pairs)
            chromaticities = values[:8] if has_primaries else None
            limits = values[8:] if has_luminance else None
        if data := frame.side_data.get("CONTENT_LIGHT_LEVEL"):
            content = struct.unpack_from("=2I", bytes(data))
        found = cls(chromaticities, limits, content)
        return None if found == cls() else found

    def encoder_options(self, encoder: str) -> dict[str, dict[str, str]]:
        """Options of an FFmpeg encoder that make it write this, by the name of the option that holds them;
        empty for an encoder that cannot."""
        steps = self._display(lambda x: str(round(x * _CHROMA_STEPS)), lambda x: str(round(x * _LIGHT_STEPS)))
        plain = self._display(lambda x: f"{float(x):.5f}", lambda x: f"{float(x):.4f}")
        content = ",".join(map(str, self.content)) if self.content else None
        names = {
            "libx264": ("x264-params", {"mastering-display": steps, "cll": content}),
            "libx265": ("x265-params", {"master-display": steps, "max-cll": content, "hdr10": "1"}),
            "libsvtav1": ("svtav1-params", {"mastering-display": plain, "content-light": content}),
        }
        if encoder not in names:
            return {}
        option, values = names[encoder]
        return {option: {name: value for name, value in values.items() if value}}

    def _display(self, chroma: Callable[[Fraction], str], light: Callable[[Fraction], str]) -> str | None:
        """``G(x,y)B(x,y)R(x,y)WP(x,y)L(max,min)``, which the encoders take whole or not at all."""
        if self.chromaticities is None or self.luminance is None:
            return None
        rx, ry, gx, gy, bx, by, wx, wy = map(chroma, self.chromaticities)
        low, high = map(light, self.luminance)
        return f"G({gx},{gy})B({bx},{by})R({rx},{ry})WP({wx},{wy})L({high},{low})"

    def __str__(self) -> str:
        parts = []
        if self.luminance:
            parts.append(f"mastered at {float(self.luminance[0]):g} to {float(self.luminance[1]):g} cd/m2")
        if self.content:
            parts.append(f"MaxCLL {self.content[0]}, MaxFALL {self.content[1]}")
        return ", ".join(parts) or "a mastering display"
