"""Whatever of a photo's file is not read is named."""

from __future__ import annotations

import io

import av
import pytest
from PIL import Image

from tests.support import photos
from vidrestore.media.frames.pixel_format import plane_views
from vidrestore.media.photo.formats import AVIF, GIF, HEIF, JPEG, TIFF
from vidrestore.media.photo.reader import read_photo
from vidrestore.media.photo.writer import write_photo

FACE = photos.face(64)
LAYERS = 37724


def ten_bits(path, transfer: int, primaries: int):
    """An AVIF of 10 bits."""
    with av.open(str(path), "w", format="avif") as container:
        stream = container.add_stream("libsvtav1", rate=1, options={"preset": "12"})
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p10le"
        context = stream.codec_context
        context.color_primaries, context.color_trc, context.colorspace = primaries, transfer, 9
        frame = av.VideoFrame(128, 96, "yuv420p10le")
        for plane in plane_views(frame):
            plane[...] = 512
        frame.pts = 0
        container.mux([*stream.encode(frame), *stream.encode(None)])
    return path


@pytest.mark.parametrize(
    ("transfer", "primaries", "colours"),
    [
        (16, 9, "primaries bt2020, transfer smpte2084"),
        (18, 9, "primaries bt2020, transfer arib-std-b67"),
        (13, 12, "primaries smpte432"),
        (1, 1, None),
    ],
)
def test_bits_and_colours_of_an_avif(tmp_path, transfer, primaries, colours):
    found = read_photo(ten_bits(tmp_path / "a.avif", transfer, primaries), AVIF).losses
    named = [f"its colours ({colours}), which are taken for sRGB"] if colours else []
    assert list(found) == ["the 10 bits of its samples, which are read as 8", *named]


def test_an_ordinary_avif_loses_nothing(tmp_path):
    photos.save(tmp_path / "a.avif", FACE)
    assert read_photo(tmp_path / "a.avif", AVIF).losses == ()


@pytest.mark.parametrize(("transfer", "lost"), [(16, True), (18, True), (13, False)])
def test_colours_of_a_heic(tmp_path, transfer, lost):
    heif = pytest.importorskip("pillow_heif")
    heif.register_heif_opener(thumbnails=False)
    tags = {"color_primaries": 9 if lost else 1, "matrix_coefficients": 1, "full_range_flag": 1}
    Image.fromarray(FACE).save(tmp_path / "a.heic", "HEIF", transfer_characteristics=transfer, **tags)
    assert len(read_photo(tmp_path / "a.heic", HEIF).losses) == lost
    Image.fromarray(FACE).save(
        tmp_path / "a.heic", "HEIF", transfer_characteristics=transfer, icc_profile=photos.icc(), **tags
    )
    assert read_photo(tmp_path / "a.heic", HEIF).losses == ()


@pytest.mark.parametrize(
    ("info", "lost"),
    [
        (
            {"aux": {"urn:com:apple:photo:2020:aux:hdrgainmap": [2]}},
            "its auxiliary pictures, such as a gain map",
        ),
        ({"depth_images": [object()]}, "its depth map"),
    ],
)
def test_further_pictures_of_a_heic(tmp_path, monkeypatch, info, lost):
    """pillow-heif cannot write them: only what it says of such a file is given."""
    heif = pytest.importorskip("pillow_heif")
    heif.register_heif_opener(thumbnails=False)
    Image.fromarray(FACE).save(tmp_path / "a.heic", "HEIF")
    whole = Image.open

    def opened(*args: object, **given: object) -> Image.Image:
        image = whole(*args, **given)
        image.info |= info
        return image

    monkeypatch.setattr(Image, "open", opened)
    [found] = read_photo(tmp_path / "a.heic", HEIF).losses
    assert found.startswith(lost)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize(
    ("behind", "lost"),
    [
        (b"", []),
        (bytes(1000), []),  # padding
        (b"x" * 1000, ["1000 bytes behind its picture"]),
        (
            b"trailer\0\0\0\x18ftypmp42" + bytes(99),
            ["the video behind its picture, as of a motion photo"],
        ),
    ],
)
def test_what_lies_behind_a_jpeg(tmp_path, behind, lost, progressive):
    file = io.BytesIO()
    Image.fromarray(FACE).save(
        file, "JPEG", progressive=progressive, comment=b"\xff\xd9", restart_marker_rows=1
    )
    (tmp_path / "a.jpg").write_bytes(file.getvalue() + behind)
    assert list(read_photo(tmp_path / "a.jpg", JPEG).losses) == lost


def test_a_motion_photo_of_several_pictures(tmp_path):
    second = Image.fromarray(FACE)
    Image.fromarray(FACE).save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[second])
    pictures = "all but the first of its 2 pictures"
    assert read_photo(tmp_path / "a.jpg", JPEG).losses == (pictures,)
    with (tmp_path / "a.jpg").open("ab") as file:
        file.write(b"\0\0\0\x18ftypmp42" + bytes(99))
    assert len(read_photo(tmp_path / "a.jpg", JPEG).losses) == 2


def layered(path):
    """A TIFF that holds the layers of Photoshop."""
    tags = photos.exif()
    tags[LAYERS] = b"Adobe Photoshop Document Data Block\0" + bytes(80_000)
    Image.fromarray(FACE).save(path, exif=tags)
    with Image.open(path) as image:
        assert LAYERS in image.getexif()
    return read_photo(path, TIFF)


def test_layers_of_photoshop(tmp_path):
    photo = layered(tmp_path / "a.tif")
    assert photo.losses == ("its Photoshop layers",)
    write_photo(tmp_path / "out.tif", photo, TIFF)
    write_photo(tmp_path / "out.jpg", photo, JPEG)
    for name in ("out.tif", "out.jpg"):
        with Image.open(tmp_path / name) as image:
            tags = image.getexif()
        assert LAYERS not in tags
        assert tags[271] == photos.MAKE


def test_the_comment_of_a_gif(tmp_path):
    Image.fromarray(FACE).save(tmp_path / "a.gif", comment=b"x")
    assert read_photo(tmp_path / "a.gif", GIF).losses == ("its comment",)
