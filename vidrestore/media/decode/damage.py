"""What a decoder could not read as it should, counted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Damage:
    """Counts of damage found while decoding; false as long as there is none."""

    packets: int = 0  #: packets that could not be decoded
    concealed: int = 0  #: frames that were decoded in part, where the decoder concealed the rest
    repaired: int = 0  #: frames whose timestamp was missing or did not increase
    resized: int = 0  #: frames of another size or pixel format than the first
    ended: str | None = None  #: where and why reading ended early

    def __bool__(self) -> bool:
        return any((self.packets, self.concealed, self.repaired, self.resized, self.ended))

    def __str__(self) -> str:
        counts = (
            (self.packets, "packet could not be decoded", "packets could not be decoded"),
            (self.concealed, "frame was decoded in part", "frames were decoded in part"),
            (self.repaired, "frame had no valid timestamp", "frames had no valid timestamp"),
            (
                self.resized,
                "frame was scaled to the size of the first",
                "frames were scaled to the size of the first",
            ),
        )
        parts = [f"{count} {one if count == 1 else many}" for count, one, many in counts if count]
        return ", ".join(parts + ([self.ended] if self.ended else []))
