"""Degrade a clip as a repeatable test input.

``tools/degrade.py CLIP [OUT] --level mild|medium|heavy --seed 1`` blurs every frame, scales it down, adds
noise that changes from frame to frame, scales it back to the size of CLIP and encodes it with H.264; the
number of frames and their times stay, and so does the sound, byte for byte. The same CLIP, level and seed
give the same frames, and in .mp4 the same file to the bit (.mkv numbers each file anew). OUT is CLIP's name
with the level, ``_LEVEL.mp4``, in the current folder if not given.

In pixels of the frame, such that a face 256 pixels tall loses about what a face at that level of
``vidrestore.degradation.degrade.LEVELS`` does; smaller faces lose more:

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
    parser.add_argument("clip", type=Path, metavar="CLIP", help="a video")
    parser.add_argument("out", type=Path, nargs="?", metavar="OUT", help="default: CLIP's name and the level")
    parser.add_argument("--level", choices=FRAME_LEVELS, default="medium", help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=1, help="of the noise, 0 or more (default: %(default)s)")
    parser.add_argument("-y", action="store_true", help="replace an OUT that exists")
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
        f"blur {level.blur:g}, sides divided by {level.scale:g}, "
        f"noise {level.noise:g} of 255, H.264 at CRF {level.crf}"
    )


if __name__ == "__main__":
    sys.exit(main())
