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
    background: str = option(
        "lanczos",
        "--background",
        group="size",
        metavar="NAME|FILE",
        help="what enlarges the picture: lanczos, a resampler; a network that `vidrestore weights` lists, "
        "such as realesr-general-x4v3; or a file of weights that spandrel knows",
    )
    denoise: float | None = option(
        None,
        "--denoise",
        group="size",
        type=float,
        metavar="D",
        low=0,
        high=1,
        help="how strongly --background realesr-general-x4v3 removes noise (default: 1)",
    )
    face_upsample: bool = option(
        False,
        "--face-upsample",
        group="size",
        type=bool,
        help="enlarge restored faces with --background, too, where they are larger than the model made them",
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
