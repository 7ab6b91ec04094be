"""Contact sheets: images side by side in rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from ..errors import OutputError

#: A row of a sheet: its label, and an image (S, S, 3) RGB uint8 for each column.
SheetRow = tuple[str, Sequence[np.ndarray]]

_CELL = 256  #: side of an image in pixels
_HEAD = 22  #: height of a line of text
_GAP = 2
_MIN_WIDTH = 400  #: pixels; a narrower sheet is not shrunk further


def contact_sheet(columns: Sequence[str], rows: Sequence[SheetRow]) -> np.ndarray:
    """Draw rows of images under the column names ``columns``. Return the sheet (H, W, 3) RGB uint8."""
    across, down = _CELL + _GAP, _CELL + _HEAD + _GAP
    sheet = np.full((_HEAD + len(rows) * down, len(columns) * across, 3), 255, np.uint8)
    for x, name in enumerate(columns):
        _write(sheet, name, x * across, 0)
    for y, (label, images) in enumerate(rows):
        top = _HEAD + y * down
        _write(sheet, label, 0, top)
        for x, image in enumerate(images):
            place = slice(top + _HEAD, top + _HEAD + _CELL), slice(x * across, x * across + _CELL)
            sheet[place] = thumbnail(image)
    return sheet


def thumbnail(image: np.ndarray) -> np.ndarray:
    """Resize an image (S, S, 3) to its size on a sheet."""
    shrink = image.shape[0] > _CELL
    return cv2.resize(image, (_CELL, _CELL), interpolation=cv2.INTER_AREA if shrink else cv2.INTER_CUBIC)


def save_sheet(path: Path, sheet: np.ndarray, *, limit: int) -> None:
    """Write a sheet (H, W, 3) RGB uint8 as JPEG or PNG of at most ``limit`` bytes.

    The quality is lowered first, then the size, but not much below a width of 400 pixels. Raises OutputError.
    """
    if path.suffix.lower() not in (".jpg", ".jpeg", ".png"):
        raise OutputError(
            f"cannot write a contact sheet as {path.name}; give a name that ends in .jpg or .png"
        )
    lossless = path.suffix.lower() == ".png"
    image = cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR)
    while True:
        for quality in (9,) if lossless else (92, 86, 80):
            option = cv2.IMWRITE_PNG_COMPRESSION if lossless else cv2.IMWRITE_JPEG_QUALITY
            data = cv2.imencode(path.suffix, image, [option, quality])[1]
            if len(data) <= limit or image.shape[1] < _MIN_WIDTH:
                try:
                    path.write_bytes(data.tobytes())
                except OSError as error:
                    raise OutputError(f"cannot write {path}: {error.strerror}") from None
                return
        image = cv2.resize(image, None, fx=0.85, fy=0.85, interpolation=cv2.INTER_AREA)


def _write(sheet: np.ndarray, text: str, x: int, y: int) -> None:
    """Draw a line of text with its top left corner at (x, y)."""
    at = (x + 3, y + _HEAD - 7)
    cv2.putText(sheet, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
