"""A file's audio, as an ffmpeg binary decodes it."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np

from tests.support import reader


def decode_audio(path: Path) -> tuple[Fraction, np.ndarray]:
    """How many seconds after the video the audio begins, and one second of its left channel, float64."""
    command = [reader.binary(), "-v", "error", "-i", str(path), "-map", "0:a", "-ac", "2", "-f", "f64le", "-"]
    samples = np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout)
    begin = reader.frames(path, "0:a")[0].time - reader.frames(path)[0].time
    return begin, samples[::2][:48000]
