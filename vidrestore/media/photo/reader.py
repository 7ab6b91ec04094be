"""Reads photos: samples as they are stored, bit for bit, and metadata."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageCms, JpegImagePlugin

from ...errors import InputError, VidrestoreError
from .formats import HEIF, JPEG, MOST_PIXELS, TIFF, WEBP, PhotoFormat, add_heif
from .left_out import left_out
from .metadata import Metadata, read_metadata
from .picture import JpegSettings, Photo, picture_of

#: What turns displayed samples (H, W, ...) back to the stored ones, by EXIF's orientation.
_STORED: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    2: np.fliplr,
    3: lambda samples: np.rot90(samples, 2),
    4: np.flipud,
    5: lambda samples: samples.swapaxes(0, 1),
    6: np.rot90,
    7: lambda samples: np.rot90(samples, 2).swapaxes(0, 1),
    8: lambda samples: np.rot90(samples, 3),
}
#: Tags of TIFFs that are raw files of cameras: DNGVersion, and Canon's.
_RAW_TAGS = (50706, 50752)
#: Compressions of a TIFF's samples that lose some.
_LOSSY_TIFF = ("jpeg", "tiff_jpeg", "webp")


def read_photo(path: Path, kind: PhotoFormat) -> Photo:
    """Read a file that :func:`.formats.photo_format` knows as ``kind``.

    The samples come as they are stored, not turned. A palette becomes RGB, CMYK becomes sRGB by its profile.

    Raises:
        InputError: It is damaged, cut short, too large or of a kind that cannot be kept.
    """
    with _opened(path, kind) as image:
        # First: reading metadata may load the samples.
        deep, grey = _is_deep_colour(image, path), _is_deep_grey(image)
        _stretch_transparency(image)
        metadata = read_metadata(image, path, kind)
        if kind is TIFF and any(tag in image.getexif() for tag in _RAW_TAGS):
            raise InputError(f"{path} is a camera's raw file; develop it to TIFF, PNG or JPEG first")
        losses = left_out(image, path, kind)
        lossless = kind.lossless and image.info.get("compression") not in _LOSSY_TIFF
        if kind is WEBP:
            lossless = _is_lossless_webp(path)
        jpeg = _jpeg_settings(image) if isinstance(image, JpegImagePlugin.JpegImageFile) else None
        stretch = _grey_stretch(image)
        image.load()
        if image.mode == "CMYK":
            losses += ("its CMYK inks, which are converted to sRGB by its profile",)
            image, metadata = _to_srgb(image, metadata, path)
            lossless = False
        transparent = image.info.get("transparency") if image.mode == "RGB" else None
        samples = (
            _deep_samples(path, np.asarray(image), transparent) if deep else stretch(_samples(image, path))
        )
        if kind is TIFF and metadata.orientation != 1:  # Pillow and OpenCV have turned it
            samples = np.ascontiguousarray(_STORED[metadata.orientation](samples))
        if grey:
            samples = np.ascontiguousarray(samples[..., [0, 3]])
    alpha = None
    if samples.ndim == 3 and samples.shape[2] in (2, 4):
        alpha = np.ascontiguousarray(samples[..., -1])
        samples = samples[..., 0] if samples.shape[2] == 2 else samples[..., :3]
    return Photo(
        path=path,
        kind=kind,
        picture=picture_of(samples, metadata.orientation),
        alpha=alpha,
        metadata=metadata,
        lossless=lossless,
        jpeg=jpeg,
        losses=losses,
    )


@contextmanager
def _opened(path: Path, kind: PhotoFormat) -> Iterator[Image.Image]:
    """The file opened by Pillow, whatever it raises turned into an InputError."""
    names = ["JPEG", "MPO"] if kind is JPEG else [kind.name]
    if kind is HEIF and not add_heif():
        raise InputError(f"{path} is HEIC; install vidrestore[heif] to read it, or convert it to PNG first")
    # A damaged or hostile file can make a library raise anything.
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=names) as image:
                width, height = image.size
                if width * height > MOST_PIXELS:
                    raise InputError(_too_large(path, f"{width}x{height}"))
                yield image
    except VidrestoreError:
        raise
    except Image.DecompressionBombError:
        raise InputError(_too_large(path, "far")) from None
    except PermissionError:
        raise InputError(f"{path} cannot be read: permission denied") from None
    except (Exception, MemoryError) as error:
        reason = str(error).replace(str(path), path.name).splitlines()
        raise InputError(
            f"{path} cannot be read as {kind.name} ({reason[0] if reason else type(error).__name__}); it is "
            "damaged, cut short or of a kind that is not supported"
        ) from None


def _too_large(path: Path, size: str) -> str:
    return (
        f"{path} has {size} pixels, more than the {MOST_PIXELS // 10**6} million that a photo may have; "
        "make it smaller or cut it up first"
    ).replace("has far pixels, more", "has far more pixels")


def _is_deep_colour(image: Image.Image, path: Path) -> bool:
    """Whether a file has 16 bits per sample and more than one channel, which Pillow would read as 8."""
    if image.format == "TIFF":
        bits = image.tag_v2.get(258, (1,))  # pyright: ignore[reportAttributeAccessIssue]
        if max(bits) > 16 or 3 in image.tag_v2.get(339, ()):  # pyright: ignore[reportAttributeAccessIssue]
            raise InputError(f"{path} has samples of {max(bits)} bits or floats; convert it to 16 bits first")
        return len(bits) > 1 and max(bits) == 16 and image.mode != "CMYK"
    return image.format == "PNG" and image.mode in ("RGB", "RGBA", "LA") and "16" in str(image.tile[0][3])  # pyright: ignore[reportAttributeAccessIssue]


def _is_deep_grey(image: Image.Image) -> bool:
    """Whether a PNG holds grey and alpha of 16 bits, which libraries read as colours."""
    return image.format == "PNG" and image.tile[0][3] == "LA;16B"  # pyright: ignore[reportAttributeAccessIssue]


def _grey_stretch(image: Image.Image) -> Callable[[np.ndarray], np.ndarray]:
    """What turns the grey samples of more than 8 bits that Pillow reads from a TIFF, as they are stored, into
    those of 16 bits of which 0 is black (TIFF 6.0, section 3: PhotometricInterpretation, BitsPerSample)."""
    if image.format != "TIFF" or not image.mode.startswith("I;16"):
        return lambda samples: samples
    tags = image.tag_v2  # pyright: ignore[reportAttributeAccessIssue]
    bits, white_is_zero = tags.get(258, (16,))[0], tags.get(262, 1) == 0

    def stretch(samples: np.ndarray) -> np.ndarray:
        if bits < 16:
            samples = samples << (16 - bits) | samples >> (2 * bits - 16)
        return 65535 - samples if white_is_zero else samples

    return stretch


def _stretch_transparency(image: Image.Image) -> None:
    """Turn the transparent grey of a PNG of 2 or 4 bits, before it is loaded, into that of Pillow's
    samples, which have 8 (PNG, third edition, section 11.3.1.1)."""
    factor = {"L;2": 85, "L;4": 17}.get(image.tile[0][3]) if image.format == "PNG" else None  # pyright: ignore[reportAttributeAccessIssue]
    if factor and "transparency" in image.info:
        image.info["transparency"] *= factor


def _deep_samples(
    path: Path, eight_bits: np.ndarray, transparent: tuple[int, int, int] | None = None
) -> np.ndarray:
    """Samples of 16 bits, with alpha if one colour of them is ``transparent``; ``eight_bits`` are the same as
    Pillow reads them."""
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    read = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if read is None or read.dtype != np.uint16 or read.ndim != 3 or read.shape[:2] != eight_bits.shape[:2]:
        raise InputError(f"{path} has 16 bits in a layout that is not supported; save it as PNG first")
    samples = np.ascontiguousarray(read[..., [2, 1, 0, 3][: 3 if transparent else read.shape[2]]])
    if eight_bits.shape[2] == 2:
        samples = np.ascontiguousarray(samples[..., [0, 3]])
    if samples.shape != eight_bits.shape or (samples[::16] // 256 != eight_bits[::16]).any():
        raise InputError(f"{path} has 16 bits in a layout that is not supported; save it as PNG first")
    if transparent:
        opaque = (samples != np.array(transparent, np.uint16)).any(axis=2)
        samples = np.dstack([samples, opaque.astype(np.uint16) * 65535])
    return samples


def _samples(image: Image.Image, path: Path) -> np.ndarray:
    """Samples of 8 bits, or grey ones of 16, with alpha if one value of them is transparent."""
    transparent = "transparency" in image.info
    if image.mode.startswith("I;16"):
        samples = np.asarray(image).astype(np.uint16)
        if transparent:
            opaque = samples != image.info["transparency"]
            samples = np.dstack([samples, opaque.astype(np.uint16) * 65535])
        return samples
    mode = {"1": "L", "L": "L", "LA": "LA", "La": "LA", "RGB": "RGB", "RGBA": "RGBA", "RGBa": "RGBA"}.get(
        image.mode
    )
    if image.mode in ("P", "PA"):
        entries = np.asarray(image.getpalette("RGB") or [0, 0, 0]).reshape(-1, 3)
        mode = "L" if (entries == entries[:, :1]).all() else "RGB"
        if transparent or image.mode == "PA":
            mode = {"L": "LA", "RGB": "RGBA"}[mode]
    elif image.mode in ("YCbCr", "RGBX"):
        mode = "RGB"
    elif transparent and mode in ("L", "RGB"):
        mode = {"L": "LA", "RGB": "RGBA"}[mode]
    if mode is None:
        raise InputError(
            f"{path} has samples of Pillow's kind {image.mode}, which are not supported; convert it to RGB"
        )
    if mode == "LA" and image.mode != "LA":  # Pillow converts a palette to LA by way of luma
        samples = np.asarray(image.convert("RGBA"))
        return np.ascontiguousarray(samples[..., [0, 3]])
    return np.asarray(image if image.mode == mode else image.convert(mode))


def _to_srgb(image: Image.Image, metadata: Metadata, path: Path) -> tuple[Image.Image, Metadata]:
    if not metadata.icc:
        raise InputError(
            f"{path} is CMYK without a colour profile that says what its inks are; convert it to RGB"
        )
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    try:
        inks = ImageCms.ImageCmsProfile(io.BytesIO(metadata.icc))
        converted = ImageCms.profileToProfile(image, inks, srgb, outputMode="RGB")
    except (OSError, ImageCms.PyCMSError):
        raise InputError(
            f"{path} is CMYK with a colour profile that cannot be used; convert it to RGB"
        ) from None
    assert converted is not None
    kept = Metadata(
        exif=metadata.exif,
        xmp=metadata.xmp,
        icc=srgb.tobytes(),
        dpi=metadata.dpi,
        orientation=metadata.orientation,
        own=metadata.own,
    )
    return converted, kept


def _jpeg_settings(image: JpegImagePlugin.JpegImageFile) -> JpegSettings | None:
    """How it was compressed; None unless it is YCbCr or grey in the usual two tables."""
    tables = image.quantization
    if not set(tables) <= {0, 1} or 0 not in tables:
        return None
    return JpegSettings(
        tuple(tuple(tables[number]) for number in sorted(tables)),
        JpegImagePlugin.get_sampling(image),
        bool(image.info.get("progressive")),
    )


def _is_lossless_webp(path: Path) -> bool:
    """Whether its picture is in a chunk VP8L (RFC 9649, section 2.6)."""
    with path.open("rb") as file:
        file.seek(12)
        while len(head := file.read(8)) == 8:
            if head[:4] in (b"VP8L", b"VP8 "):
                return head[:4] == b"VP8L"
            length = int.from_bytes(head[4:], "little")
            file.seek(length + length % 2, 1)
    return False
