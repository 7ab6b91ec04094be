"""Two versions in one picture: every sample as it was, upright, in any pixel format."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.clips import pattern, write
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.frames.frame import displayed
from vidrestore.media.frames.pixel_format import planar_format, plane_views
from vidrestore.option_types import option_of
from vidrestore.options import Options
from vidrestore.review.side_by_side import LAYOUTS, Comparer

LABELS = ("input", "restored")


def versions(tmp_path, pix_fmt: str, size: tuple[int, int], rotation: int = 0, flips: bool = False):
    """A source, and two different frames of it. ``rotation`` is in degrees; ``flips`` mirrors it."""
    frames = [pattern(i, *size, pix_fmt) for i in range(2)]
    if pix_fmt == "gbrp":
        frames = [frame.reformat(format="bgr0") for frame in frames]
    name, codec = ("in.mp4", "libx264") if flips else ("in.mkv", "ffv1")  # Matroska holds rotations alone
    path = write(tmp_path / name, frames, codec=codec, rotation=rotation, flips=flips)
    with Decoder(path) as decoder:
        return decoder.source, list(decoder)


@pytest.mark.parametrize(
    ("pix_fmt", "size", "rotation", "flips"),
    [
        ("yuv420p", (64, 48), 0, False),
        ("yuv420p", (61, 47), 0, False),
        ("yuv422p10le", (64, 48), 0, False),
        ("yuv420p", (64, 48), 90, False),
        ("yuv422p", (62, 46), 270, False),
        ("yuv420p", (64, 48), 180, False),
        ("gray", (50, 40), 0, False),
        ("gbrp", (50, 40), 0, False),
        ("yuva420p", (64, 48), 0, False),
        *(("yuv420p", (64, 48), degrees, True) for degrees in (0, 90, 180, 270)),
    ],
)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_sample_is_that_of_one_version(tmp_path, pix_fmt, size, rotation, flips, layout):
    source, (one, other) = versions(tmp_path, pix_fmt, size, rotation, flips)
    comparer = Comparer(source, layout)
    made = comparer(one.video, other.video, one.colour, LABELS)
    form = planar_format(one.video.format.name)
    assert (made.video.width, made.video.height) == (comparer.video.width, comparer.video.height)
    assert (made.video.pts, made.video.time_base) == (one.video.pts, one.video.time_base)
    planes = [
        [displayed(plane, one.turns, flips) for plane in plane_views(frame.video)]
        for frame in (one, other, made)
    ]
    assert np.ptp(planes[2][0][-comparer.strip_height :].astype(int)) > 100, "labels"
    for number, (a, b, both) in enumerate(zip(*planes, strict=True)):
        height, width = a.shape
        if layout == LAYOUTS[0]:
            middle = both.shape[1] // 2
            assert np.array_equal(both[:height, :width], a)
            assert np.array_equal(both[:height, middle : middle + width], b)
        elif form.is_rgb or number == 0:
            assert np.array_equal(both[:height, 4:width], b[:, 4:])


def test_the_line_of_a_wipe_crosses_the_picture_and_comes_back(tmp_path):
    source, (one, other) = versions(tmp_path, "gray", (320, 48))
    white, black = (frame.video for frame in (one, other))
    plane_views(white)[0][...] = 250
    plane_views(black)[0][...] = 1
    shares = []
    for seconds in (0, 1.5, 3, 4.5, 6):
        white.pts = round(seconds / white.time_base)
        made = Comparer(source, "wipe")(white, black, one.colour, LABELS)
        shares.append(float((plane_views(made.video)[0][:48] == 250).mean()))
    assert shares == pytest.approx([0, 0.5, 1, 0.5, 0], abs=0.03)


def test_labels_of_hdr_do_not_glare(tmp_path):
    frames = [pattern(i, 64, 48, "yuv420p10le") for i in range(2)]
    tags = {"color_trc": 16, "color_primaries": 9, "colorspace": 9}
    path = write(tmp_path / "in.mkv", frames, codec="ffv1", tags=tags)
    with Decoder(path) as decoder:
        comparer, frame = Comparer(decoder.source), decoder.first
        made = comparer(frame.video, frame.video, frame.colour, LABELS)
    assert plane_views(made.video)[0][-comparer.strip_height :].max() < 600


def test_a_long_label_fits(tmp_path):
    source, (one, other) = versions(tmp_path, "gray", (64, 48))
    comparer = Comparer(source)
    made = comparer(one.video, other.video, one.colour, ("a label " * 9, "b"))
    strip = plane_views(made.video)[0][-comparer.strip_height :]
    assert strip[:, 54:64].max() == strip.min(), "there is room between the halves"


def test_what_belongs_to_the_source_is_kept(tmp_path):
    source, _ = versions(tmp_path, "yuv420p", (64, 48), 90)
    video = Comparer(source).video
    kept = ("path", "timeline", "time_base", "rate", "colour", "tags", "display_matrix", "hdr")
    assert all(getattr(video, name) == getattr(source, name) for name in kept)
    assert video.upright_size == (2 * 48, 64 + Comparer(source).strip_height)
    assert (video.width, video.height) == video.upright_size[::-1]


def test_the_layouts_are_those_of_the_option():
    described = next(f for f in Options.__dataclass_fields__.values() if f.name == "compare_layout")
    assert option_of(described).choices == LAYOUTS
