"""The holes of frames: from a mask, or all that is white."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from tests.support.clips import write
from tests.support.runs import face_frame
from vidrestore.errors import InputError, UsageError
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.frames.pixel_format import plane_views
from vidrestore.media.photo.formats import photo_format
from vidrestore.media.photo.reader import read_photo
from vidrestore.media.timeline import Span
from vidrestore.options import Options
from vidrestore.stages.holes import check_mask, hole_map, with_hole, with_holes

SIZE = WIDTH, HEIGHT = 64, 48


def clip(path: Path, frames: int = 4, size: tuple[int, int] = SIZE, **about: int) -> Path:
    return write(path, [face_frame(*size, "yuv420p") for _ in range(frames)], codec="ffv1", **about)


def mask_video(path: Path, columns: range, size: tuple[int, int] = SIZE, rate: int = 25) -> Path:
    """One frame for each of ``columns``, which is white."""
    frames = []
    for column in columns:
        frame = face_frame(*size, "gray")
        plane = plane_views(frame)[0]
        plane[...] = 0
        plane[:, column] = 255
        frames.append(frame)
    return write(path, frames, codec="ffv1", rate=Fraction(rate))


def mask_picture(path: Path, size: tuple[int, int] = SIZE) -> Path:
    picture = np.zeros(size[::-1], np.uint8)
    picture[10:20, 5:30] = 255
    Image.fromarray(picture).save(path)
    return path


def options(source: Path, mask: object = None, **more: object) -> Options:
    return Options(input=source, task="inpaint", mask=mask, **more)


def holes(given: Options, span: Span | None = None) -> list[np.ndarray]:
    with Decoder(given.input, span) as decoder:
        found = []
        for frame in with_holes(given, decoder, decoder):
            assert frame.hole is not None
            found.append(frame.hole.missing())
        return found


def test_a_picture_is_the_mask_of_every_frame(tmp_path):
    found = holes(options(clip(tmp_path / "in.mkv"), mask_picture(tmp_path / "mask.png")))
    wanted = np.zeros((HEIGHT, WIDTH), bool)
    wanted[10:20, 5:30] = True
    assert len(found) == 4
    assert all(np.array_equal(hole, wanted) for hole in found)


def test_a_video_is_a_mask_frame_by_frame_from_wherever_a_run_begins(tmp_path):
    given = options(clip(tmp_path / "in.mkv"), mask_video(tmp_path / "mask.mkv", range(10, 14)))
    for first, span in ((10, None), (12, Span(Fraction(2, 25)))):
        found = holes(given, span)
        assert [np.flatnonzero(hole.any(axis=0)).tolist() for hole in found] == [
            [column] for column in range(first, 14)
        ]


@pytest.mark.parametrize("rate", [50, 10])
@pytest.mark.parametrize("name", ["mask.mkv", "mask.avi", "mask.mp4"])
def test_frames_and_masks_have_the_same_numbers_whatever_their_times(tmp_path, name, rate):
    """IN begins at 0.4 s, as where its sound comes first; its masks at 0, at another rate."""
    source = write(
        tmp_path / "in.mkv",
        [face_frame(*SIZE, "yuv420p") for _ in range(10)],
        codec="ffv1",
        times=[400 + 40 * k for k in range(10)],
        time_base=Fraction(1, 1000),
        audio=1,
    )
    given = options(source, mask_video(tmp_path / name, range(10, 20), rate=rate))
    for start, first in ((0, 10), (40, 10), (440, 11), (720, 18)):
        found = holes(given, Span(Fraction(start, 1000)))
        columns = [np.flatnonzero(hole.any(axis=0)).tolist() for hole in found]
        assert columns == [[column] for column in range(first, 20)]


def test_frames_that_are_passed_over_have_their_own_masks(tmp_path):
    given = options(clip(tmp_path / "in.mkv"), mask_video(tmp_path / "mask.mkv", range(10, 14)))
    with Decoder(given.input) as decoder:
        [frame] = with_holes(given, decoder, [list(decoder)[2]])
        assert frame.hole is not None
        assert np.flatnonzero(frame.hole.missing().any(axis=0)).tolist() == [12]


def test_without_a_mask_white_is_a_hole(tmp_path):
    frame = face_frame(*SIZE, "yuv420p")
    plane_views(frame)[0][...] = np.minimum(plane_views(frame)[0], 225)
    plane_views(frame)[0][20:30, 8:12] = 235
    [found] = holes(options(write(tmp_path / "in.mkv", [frame], codec="ffv1")))
    assert (found.sum(), found[20:30, 8:12].sum()) == (40, 40)


def test_a_mask_is_as_its_video_is_displayed(tmp_path):
    source = clip(tmp_path / "in.mkv", rotation=90)
    found = holes(options(source, mask_picture(tmp_path / "mask.png", size=(HEIGHT, WIDTH))))
    with Decoder(source) as decoder:
        shown = np.rot90(found[0], decoder.first.turns)
    assert shown[10:20, 5:30].all()
    assert shown.sum() == 250


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda f: mask_picture(f / "m.png", (32, 48)), "m.png is 32x48 and in.mkv 64x48"),
        (lambda f: mask_video(f / "m.mkv", range(4), (32, 48)), "m.mkv is 32x48 and in.mkv 64x48"),
        (lambda f: f / "none.png", "none.png does not exist"),
    ],
)
def test_masks_that_do_not_fit_are_refused_before_any_work(tmp_path, make, problem):
    given = options(clip(tmp_path / "in.mkv"), make(tmp_path))
    with Decoder(given.input) as decoder, pytest.raises(InputError, match=problem):
        check_mask(given, decoder)


def test_a_mask_with_another_number_of_frames_is_refused(tmp_path):
    for name in ("m.mp4", "m.mkv"):  # whose header does not tell
        source = clip((tmp_path / "in").with_suffix(Path(name).suffix), 6)
        for count in (4, 7):
            other = mask_video(tmp_path / name, range(count))
            problem = rf"has {count} frames and in\.\w+ 6"
            with Decoder(source) as decoder, pytest.raises(InputError, match=problem):
                check_mask(options(source, other), decoder)


def test_a_mask_that_ends_early_is_an_error_if_its_length_was_not_known(tmp_path):
    short = [face_frame(*SIZE, "yuv420p") for _ in range(3)]  # VP8 has packets without a frame
    given = options(clip(tmp_path / "in.mkv"), write(tmp_path / "m.webm", short, codec="libvpx"))
    with pytest.raises(InputError, match=r"m\.webm ends before in\.mkv, at 0\.120 s"):
        holes(given)


def test_in_itself_is_no_mask(tmp_path):
    source = clip(tmp_path / "in.mkv")
    with pytest.raises(UsageError, match="--mask is IN itself"):
        holes(options(source, source))


def test_nothing_is_attached_where_no_hole_is_given(tmp_path):
    source = clip(tmp_path / "in.mkv", 1)
    for given in (Options(input=source), options(source, "found")):
        with Decoder(source) as decoder:
            [frame] = with_holes(given, decoder, decoder)
            assert frame.hole is None


def test_photos_have_pictures_as_masks(tmp_path):
    Image.fromarray(np.full((HEIGHT, WIDTH, 3), 90, np.uint8)).save(tmp_path / "in.png")
    kind = photo_format(tmp_path / "in.png")
    assert kind is not None
    photo = read_photo(tmp_path / "in.png", kind)
    mask = mask_picture(tmp_path / "m.png")
    hole = with_hole(options(tmp_path / "in.png", mask), photo.picture).hole
    assert hole is not None
    assert hole.missing().sum() == 250
    video = mask_video(tmp_path / "m.mkv", range(1))
    with pytest.raises(InputError, match=r"the mask m\.mkv of a photo must be a picture"):
        with_hole(options(tmp_path / "in.png", video), photo.picture)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("of_mask", [1, 5])
def test_a_mask_lies_on_a_photo_as_both_are_displayed(tmp_path, orientation, of_mask):
    """Turned and mirrored as EXIF says."""
    displayed = np.zeros((HEIGHT, WIDTH), np.uint8)
    displayed[10:20, 5:30] = 255

    def save(path: Path, orientation: int, samples: np.ndarray) -> Path:
        """A file that is displayed as ``samples``."""
        undone = {1: (), 2: ("FLIP_LEFT_RIGHT",), 3: ("ROTATE_180",), 4: ("FLIP_TOP_BOTTOM",)}
        undone |= {5: ("TRANSPOSE",), 6: ("ROTATE_90",), 7: ("TRANSVERSE",), 8: ("ROTATE_270",)}
        image = Image.fromarray(samples)
        for name in undone[orientation]:
            image = image.transpose(Image.Transpose[name])
        exif = Image.Exif()
        exif[0x0112] = orientation
        image.save(path, exif=exif)
        with Image.open(path) as saved:
            assert np.array_equal(np.asarray(ImageOps.exif_transpose(saved)), samples)
        return path

    source = save(tmp_path / "in.png", orientation, np.dstack([displayed // 2] * 3))
    mask = save(tmp_path / "mask.png", of_mask, displayed)
    kind = photo_format(source)
    assert kind is not None
    picture = read_photo(source, kind).picture
    hole = with_hole(options(source, mask), picture).hole
    assert hole is not None
    assert np.array_equal(hole.missing(), picture.image().planes[0] > 0)


def test_the_map_of_a_face_shows_its_hole(tmp_path):
    given = options(clip(tmp_path / "in.mkv", 1), mask_picture(tmp_path / "mask.png"))
    with Decoder(given.input) as decoder:
        [frame] = with_holes(given, decoder, decoder)
    assert frame.hole is not None
    found = hole_map(frame.hole, np.diag([2.0, 2.0, 1.0]), 64)  # pixels 0 to 32 of the frame
    assert (found.shape, found.dtype, found.max()) == ((256, 256), np.uint8, 2)
    assert found[82:158, 42:238].min() == 2
    assert found[:74].max() == found[:, :34].max() == 0
