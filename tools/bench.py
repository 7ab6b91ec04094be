"""Measure the package as a user meets it: whole runs of the command, from outside.

    python tools/bench.py memory [--clip CLIP] [--times N] [--json FILE] [options of vidrestore]

``memory`` restores a clip and the same clip ten times over, and compares the peaks of resident memory:
they must not depend on the length.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import ffmpeg
import imageio_ffmpeg

SAMPLE = Path(__file__).parents[1] / "samples" / "portrait.mp4"


def repeated(clip: Path, times: int, folder: Path) -> Path:
    """``clip`` played ``times`` over, without encoding it anew."""
    out = folder / f"{times}x{clip.suffix}"
    stream = ffmpeg.input(str(clip), stream_loop=times - 1).output(str(out), c="copy", map="0:v")
    stream.run(cmd=imageio_ffmpeg.get_ffmpeg_exe(), quiet=True, overwrite_output=True)
    return out


def restore(clip: Path, folder: Path, options: list[str]) -> dict[str, float]:
    """One run of the command: its seconds and its peak of resident memory in MB."""
    command = [sys.executable, "-m", "vidrestore", str(clip), str(folder / "out.mkv"), "-y", "-q", *options]
    started = time.monotonic()
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed")
    return {"seconds": time.monotonic() - started, "peak_mb": usage.ru_maxrss / 1024}


def memory(clip: Path, times: int, options: list[str]) -> list[dict[str, float]]:
    """Peaks for the clip and for it ``times`` over."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for length in (1, times):
            rows.append({"length": length} | restore(repeated(clip, length, folder), folder, options))
            print(f"{length:4d} x  {rows[-1]['seconds']:8.1f} s  {rows[-1]['peak_mb']:8.0f} MB", flush=True)
    print(f"peak, long to short: {rows[1]['peak_mb'] / rows[0]['peak_mb']:.3f}")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    peak = commands.add_parser("memory", help="peak memory against length")
    peak.add_argument("--clip", type=Path, default=SAMPLE)
    peak.add_argument("--times", type=int, default=10, help="how many times longer the long clip is")
    peak.add_argument("--json", type=Path, help="write the figures here")
    words, options = parser.parse_known_args()
    rows = memory(words.clip, words.times, options)
    if words.json:
        words.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
