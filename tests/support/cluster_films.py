"""A short film, and a run of it by itself, which a cluster is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support import reader
from tests.support.clips import write
from tests.support.runs import face_frame
from tests.support.tiny import save_weights
from vidrestore.options import Options
from vidrestore.pipeline import restore_video
from vidrestore.report import Report

LENGTH = 6  #: frames per segment


def make_film(folder: Path, frames: int = 22) -> dict[str, Any]:
    """A film of one face with audio in ``folder``, and a tiny network: the options of a run over it."""
    drawn = [face_frame(96, 72, "yuv420p", shift=2 * number % 64) for number in range(frames)]
    return {
        "input": write(folder / "in.mp4", drawn, audio=1),
        "weights": save_weights(folder / "tiny.safetensors"),
        "codec": "ffv1",
        "device": "cpu",
        "precision": "fp32",
        "min_face": 0,
        "max_sharpness": 0,
    }


def alone(given: Mapping[str, Any], out: Path, **more: Any) -> Report:
    """A run by itself."""
    return restore_video(Options(output=out, **given, **more), segment_length=LENGTH)


def content(out: Path) -> tuple[list[Any], list[Any]]:
    """Its frames with their times, and its audio packets."""
    return [(frame.time, frame.digest) for frame in reader.frames(out)], reader.packets(out, "0:a")
