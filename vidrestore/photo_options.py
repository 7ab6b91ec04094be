"""The options of photos, and of enlarging."""

from __future__ import annotations

from dataclasses import dataclass

from .option_types import option


@dataclass(frozen=True, kw_only=True)
class Photos:
    """What is enlarged, and which faces of a photo are restored."""

    upscale: int = option(
        1,
        "--upscale",
        group="size",
        type=int,
        metavar="N",
        low=1,
        high=4,
        basic=True,
        help="enlarge the picture 1 to 4 times; samples outside faces are then no longer the input's",
    )
    aligned: bool = option(
        False,
        "--aligned",
        group="photos",
        type=bool,
        help="the photo is a face cut out and aligned as in FFHQ: square, eyes level; it is not searched for "
        "faces",
    )
    only_center_face: bool = option(
        False,
        "--only-center-face",
        group="photos",
        type=bool,
        help="restore only the face nearest to the middle of the photo",
    )
    face: tuple[int, ...] = option(
        (),
        "--face",
        group="photos",
        type=int,
        metavar="N",
        low=1,
        help="restore only the Nth face of the photo from the left, as `--dry-run` counts them; repeatable",
    )
