"""Degrade a clip as a repeatable test input.

``tools/degrade.py CLIP [OUT] --level mild|medium|heavy --seed 1`` blurs and downscales every frame, adds
noise that differs from frame to frame, upscales the frame to its size, and encodes the clip with H.264. The
number of frames and their timestamps are kept, and audio is copied byte for byte. The same CLIP, level and
seed give the same frames and, as .mp4, the same file bit for bit (.mkv files get a new unique ID each time).
OUT is by default the name of CLIP with the level, ``_LEVEL.mp4``, in the current folder.

Levels, in pixels of the frame. A face 256 pixels tall is degraded about as much as a face at that level of
``vidrestore.degradation.degrade.LEVELS``; smaller faces are degraded more:

{levels}
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from vidrestore.degradation.clip import FRAME_LEVELS, FrameLevel, degrade_clip
from vidrestore.errors import UsageError, VidrestoreError


def main(argv: list[str] | None = None) -> int:
    levels = "\n".join(f"  {name}: {_describe(level)}" for name, level in FRAME_LEVELS.items())
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").format(levels=levels),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("clip", type=Path, metavar="CLIP", help="video file")
    parser.add_argument(
        "out", type=Path, nargs="?", metavar="OUT", help="default: name of CLIP with the level"
    )
    parser.add_argument("--level", choices=FRAME_LEVELS, default="medium", help="default: %(default)s")
    parser.add_argument(
        "--seed", type=int, default=1, help="seed of the noise, 0 or more (default: %(default)s)"
    )
    parser.add_argument("-y", action="store_true", help="overwrite OUT if it exists")
    args = parser.parse_args(argv)
    logging.basicConfig(format="%(levelname)s: %(message)s")
    out = args.out or Path(f"{args.clip.stem}_{args.level}.mp4")
    try:
        if args.seed < 0:
            raise UsageError(f"--seed {args.seed} is negative; give 0 or more")
        frames = degrade_clip(args.clip, out, FRAME_LEVELS[args.level], seed=args.seed, overwrite=args.y)
    except VidrestoreError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(f"{out}: {frames} frames, {args.level}, seed {args.seed}")
    return 0


def _describe(level: FrameLevel) -> str:
    return (
        f"blur {level.blur:g}, downscaling by {level.scale:g}, "
        f"noise {level.noise:g} of 255, H.264 at CRF {level.crf}"
    )


if __name__ == "__main__":
    sys.exit(main())
