"""A clip with a face that drifts, large enough to be looked at, and a quick network for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
from skimage import data as pictures

from tests.support.clips import write
from tests.support.tiny import save_weights
from vidrestore.options import Options


def drifting_face(folder: Path, count: int, *, size: int = 160) -> Path:
    """Write ``in.mp4``, ``count`` frames of ``size`` x ``size`` pixels with sound, and the network's weights
    beside it."""
    frames = []
    for i in range(count):
        picture = pictures.astronaut()[20:260, 60 + i : 300 + i]
        rgb = av.VideoFrame.from_ndarray(picture.copy(), format="rgb24")
        frames.append(rgb.reformat(size, size, "yuv420p"))
    save_weights(folder / "tiny.safetensors")
    return write(folder / "in.mp4", frames, audio=1)


def quick_options(folder: Path, **settings: Any) -> Options:
    """Options of a run over that clip with that network, whatever the face is like."""
    given = {"input": folder / "in.mp4", "weights": folder / "tiny.safetensors", "precision": "fp32"}
    return Options(**{**given, "min_face": 0, "max_sharpness": 0, "codec": "ffv1", **settings})
