"""Outside the masks of the restored faces, a lossless OUT has exactly the input's samples in every plane, and
the record accounts for every other sample. An ffmpeg binary reads both."""

from __future__ import annotations

import json

import av
import cv2
import numpy as np
import pytest

from tests.support import reader
from tests.support.clips import write
from tests.support.runs import face_frame, run
from tests.support.scenes import scene
from vidrestore.media.frames.pixel_format import planar_format
from vidrestore.stages import models

WIDTH, HEIGHT, FRAMES = 320, 240, 4
#: Samples around a mask that resampling may change.
RIM = 2
#: The pixel format that FFV1 takes, where it is another.
STORED = {"gbrp": "bgr0", "gbrap": "bgra"}

#: Frames in which something is in front of the face.
COVERED = [7, 8]

FORMATS = ["yuv420p", "yuv420p10le", "yuv422p", "yuv444p", "gbrp", "gray"]
RARE = [
    *("yuv422p10le", "yuv444p10le", "yuv420p12le", "yuv411p", "gbrp10le", "gbrp16le", "gray10le"),
    *("yuva420p", "gbrap"),
]


@pytest.mark.parametrize(
    ("pix_fmt", "hdr"),
    [
        *((name, False) for name in FORMATS),
        *(pytest.param(name, False, marks=pytest.mark.slow) for name in RARE),
        ("yuv420p10le", True),
        pytest.param("gbrp10le", True, marks=pytest.mark.slow),
    ],
)
def test_every_sample_outside_the_masks_is_the_inputs(tmp_path, monkeypatch, pix_fmt, hdr):
    frames = [
        face_frame(WIDTH, HEIGHT, "gbrp", shift=3 * i).reformat(format=STORED.get(pix_fmt, pix_fmt))
        for i in range(FRAMES)
    ]
    tags = {"color_trc": 16, "color_primaries": 9} if hdr else {}
    source = write(tmp_path / "in.mkv", frames, codec="ffv1", tags=tags)
    blended = watch_masks(monkeypatch)
    report = run(source, tmp_path / "out.mkv", codec="ffv1", report_json=tmp_path / "out.json")
    assert report.faces == FRAMES == len(blended)
    form = planar_format(pix_fmt)
    pairs = zip(
        *(reader.planes(path, pix_fmt, (WIDTH, HEIGHT)) for path in (source, tmp_path / "out.mkv")),
        strict=True,
    )
    record = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["record"]
    for (before, after), (mask, matrix), noted in zip(pairs, blended, record, strict=True):
        left, top, right, bottom = noted["faces"][0]["region"]
        for number, (a, b) in enumerate(zip(split(before, form), split(after, form), strict=True)):
            changed = a != b
            if number >= form.colour_planes:
                assert not changed.any(), "alpha"
                continue
            across, down = form.subsampling if number and form.has_chroma else (0, 0)
            under = covered(mask, matrix, a.shape, 1 << across, 1 << down)
            assert not (changed & ~under).any()
            inside = np.zeros_like(changed)
            inside[top >> down : -(-bottom >> down), left >> across : -(-right >> across)] = True
            assert not (changed & ~inside).any(), "the record does not account for every changed sample"
            # The masks cover a part of the frame, and that part has changed.
            assert 0.02 < under.mean() < 0.5
            if number == 0:
                assert changed[under].mean() > 0.3


def watch_masks(monkeypatch) -> list[tuple[np.ndarray, np.ndarray]]:
    """The masks that are blended from now on, each with its matrix (3, 3) from frame to mask pixels."""
    blended = []
    real = models.paste_back

    def paste_back(canvas, face, restored, mask):
        blended.append((mask.float().cpu().numpy(), np.vstack((face.matrix[:2], (0, 0, 1)))))
        return real(canvas, face, restored, mask)

    monkeypatch.setattr(models, "paste_back", paste_back)
    return blended


def covered(
    mask: np.ndarray, matrix: np.ndarray, shape: tuple[int, int], across: int, down: int
) -> np.ndarray:
    """The samples of a plane, as a boolean array, within ``RIM`` of where the mask is not zero."""
    y, x = np.nonzero(mask)
    x, y, _ = np.linalg.inv(matrix) @ np.stack((x + 0.5, y + 0.5, np.ones(len(x))))
    under = np.zeros(shape, bool)
    column, row = (np.floor(x / across).astype(int), np.floor(y / down).astype(int))
    for i in range(-RIM, RIM + 1):
        for j in range(-RIM, RIM + 1):
            r, c = row + i, column + j
            inside = (r >= 0) & (r < shape[0]) & (c >= 0) & (c < shape[1])
            under[r[inside], c[inside]] = True
    return under


def split(data: bytes, form) -> list[np.ndarray]:
    samples, planes = np.frombuffer(data, form.dtype), []
    for number in range(form.colour_planes + form.has_alpha):
        across, down = form.subsampling if number in (1, 2) and form.has_chroma else (0, 0)
        height, width = -(-HEIGHT >> down), -(-WIDTH >> across)
        plane, samples = np.split(samples, [height * width])
        planes.append(plane.reshape(height, width))
    assert not len(samples)
    return planes


def test_what_passes_in_front_of_a_face_is_the_inputs(tmp_path):
    """A board, for two frames: where the face would be is only guessed from the frames around them."""
    rng = np.random.default_rng(0)
    picture = cv2.GaussianBlur(scene(("collins", 320, 200, 150)), (0, 0), 2.5)
    board = np.array((60, 90, 140)) + rng.integers(-6, 6, (230, 220, 3))
    frames = []
    for number in range(16):
        image = picture.astype(int)
        if number in COVERED:
            image[90:320, 210:430] = board
        image = np.clip(image + rng.normal(0, 3, image.shape), 0, 255).astype(np.uint8)
        frames.append(av.VideoFrame.from_ndarray(image, format="bgr24").reformat(format="yuv444p"))
    source = write(tmp_path / "in.mkv", frames, codec="ffv1")
    report = run(source, tmp_path / "out.mkv", codec="ffv1", w=0.5)
    assert report.tracks == 1
    found = [[line.digest for line in reader.frames(path)] for path in (source, tmp_path / "out.mkv")]
    same = [number for number, (a, b) in enumerate(zip(*found, strict=True)) if a == b]
    assert same == COVERED
