"""Photos of every kind, written with Pillow and OpenCV, and the metadata in them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import numpy as np
import skimage.data
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import IFDRational

XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></x:xmpmeta>'
)
MAKE, EXPOSURE, WIDTH = "Maker of cameras", 0x829A, 0xA002


@cache
def icc() -> bytes:
    """The profile of a colour space."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@cache
def face(size: int = 160) -> np.ndarray:
    """(size, size, 3) uint8 RGB: a soft portrait."""
    picture = skimage.data.astronaut()[:448, :448]
    small = cv2.resize(picture, (size // 2, size // 2), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (size, size), interpolation=cv2.INTER_CUBIC)


def exif(orientation: int = 1, width: int = 0) -> Image.Exif:
    """EXIF with tags in both of its directories."""
    tags = Image.Exif()
    tags[271], tags[274] = MAKE, orientation
    tags.get_ifd(0x8769)[EXPOSURE] = IFDRational(1, 60)
    if width:
        tags.get_ifd(0x8769)[WIDTH] = width
    return tags


def save(path: Path, samples: np.ndarray, *, orientation: int = 1, **given: object) -> Path:
    """Write ``samples`` with Pillow, with EXIF, XMP, a profile and a resolution."""
    tags = Image.Exif()
    tags.load(exif(orientation, samples.shape[1]).tobytes())  # TIFFs get only directories that were read
    if path.suffix == ".tif":
        tags[700] = XMP
    if path.suffix == ".png":
        chunk = PngInfo()
        chunk.add_itxt("XML:com.adobe.xmp", XMP.decode())
        given["pnginfo"] = chunk
    Image.fromarray(samples).save(path, exif=tags, xmp=XMP, icc_profile=icc(), dpi=(300, 300), **given)
    return path


def save_deep(path: Path, samples: np.ndarray) -> Path:
    """Write ``samples`` (H, W, 3 or 4) uint16 RGB with OpenCV, without metadata."""
    assert cv2.imwrite(str(path), samples[..., [2, 1, 0, 3][: samples.shape[2]]])
    return path


def deep(samples: np.ndarray, seed: int = 0) -> np.ndarray:
    """``samples`` uint8 as uint16, with something in the low bits."""
    low = np.random.default_rng(seed).integers(0, 256, samples.shape, np.uint16)
    return samples.astype(np.uint16) * 256 + low


def load(path: Path) -> np.ndarray:
    """The samples of a file as they are stored, by Pillow; those of 16 bits in colour by OpenCV."""
    with Image.open(path) as image:
        turned = image.getexif().get(274, 1) if image.format == "TIFF" else 1
        deep_colour = image.format == "PNG" and "16" in str(image.tile[0][3]) and image.mode != "I;16"
        if image.format == "TIFF":
            deep_colour = len(image.tag_v2[258]) > 1 and image.tag_v2[258][0] == 16
        if not deep_colour:
            assert turned == 1, "Pillow turns TIFFs"
            return np.asarray(image)
    read = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    return read[..., [2, 1, 0, 3][: read.shape[2]]]
