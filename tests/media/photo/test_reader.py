"""Photos of every kind are read bit for bit, and damaged ones end in one sentence."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from tests.support import photos
from vidrestore.errors import InputError
from vidrestore.media.photo.formats import AVIF, GIF, HEIF, JPEG, PNG, TIFF, WEBP, photo_format
from vidrestore.media.photo.reader import read_photo

RNG = np.random.default_rng(0)
COLOUR = RNG.integers(0, 256, (20, 30, 3), np.uint8)
GREY = COLOUR[..., 0]


@pytest.mark.parametrize("orientation", [1, 3, 6, 7])
@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg", ".webp"])
def test_samples_are_those_in_the_file(tmp_path, suffix, orientation):
    given = {".webp": {"lossless": True}}.get(suffix, {})
    path = photos.save(tmp_path / f"a{suffix}", COLOUR, orientation=orientation, **given)
    photo = read_photo(path, photo_format(path))
    assert photo.metadata.orientation == orientation
    assert photo.lossless == (suffix != ".jpg")
    if suffix == ".jpg":
        assert (photo.samples() == np.asarray(Image.open(path))).all()
    else:
        assert (photo.samples() == COLOUR).all()


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize(("kind", "suffix"), [(PNG, ".png"), (TIFF, ".tiff")])
def test_sixteen_bits(tmp_path, kind, suffix, channels):
    samples = photos.deep(RNG.integers(0, 256, (20, 30, channels), np.uint8))
    photo = read_photo(photos.save_deep(tmp_path / f"a{suffix}", samples), kind)
    assert photo.bits == 16
    assert (photo.alpha is not None) == (channels == 4)
    assert (photo.samples() == samples).all()


def raw_tiff(path: Path, bits: int, samples: np.ndarray, *, photometric: int, orientation: int = 1) -> Path:
    """An uncompressed TIFF of ``samples`` (H, W) or (H, W, 3) as they are stored; 12 bits are packed."""
    height, width = samples.shape[:2]
    count = samples.size // (height * width)
    if bits == 16:
        data = samples.astype("<u2").tobytes()
    else:
        digits = "".join(f"{value:012b}" for value in samples.ravel())
        data = int(digits, 2).to_bytes(len(digits) // 8, "big")
    depths = struct.pack("<3H", bits, bits, bits)
    at = 8 + len(data)  # of the depths of three samples, which do not fit into their entry
    tags = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, count, bits if count == 1 else at)]
    tags += [(259, 3, 1, 1), (262, 3, 1, photometric), (273, 4, 1, 8), (274, 3, 1, orientation)]
    tags += [(277, 3, 1, count), (278, 4, 1, height), (279, 4, 1, len(data))]
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    directory = struct.pack("<H", len(tags)) + entries + bytes(4)
    path.write_bytes(b"II*\0" + struct.pack("<I", at + len(depths)) + data + depths + directory)
    return path


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_deep_tiff_that_is_displayed_turned(tmp_path, orientation):
    samples = photos.deep(COLOUR)
    path = raw_tiff(tmp_path / "a.tif", 16, samples, photometric=2, orientation=orientation)
    photo = read_photo(path, TIFF)
    assert photo.metadata.orientation == orientation
    assert (photo.samples() == samples).all()


@pytest.mark.parametrize(("bits", "white_is_zero"), [(16, False), (16, True), (12, False)])
def test_grey_tiffs_are_as_bright_as_they_are_displayed(tmp_path, bits, white_is_zero):
    shown = np.linspace(0, 65535, 64).reshape(8, 8).round().astype(int)
    stored = np.arange(64).reshape(8, 8) * 65 if bits == 12 else 65535 - shown if white_is_zero else shown
    photo = read_photo(raw_tiff(tmp_path / "a.tif", bits, stored, photometric=1 - white_is_zero), TIFF)
    assert photo.bits == 16
    wanted = stored * 65535 / 4095 if bits == 12 else shown
    assert np.abs(photo.samples().astype(float) - wanted).max() <= (8 if bits == 12 else 0)
    assert photo.samples()[0, 0] == 0
    assert photo.samples()[-1, -1] == 65535


@pytest.mark.parametrize(("kind", "suffix"), [(PNG, ".png"), (TIFF, ".tif")])
def test_sixteen_bits_of_grey(tmp_path, kind, suffix):
    Image.fromarray(samples := photos.deep(GREY)).save(tmp_path / f"a{suffix}")
    photo = read_photo(tmp_path / f"a{suffix}", kind)
    assert photo.is_grey
    assert (photo.samples() == samples).all()


def grey_with_alpha() -> Image.Image:
    return Image.fromarray(COLOUR[..., :2], "LA")


@pytest.mark.parametrize(
    ("image", "is_grey", "alpha"),
    [
        (Image.fromarray(GREY), True, False),
        (Image.fromarray(GREY > 99), True, False),
        (grey_with_alpha(), True, True),
        (Image.fromarray(COLOUR).quantize(20), False, False),
        (Image.fromarray(GREY).quantize(20).convert("L").convert("P"), True, False),
        (Image.fromarray(np.dstack([COLOUR, GREY])), False, True),
    ],
    ids=["grey", "bilevel", "grey with alpha", "palette", "grey palette", "alpha"],
)
def test_kinds_of_samples(tmp_path, image, is_grey, alpha):
    image.save(tmp_path / "a.png")
    photo = read_photo(tmp_path / "a.png", PNG)
    assert photo.is_grey == is_grey
    assert (photo.alpha is not None) == alpha
    expected = image.convert(("L" if is_grey else "RGB") + ("A" if alpha else ""))
    assert (photo.samples() == np.asarray(expected)).all()


def test_a_palette_with_a_transparent_colour(tmp_path):
    Image.fromarray(COLOUR).quantize(8).save(tmp_path / "a.png", transparency=3)
    photo = read_photo(tmp_path / "a.png", PNG)
    assert photo.alpha is not None
    assert (photo.samples() == np.asarray(Image.open(tmp_path / "a.png").convert("RGBA"))).all()


def png(path, width, height, bits, colour, transparent, rows):
    """A PNG with a transparent colour (PNG, third edition, sections 5 and 11)."""
    head = struct.pack(">2I5B", width, height, bits, colour, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    chunks = ((b"IHDR", head), (b"tRNS", transparent), (b"IDAT", data), (b"IEND", b""))
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(c)) + name + c + struct.pack(">I", zlib.crc32(name + c))
            for name, c in chunks
        )
    )
    return path


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_a_transparent_grey(tmp_path, bits):
    most, width = 2**bits - 1, 64
    values = np.random.default_rng(bits).integers(0, most + 1, (20, width))
    if bits < 8:
        planes = (values[..., None] >> np.arange(bits)[::-1]) & 1
        rows = [np.packbits(row.ravel()).tobytes() for row in planes]
    else:
        rows = [row.astype(f">u{bits // 8}").tobytes() for row in values]
    photo = read_photo(png(tmp_path / "a.png", width, 20, bits, 0, struct.pack(">H", most), rows), PNG)
    assert photo.is_grey
    full = 65535 if bits == 16 else 255
    assert (photo.alpha == np.where(values == most, 0, full)).all()
    assert (photo.samples()[..., 0] == values * full // most).all()


def test_a_transparent_colour_of_16_bits(tmp_path):
    values = np.random.default_rng(0).integers(0, 65536, (20, 30, 3)).astype(np.uint16)
    values[5, 7] = values[9, 9] = (1, 2, 3)
    values[9, 10] = (1, 2, 4)  # differs in the lower eight bits alone
    rows = [row.astype(">u2").tobytes() for row in values]
    photo = read_photo(png(tmp_path / "a.png", 30, 20, 16, 2, struct.pack(">3H", 1, 2, 3), rows), PNG)
    assert (photo.samples()[..., :3] == values).all()
    assert photo.alpha.dtype == np.uint16
    assert np.argwhere(photo.alpha == 0).tolist() == [[5, 7], [9, 9]]
    assert (photo.alpha[photo.alpha > 0] == 65535).all()


def test_a_still_gif(tmp_path):
    Image.fromarray(COLOUR).quantize(50).save(tmp_path / "a.gif")
    assert read_photo(tmp_path / "a.gif", GIF).size == (30, 20)


def test_avif_and_heic(tmp_path):
    Image.fromarray(photos.face(64)).save(tmp_path / "a.avif", quality=95)
    assert read_photo(tmp_path / "a.avif", AVIF).size == (64, 64)
    heif = pytest.importorskip("pillow_heif")
    heif.register_heif_opener()
    Image.fromarray(photos.face(64)).save(tmp_path / "a.heic", quality=95)
    photo = read_photo(tmp_path / "a.heic", HEIF)
    assert np.abs(photo.samples().astype(int) - photos.face(64)).mean() < 3


def test_heic_without_its_library_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr("vidrestore.media.photo.formats.find_spec", lambda name: None)
    with pytest.raises(InputError, match="install vidrestore"):
        read_photo(tmp_path / "a.heic", HEIF)


def test_how_a_jpeg_was_compressed(tmp_path):
    Image.fromarray(COLOUR).save(tmp_path / "a.jpg", quality=80, subsampling=1, progressive=True)
    settings = read_photo(tmp_path / "a.jpg", JPEG).jpeg
    assert settings.subsampling == 1
    assert settings.progressive
    assert [list(table) for table in settings.tables] == list(
        Image.open(tmp_path / "a.jpg").quantization.values()
    )


def test_cmyk_becomes_srgb_by_its_profile(tmp_path):
    cmyk = Image.fromarray(COLOUR).convert("CMYK")
    cmyk.save(tmp_path / "bare.jpg")
    with pytest.raises(InputError, match="CMYK without a colour profile"):
        read_photo(tmp_path / "bare.jpg", JPEG)
    # Any profile of another kind of samples is refused, in one sentence, and so is what is none.
    cmyk.save(tmp_path / "junk.jpg", icc_profile=b"junk" * 60)
    with pytest.raises(InputError, match="CMYK with a colour profile that cannot be used"):
        read_photo(tmp_path / "junk.jpg", JPEG)
    cmyk.save(tmp_path / "wrong.jpg", icc_profile=photos.icc())
    with pytest.raises(InputError, match="CMYK with a colour profile that cannot be used"):
        read_photo(tmp_path / "wrong.jpg", JPEG)


def test_pages_that_are_lost_are_named(tmp_path):
    first, second = Image.fromarray(COLOUR), Image.fromarray(COLOUR[::-1])
    first.save(tmp_path / "a.tif", save_all=True, append_images=[second])
    photo = read_photo(tmp_path / "a.tif", TIFF)
    assert photo.losses == ("all but the first of its 2 pictures",)
    assert (photo.samples() == COLOUR).all()


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg", ".webp", ".avif"])
@pytest.mark.parametrize("share", [0.2, 0.7])
def test_a_file_that_is_cut_short_is_one_sentence(tmp_path, suffix, share):
    path = tmp_path / f"a{suffix}"
    Image.fromarray(RNG.integers(0, 256, (90, 90, 3), np.uint8)).save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    kind = photo_format(path)
    with pytest.raises(InputError, match="cannot be read as") as caught:
        read_photo(path, kind)
    assert "\n" not in str(caught.value)


def test_sixteen_bits_cut_short(tmp_path):
    path = photos.save_deep(tmp_path / "a.png", photos.deep(COLOUR))
    path.write_bytes(path.read_bytes()[:-600])
    with pytest.raises(InputError, match="cannot be read as PNG"):
        read_photo(path, PNG)


def bomb(width: int, height: int) -> bytes:
    """A PNG that states that size and holds hardly anything."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")

    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes((8, 2, 0, 0, 0))
    content = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", content) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(12000, 11000), (30000, 30000), (2**31 - 1, 2**31 - 1)])
