"""Make the pictures of docs/adjust.md: the page's own commands are run on samples/scenes.mkv, and what they
draw is made small. That takes some minutes.

    pip install .
    python tools/make_pictures.py
"""

from __future__ import annotations

import argparse
import contextlib
import re
import shlex
import shutil
import tempfile
from pathlib import Path

import cv2
import numpy as np

from vidrestore.__main__ import main as vidrestore

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "adjust.md"
FOLDER = ROOT / "docs" / "pictures"
#: Each picture, and what it is made from.
PICTURES = {"persons.jpg": "persons.png", "faces.jpg": "faces.png"}
WIDTH = 900  #: pixels, at most
BYTES = 60_000  #: of a picture, at most


def commands() -> list[list[str]]:
    """The commands of the page, up to the last that draws a picture."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    every = [shlex.split(line) for block in blocks for line in block.splitlines()]
    last = max(i for i, words in enumerate(every) if set(PICTURES.values()) & set(words))
    return every[: last + 1]


def small_jpeg(image: np.ndarray) -> bytes:
    """``image``, without its empty right side, as JPEG of at most ``WIDTH`` pixels and ``BYTES`` bytes."""
    drawn = np.flatnonzero((image != image[:1, :1]).any(axis=(0, 2)))
    image = image[:, : drawn.max() + 1 + drawn.min()]
    if image.shape[1] > WIDTH:
        height = round(image.shape[0] * WIDTH / image.shape[1])
        image = np.asarray(cv2.resize(image, (WIDTH, height), interpolation=cv2.INTER_AREA))
    for quality in range(90, 0, -5):
        encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
        if len(encoded) <= BYTES:
            return encoded
    raise SystemExit("a picture is too large")


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the pictures of docs/adjust.md.")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder to write to")
    out = parser.parse_args().out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        shutil.copy(ROOT / "samples" / "scenes.mkv", folder)
        for words in commands():
            print(shlex.join(words))
            if vidrestore(words[1:]):
                raise SystemExit(1)
        for name, drawn in PICTURES.items():
            image = cv2.imread(drawn)
            assert image is not None
            (out / name).write_bytes(small_jpeg(image))
            print(f"{out / name}: {(out / name).stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
