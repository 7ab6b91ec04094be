"""Measure how a restoration keeps changing light: film flicker and flashes laid over clean clips.

    python tools/light.py CLEAN... [--levels mild medium heavy] [--lights NAME...] [-t TIME] [--seed N]
                          [--settings "NAME: OPTIONS"...] [--json OUT.json] [-- OPTIONS]

The light is laid over the clean clip, which is then degraded as ``tools/degrade.py`` does, restored with each
setting (by default without stabilisation and with all of it) and compared with the clean clip in the same
light. ``brightness`` is the largest difference of a face's brightness from its own frame's in the input, in
levels of 255; ``(mean)`` is the mean difference. ``warping`` is the difference between consecutive frames
after motion compensation, with the light undone, minus that of the clean face. There is a table for each
light, of the means over clips and levels; of ``brightness`` it shows the largest.

Needs: pip install "vidrestore[evaluate]"
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
from vidrestore.measure.clip_metrics import mean_rows
from vidrestore.measure.light import LIGHT_COLUMNS, LIGHTS, measure_light, write_lit
from vidrestore.measure.methods import INPUT
from vidrestore.measure.settings import check_settings, parse_setting
from vidrestore.measure.tables import table
from vidrestore.media.timeline import Span
from vidrestore.runtime.device import find_device

#: What is compared by default.
SETTINGS = ("per-frame: --steady none", "full:")

Rows = dict[str, dict[str, float]]


def measure(args: argparse.Namespace) -> dict[str, Rows]:
    """The rows of the table of each light. Raises VidrestoreError."""
    settings = [parse_setting(text) for text in args.settings]
    check_settings(settings)
    detector = load_detector(resolve_detector("auto").name, find_device(args.device))
    tables = {}
    for light in args.lights:
        rows: list[Rows] = []
        for clip in args.clips:
            for level in args.levels:
                with TemporaryDirectory() as folder:
                    clean, degraded = Path(folder) / "clean.mkv", Path(folder) / "degraded.mp4"
                    write_lit(clip, clean, LIGHTS[light], span=Span(end=args.duration))
                    degrade_clip(clean, degraded, FRAME_LEVELS[level], seed=args.seed)
                    clips = {INPUT: degraded}
                    for number, setting in enumerate(settings):
                        clips[setting.name] = Path(folder) / f"{number}.mkv"
                        out = str(clips[setting.name])
                        vidrestore([str(degraded), out, *args.options, *setting.args, "-c:v", "ffv1"])
                    rows.append(measure_light(clean, clips, LIGHTS[light], detector))
        tables[light] = mean_rows(rows)
        for name, row in tables[light].items():
            row["brightness"] = max(each[name]["brightness"] for each in rows)
        print(table(light, tables[light], LIGHT_COLUMNS), end="\n\n", flush=True)
    return tables


def main(argv: Sequence[str] | None = None) -> int:
    parser = clip_parser(__doc__)
    parser.add_argument("--lights", nargs="+", choices=LIGHTS, default=list(LIGHTS))
    parser.add_argument("--settings", nargs="+", default=SETTINGS, metavar="NAME: OPTIONS")
    return run("light", parser, measure, argv)


if __name__ == "__main__":
    sys.exit(main())
