"""Make the picture and the animation at the top of the README: the embedded model restores samples with the
default options, and the face is cut out of input and result and enlarged alike. That takes some minutes.

    pip install .
    python tools/make_readme_pictures.py
"""

from __future__ import annotations

import argparse
import io
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
from PIL import Image

import vidrestore
from vidrestore.review.drawing import GAP, INK, LINE, PAPER, write_text

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "pictures"
PICTURE, PICTURE_BYTES = "before-after.jpg", 200_000
ANIMATION, ANIMATION_BYTES = "before-after.webp", 1_500_000
SIDE = 320  #: width of a face in the picture, in pixels
WIDE = 400  #: and in the animation


@dataclass(frozen=True)
class Part:
    """Where a face is in a sample."""

    sample: str
    start: float  #: seconds
    duration: float  #: seconds
    box: tuple[int, int, int, int]  #: left, top, right, bottom, in pixels


STILLS = (
    Part("portrait.mp4", 0.5, 0.5, (230, 85, 430, 285)),
    Part("archive.mp4", 1, 0.5, (134, 96, 344, 306)),
)
MOVING = Part("portrait.mp4", 0, 1.5, (215, 70, 445, 270))


def before_and_after(part: Part) -> list[tuple[np.ndarray, np.ndarray]]:
    """The frames of ``part`` as they are and as a run makes them, (H, W, 3) uint8 RGB, cut to its box."""
    sample = ROOT / "samples" / part.sample
    left, top, right, bottom = part.box
    with av.open(sample) as clip:
        before = {frame.time: frame.to_ndarray(format="rgb24") for frame in clip.decode(video=0)}
    options = {"model": "lite", "start": part.start, "duration": part.duration}
    after = {float(frame.time): frame.to_rgb() for frame in vidrestore.restored_frames(sample, **options)}
    return [
        (before[time][top:bottom, left:right], frame[top:bottom, left:right]) for time, frame in after.items()
    ]


def labelled(faces: list[np.ndarray], labels: list[str], width: int) -> np.ndarray:
    """Faces side by side, each enlarged to ``width`` pixels, with a label below."""
    tiles = []
    for face, label in zip(faces, labels, strict=True):
        height = round(face.shape[0] * width / face.shape[1])
        tile = np.full((height + LINE, width, 3), PAPER, np.uint8)
        tile[:height] = cv2.resize(face, (width, height), interpolation=cv2.INTER_CUBIC)
        write_text(tile, label, (0, height), INK)
        tiles += [tile, np.full((height + LINE, GAP, 3), PAPER, np.uint8)]
    return np.hstack(tiles[:-1])


def jpeg(picture: np.ndarray) -> bytes:
    """``picture`` (RGB) as JPEG of at most ``PICTURE_BYTES`` bytes."""
    return _encoded([picture], PICTURE_BYTES, format="JPEG")


def animated_webp(frames: list[np.ndarray], milliseconds: float) -> bytes:
    """``frames`` (RGB) as an endless WebP of at most ``ANIMATION_BYTES`` bytes."""
    return _encoded(
        frames,
        ANIMATION_BYTES,
        format="WEBP",
        save_all=True,
        duration=round(milliseconds),
        loop=0,
        method=4,
    )


def _encoded(frames: list[np.ndarray], limit: int, **options: object) -> bytes:
    first, *others = map(Image.fromarray, frames)
    extra = {"append_images": others} if others else {}
    for quality in range(92, 0, -6):
        data = io.BytesIO()
        first.save(data, quality=quality, **extra, **options)
        if data.tell() <= limit:
            return data.getvalue()
    raise SystemExit("a picture is too large")


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the picture and the animation of the README.")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder to write to")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    faces, labels = [], []
    for part in STILLS:
        pairs = before_and_after(part)
        faces += pairs[len(pairs) // 2]
        labels += [f"{part.sample}: before", "after"]
    (out / PICTURE).write_bytes(jpeg(labelled(faces, labels, SIDE)))
    pairs = before_and_after(MOVING)
    moving = [labelled([*pair], [f"{MOVING.sample}: before", "after"], WIDE) for pair in pairs]
    (out / ANIMATION).write_bytes(animated_webp(moving, 1000 * MOVING.duration / len(pairs)))
    for name in (PICTURE, ANIMATION):
        print(f"{out / name}: {(out / name).stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
