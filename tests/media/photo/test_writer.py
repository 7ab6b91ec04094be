"""Photos as they are written, read by Pillow and OpenCV."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps, JpegImagePlugin
from PIL.PngImagePlugin import PngInfo

from tests.support import photos
from vidrestore.errors import UsageError
from vidrestore.media.photo.formats import AVIF, HEIF, JPEG, PNG, TIFF, WEBP, format_by_name, photo_format
from vidrestore.media.photo.picture import picture_of
from vidrestore.media.photo.reader import read_photo
from vidrestore.media.photo.writer import check_photo_size, losses, write_photo

FACE = photos.face(64)
ALPHA = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)
SOURCES = {
    "grey": lambda folder: photos.save(folder / "in.png", FACE[..., 0], orientation=6),
    "colour": lambda folder: photos.save(folder / "in.png", FACE, orientation=6),
    "alpha": lambda folder: photos.save(
        folder / "in.png", np.dstack([FACE, ALPHA.astype(np.uint8)]), orientation=6
    ),
    "deep": lambda folder: photos.save_deep(folder / "in.png", photos.deep(FACE)),
    "deep alpha": lambda folder: photos.save_deep(
        folder / "in.png", np.dstack([photos.deep(FACE), ALPHA * 16])
    ),
}


def copied(source: Path, out: Path) -> Path:
    """``source`` read and written again."""
    write_photo(out, read_photo(source, photo_format(source)), format_by_name(out))
    return out


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("name", SOURCES)
def test_what_is_lossless_is_bit_identical(tmp_path, name, suffix):
    source = SOURCES[name](tmp_path)
    out = copied(source, tmp_path / f"out{suffix}")
    photo, again = (read_photo(path, photo_format(path)) for path in (source, out))
    assert (again.samples() == photo.samples()).all()
    if suffix == ".png":
        assert (photos.load(out) == photos.load(source)).all()


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg", ".webp", ".avif"])
@pytest.mark.parametrize("source", [".png", ".tif", ".jpg", ".webp"])
def test_metadata_is_kept_from_format_to_format(tmp_path, source, suffix):
    path = photos.save(tmp_path / f"in{source}", FACE, orientation=6)
    out = copied(path, tmp_path / f"out{suffix}")
    with Image.open(out) as image:
        exif = image.getexif()
        assert exif[271] == photos.MAKE
        assert exif[274] == 6
        assert float(exif.get_ifd(0x8769)[photos.EXPOSURE]) == pytest.approx(1 / 60)
        assert image.info["icc_profile"] == photos.icc()
        assert (exif[700] if suffix == ".tif" else image.info["xmp"]) == photos.XMP
        if suffix in (".png", ".tif", ".jpg") and source != ".webp":
            assert [round(value) for value in image.info["dpi"]] == [300, 300]


def test_a_jpeg_keeps_its_subsampling_and_loses_little(tmp_path):
    source, samples = tmp_path / "in.jpg", FACE
    for _ in range(2):
        Image.fromarray(samples).save(source, quality=60, subsampling=2, progressive=True)
        samples = np.asarray(Image.open(source))
    out = copied(source, tmp_path / "out.jpg")
    with Image.open(out) as image:
        assert JpegImagePlugin.get_sampling(image) == 2
        assert image.info["progressive"]
        assert np.abs(np.asarray(image).astype(int) - samples).mean() < 1.5
        assert max(image.quantization[0]) < 20


def test_a_fine_jpeg_keeps_its_tables(tmp_path):
    Image.fromarray(FACE).save(tmp_path / "in.jpg", quality=99, subsampling=0)
    out = copied(tmp_path / "in.jpg", tmp_path / "out.jpg")
    assert Image.open(out).quantization == Image.open(tmp_path / "in.jpg").quantization


def test_webp_is_as_lossless_as_its_source(tmp_path):
    source = SOURCES["alpha"](tmp_path)
    assert (np.asarray(Image.open(copied(source, tmp_path / "a.webp"))) == photos.load(source)).all()
    Image.fromarray(FACE).save(tmp_path / "in.jpg")
    out = copied(tmp_path / "in.jpg", tmp_path / "b.webp")
    assert b"VP8L" not in out.read_bytes()


def test_sixteen_bits_are_rounded_for_eight(tmp_path):
    source = SOURCES["deep"](tmp_path)
    out = copied(source, tmp_path / "a.webp")
    expected = np.rint(photos.load(source) / 257)
    assert (np.asarray(Image.open(out)) == expected).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_heic_is_stored_upright(tmp_path, orientation):
    pytest.importorskip("pillow_heif")
    source = photos.save(tmp_path / "in.png", FACE[:, :48], orientation=orientation)
    with Image.open(copied(source, tmp_path / "a.heic")) as image, Image.open(source) as before:
        assert image.getexif().get(274, 1) == 1
        assert not image.info.get("original_orientation")
        expected = np.asarray(ImageOps.exif_transpose(before)).astype(int)
        assert np.abs(np.asarray(image) - expected).mean() < 4


def test_heic_is_written(tmp_path):
    pytest.importorskip("pillow_heif")
    out = copied(SOURCES["colour"](tmp_path), tmp_path / "a.heic")
    with Image.open(out) as image:
        assert image.info["icc_profile"] == photos.icc()
        assert image.getexif()[271] == photos.MAKE


def test_iptc_stays_in_a_jpeg(tmp_path):
    iptc = b"\xff\xed" + (16 + 4).to_bytes(2, "big") + b"Photoshop 3.0\0" + b"8BIM"
    Image.fromarray(FACE).save(tmp_path / "in.jpg", extra=iptc)
    assert iptc in copied(tmp_path / "in.jpg", tmp_path / "out.jpg").read_bytes()


@pytest.mark.parametrize(
    ("name", "kind", "lost"),
    [
        ("deep alpha", JPEG, ("its 16 bits per sample, of which 8 are kept", "its transparency")),
        ("deep alpha", WEBP, ("its 16 bits per sample, of which 8 are kept",)),
        ("deep alpha", PNG, ()),
        ("deep alpha", TIFF, ()),
        ("alpha", AVIF, ()),
    ],
)
def test_what_a_format_cannot_hold_is_named(tmp_path, name, kind, lost):
    assert losses(read_photo(SOURCES[name](tmp_path), PNG), kind) == lost


def test_what_only_a_png_says_is_named(tmp_path):
    text = PngInfo()
    text.add(b"cICP", bytes([9, 16, 0, 1]))
    text.add_text("Author", "somebody")
    Image.fromarray(FACE).save(tmp_path / "in.png", pnginfo=text)
    photo = read_photo(tmp_path / "in.png", PNG)
    colours = "the colours and light that its chunks cICP, mDCV and cLLI state"
    assert losses(photo, PNG) == ()
    assert losses(photo, TIFF) == losses(photo, JPEG) == (colours, "its text chunks")
    gamma = PngInfo()
    gamma.add(b"gAMA", (100000).to_bytes(4, "big"))
    Image.fromarray(FACE).save(tmp_path / "linear.png", pnginfo=gamma)
    assert losses(read_photo(tmp_path / "linear.png", PNG), TIFF) == (
        "its gamma and chromaticities (gAMA, cHRM)",
    )
    Image.fromarray(FACE).save(tmp_path / "profiled.png", pnginfo=gamma, icc_profile=photos.icc())
    assert losses(read_photo(tmp_path / "profiled.png", PNG), TIFF) == ()


@pytest.mark.parametrize(
    ("kind", "size", "message"),
    [
        (WEBP, (16384, 10), "WEBP holds at most 16383 pixels a side"),
        (PNG, (20000, 20000), "more than the 130 million pixels"),
    ],
)
def test_sizes_that_cannot_be_written(kind, size, message):
    with pytest.raises(UsageError, match=message):
        check_photo_size(Path("a"), kind, size)
    check_photo_size(Path("a"), kind, (100, 100))


def test_heic_without_its_library_is_one_sentence(monkeypatch):
    monkeypatch.setattr("vidrestore.media.photo.formats.find_spec", lambda name: None)
    with pytest.raises(UsageError, match="writing HEIC needs pillow-heif"):
        check_photo_size(Path("a.heic"), HEIF, (10, 10))


def test_16_bit_grey_with_alpha_stays_grey(tmp_path):
    source = tmp_path / "in.png"
    wanted = np.dstack([photos.deep(FACE[..., 0]), ALPHA * 16])
    # Written as colours with alpha by OpenCV; Pillow and OpenCV read what this package writes.
    photo = read_photo(photos.save_deep(source, wanted[..., [0, 0, 0, 1]]), PNG)
    photo = replace(photo, picture=picture_of(wanted[..., 0]))
    write_photo(tmp_path / "out.png", photo, PNG)
    with Image.open(tmp_path / "out.png") as image:
        image.verify()
    # Of 16 bits, and of colour type 4, grey and alpha (PNG, 11.2.1).
    assert tuple((tmp_path / "out.png").read_bytes()[24:26]) == (16, 4)
    assert (photos.load(tmp_path / "out.png") == wanted[..., [0, 0, 0, 1]]).all()
    assert (read_photo(tmp_path / "out.png", PNG).samples() == wanted).all()


@pytest.mark.parametrize("suffix", [".avif", ".heic", ".jpg", ".tif"])
def test_grey_stays_grey(tmp_path, suffix):
    if suffix == ".heic":
        pytest.importorskip("pillow_heif")
    out = copied(SOURCES["grey"](tmp_path), tmp_path / f"out{suffix}")
    with Image.open(out) as image:
        assert image.mode == "L"


def test_the_comment_of_a_jpeg_stays_in_a_jpeg(tmp_path):
    Image.fromarray(FACE).save(tmp_path / "in.jpg", comment=b"x")
    with Image.open(copied(tmp_path / "in.jpg", tmp_path / "out.jpg")) as image:
        assert image.info["comment"] == b"x"
    photo = read_photo(tmp_path / "in.jpg", JPEG)
    assert losses(photo, JPEG) == ()
    assert losses(photo, PNG) == ("its comment",)


def test_the_transparent_value_of_16_bit_grey_is_kept_as_alpha(tmp_path):
    samples = photos.deep(FACE[..., 0])
    given = Image.fromarray(samples)
    given.save(tmp_path / "in.png", transparency=int(samples[3, 5]))
    with Image.open(tmp_path / "in.png") as image:
        assert (image.mode, image.info["transparency"]) == ("I;16", samples[3, 5])
    out = read_photo(copied(tmp_path / "in.png", tmp_path / "out.png"), PNG)
    assert (out.samples()[..., 0] == samples).all()
    assert (out.alpha == np.where(samples == samples[3, 5], 0, 65535)).all()


def test_colours_of_a_jpeg_whose_subsampling_has_no_number_are_kept(tmp_path):
    """Such as 4:4:0, which a 4:2:2 picture becomes that is turned without loss."""
    Image.fromarray(FACE).save(tmp_path / "in.jpg", quality=95, subsampling=0)
    photo = read_photo(tmp_path / "in.jpg", JPEG)
    assert photo.jpeg is not None
    write_photo(tmp_path / "out.jpg", replace(photo, jpeg=photo.jpeg._replace(subsampling=-1)), JPEG)
    with Image.open(tmp_path / "out.jpg") as image:
        assert JpegImagePlugin.get_sampling(image) == 0