def test_a_picture_that_is_too_large_is_refused_before_it_is_read(tmp_path, size):
    (tmp_path / "a.png").write_bytes(bomb(*size))
    with pytest.raises(InputError, match=r"more pixels|more than the 130 million"):
        read_photo(tmp_path / "a.png", PNG)


def test_a_bomb_of_text_is_one_sentence(tmp_path):
    from PIL.PngImagePlugin import PngInfo

    text = PngInfo()
    text.add_text("bomb", "a" * 68_000_000, zip=True)
    Image.fromarray(COLOUR).save(tmp_path / "a.png", pnginfo=text)
    with pytest.raises(InputError, match="cannot be read as PNG"):
        read_photo(tmp_path / "a.png", PNG)


def test_raw_files_and_floats_are_refused(tmp_path):
    Image.fromarray(COLOUR).save(tmp_path / "raw.tif", tiffinfo={50706: b"\1\4\0\0"})
    with pytest.raises(InputError, match="raw file"):
        read_photo(tmp_path / "raw.tif", TIFF)
    Image.fromarray(GREY.astype(np.float32)).save(tmp_path / "float.tif")
    with pytest.raises(InputError, match="32 bits or floats"):
        read_photo(tmp_path / "float.tif", TIFF)


def test_whether_a_webp_is_lossless(tmp_path):
    Image.fromarray(COLOUR).save(tmp_path / "a.webp", quality=80, exif=photos.exif())
    Image.fromarray(COLOUR).save(tmp_path / "b.webp", lossless=True, exif=photos.exif())
    assert not read_photo(tmp_path / "a.webp", WEBP).lossless
    assert read_photo(tmp_path / "b.webp", WEBP).lossless


def test_the_profile_of_a_converted_photo_is_srgb():
    profile = ImageCms.ImageCmsProfile(io.BytesIO(photos.icc()))
    assert "sRGB" in ImageCms.getProfileDescription(profile)
