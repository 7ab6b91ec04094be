"""Measure how faces are restored in clips that are turned by an angle.

    python tools/turned.py CLEAN... [--angles DEGREES...] [--levels mild medium heavy] [-t TIME] [--seed N]
                           [--json OUT.json] [-- OPTIONS]

A clean clip is degraded as ``tools/degrade.py`` does. Both are turned clockwise, on a grey square that holds
them at every angle, and the degraded one is restored with OPTIONS. The faces that the upright clean clip has
are compared: ``frames`` is the number of frames with a face, ``restored`` that of frames whose faces were all
changed, ``input`` and ``PSNR`` are in dB against the turned clean clip, and ``difference`` is the PSNR less
that of the upright clip. There is a table for each clip and level.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from vidrestore.cli import run as vidrestore
from vidrestore.degradation.clip import FRAME_LEVELS, degrade_clip
from vidrestore.faces.detection.load import load_detector, resolve_detector
from vidrestore.measure.clip_command import clip_parser, run
from vidrestore.measure.tables import table
from vidrestore.measure.turned import (
    TURNED_COLUMNS,
    measure_turned,
    turn_matrix,
    upright_faces,
    write_turned,
)
from vidrestore.media.probe import probe
from vidrestore.media.timeline import Span
from vidrestore.runtime.device import find_device

Rows = dict[str, dict[str, float]]


def measure(args: argparse.Namespace) -> dict[str, Rows]:
    """The rows of each table, by its title. Raises VidrestoreError."""
    detector = load_detector(resolve_detector("auto").name, find_device(args.device))
    angles = [0, *(angle for angle in args.angles if angle)]
    tables = {}
    for clip in args.clips:
        for level in args.levels:
            rows: Rows = {}
            with TemporaryDirectory() as name:
                folder = Path(name)
                # A clip of its own, so that nothing outside the part is read; turned by 0 degrees.
                plain, worn = folder / "plain.mkv", folder / "worn.mp4"
                write_turned(clip, plain, 0, span=Span(end=args.duration))
                degrade_clip(plain, worn, FRAME_LEVELS[level], seed=args.seed)
                info = probe(plain)
                faces = upright_faces(plain, detector)
                for angle in angles:
                    clean, degraded, out = (folder / f"{x}.mkv" for x in ("clean", "degraded", "restored"))
                    write_turned(plain, clean, angle)
                    write_turned(worn, degraded, angle)
                    vidrestore([str(degraded), str(out), "-y", *args.options, "-c:v", "ffv1"])
                    matrix, _ = turn_matrix((info.width, info.height), angle)
                    row = measure_turned(clean, degraded, out, faces, matrix)
                    upright = next(iter(rows.values()), row)
                    rows[f"{angle:g} degrees"] = row | {"difference": row["psnr"] - upright["psnr"]}
            title = f"{clip.stem}, {level}"
            tables[title] = rows
            print(table(title, rows, TURNED_COLUMNS), end="\n\n", flush=True)
    return tables


def main(argv: Sequence[str] | None = None) -> int:
    parser = clip_parser(__doc__)
    parser.add_argument("--angles", type=float, nargs="+", metavar="DEGREES", default=list(range(0, 360, 30)))
    return run("turned", parser, measure, argv)


if __name__ == "__main__":
    sys.exit(main())
