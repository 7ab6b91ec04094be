"""Text and small pictures on sheets. Pictures are (H, W, 3) uint8 BGR."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..errors import UsageError
from ..media.output.destination import new_file

CELL = 256  #: side of a picture on a sheet, in pixels
LINE = 24  #: height of a line of text, in pixels
GAP, MARGIN = 6, 10
PAPER, INK, PALE = (250, 250, 250), (30, 30, 30), (90, 90, 90)
_FONT, _SCALE = cv2.FONT_HERSHEY_SIMPLEX, 0.55
PICTURES = (".png", ".jpg", ".jpeg")


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a sheet: a line of text, and pictures with a caption each."""

    title: str
    pictures: Sequence[np.ndarray]  #: of any size
    captions: Sequence[str]
    note: str = ""  #: a second line of text


def draw_sheet(title: str, rows: Sequence[Row]) -> np.ndarray:
    """Draw rows of pictures, each picture enlarged or reduced to fit a cell of ``CELL`` pixels."""
    columns = max((len(row.pictures) for row in rows), default=1)
    texts = [title, *(text for row in rows for text in (row.title, row.note))]
    width = max(columns * (CELL + GAP) - GAP, *(text_width(text, _SCALE) for text in texts)) + 2 * MARGIN
    heights = [LINE * (2 if row.note else 1) + CELL + LINE + 2 * GAP for row in rows]
    sheet = np.full((2 * MARGIN + LINE + GAP + sum(heights), width, 3), PAPER, np.uint8)
    write_text(sheet, title, (MARGIN, MARGIN), INK)
    top = MARGIN + LINE + GAP
    for row, height in zip(rows, heights, strict=True):
        write_text(sheet, row.title, (MARGIN, top), INK)
        below = top + LINE
        if row.note:
            write_text(sheet, row.note, (MARGIN, below), PALE)
            below += LINE
        for column, (picture, caption) in enumerate(zip(row.pictures, row.captions, strict=True)):
            left = MARGIN + column * (CELL + GAP)
            place(sheet, picture, left, below, CELL)
            write_text(sheet, caption, (left, below + CELL), PALE)
        top += height
    return sheet


def place(sheet: np.ndarray, picture: np.ndarray, left: int, top: int, side: int) -> None:
    """Draw ``picture`` into the middle of a square, enlarged or reduced to its ``side``."""
    height, width = picture.shape[:2]
    factor = side / max(height, width)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    smooth = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    small = cv2.resize(picture, size, interpolation=smooth)
    left, top = left + (side - size[0]) // 2, top + (side - size[1]) // 2
    sheet[top : top + size[1], left : left + size[0]] = small


def text_width(text: str, scale: float) -> int:
    """Pixels that ``text`` takes at ``scale``."""
    return cv2.getTextSize(plain(text), _FONT, scale, 1)[0][0]


def write_text(
    sheet: np.ndarray,
    text: str,
    at: tuple[int, int],
    colour: int | tuple[int, int, int],
    *,
    scale: float = _SCALE,
    height: int = LINE,
) -> None:
    """Draw a line of text, ``height`` pixels high, with its top left corner at ``at`` (x, y)."""
    thickness = max(1, round(1.6 * scale))
    tall = cv2.getTextSize("X", _FONT, scale, thickness)[0][1]
    foot = at[1] + (height + tall) // 2
    cv2.putText(sheet, plain(text), (at[0], foot), _FONT, scale, colour, thickness, cv2.LINE_AA)


def plain(text: str) -> str:
    """``text`` in ASCII, which is all that OpenCV draws: accents are left out, other letters become ``?``."""
    text = text.translate({0x141: "L", 0x142: "l", 0xD8: "O", 0xF8: "o", 0xDF: "ss", 0xB0: " deg"})
    letters = (c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return "".join(letters).encode("ascii", "replace").decode()


def check_picture(path: Path) -> None:
    """Raise UsageError if the extension of ``path`` is not that of a picture."""
    if path.suffix.lower() not in PICTURES:
        raise UsageError(f"{path.name!r} does not have the extension of a picture; use .png or .jpg")


def save_picture(path: Path, picture: np.ndarray) -> None:
    """Write a picture as PNG or JPEG, by its extension. It appears when it is complete. Raises
    OutputError."""
    data = cv2.imencode(path.suffix.lower(), picture)[1].tobytes()
    with new_file(path) as partial:
        partial.write_bytes(data)


def clock(seconds: float) -> str:
    """A time as ``0:01:23.48``."""
    minutes, rest = divmod(round(seconds * 100), 6000)
    return f"{minutes // 60}:{minutes % 60:02}:{rest / 100:05.2f}"
