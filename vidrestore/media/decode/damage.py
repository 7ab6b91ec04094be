"""What of a video was lost on the way in, counted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Damage:
    """Counts of what could not be read as it should; false while there is none."""

    packets: int = 0  #: that could not be decoded
    concealed: int = 0  #: frames that were decoded in part, the rest made up by the decoder
    repaired: int = 0  #: frames whose timestamp was missing, or not later than the one before
    resized: int = 0  #: frames of another size or pixel format than the video's
    ended: str | None = None  #: where and why reading ended early

    def __bool__(self) -> bool:
        return any((self.packets, self.concealed, self.repaired, self.resized, self.ended))

    def __str__(self) -> str:
        counts = (
            (self.packets, "packet could not be decoded", "packets could not be decoded"),
            (self.concealed, "frame was decoded in part", "frames were decoded in part"),
            (self.repaired, "frame had no timestamp of its own", "frames had no timestamp of their own"),
            (
                self.resized,
                "frame was scaled to the size of the first",
                "frames were scaled to the size of the first",
            ),
        )
        parts = [f"{count} {one if count == 1 else many}" for count, one, many in counts if count]
        return ", ".join(parts + ([self.ended] if self.ended else []))
