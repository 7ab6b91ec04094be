"""The parser of ``vidrestore preview``."""

from __future__ import annotations

import argparse
from dataclasses import fields
from fractions import Fraction
from pathlib import Path

from .cli_parser import Parser, add_loudness, add_option
from .option_types import seconds
from .options import Options

#: Options of Options that ``preview`` has too: what a run's frames depend on, and its encoder.
_PREVIEW = (
    *(
        "tracks",
        "track_w",
        "person_w",
        "model",
        "weights",
        "commercial",
        "steady",
        "strength",
        "min_face",
        "max_sharpness",
        "max_yaw",
    ),
    *("detector", "offline", "rate", "deinterlace", "video_stream", "device", "precision", "batch"),
    *("codec", "crf"),
)


def preview_parser() -> argparse.ArgumentParser:
    """The parser of ``vidrestore preview``."""
    parser = Parser(
        prog="vidrestore preview",
        description="Show what a run would make of some moments of a video: with a name that ends in .png or "
        ".jpg as a sheet of their faces at several fidelity weights, else as a video of the moments with "
        "input and result side by side. Frames are those of the run.",
        allow_abbrev=False,
    )
    described = {option.name: option for option in fields(Options)}
    add_option(parser, described["input"], required=True)
    parser.add_argument(
        "-o", "--output", metavar="FILE", type=Path, required=True, help="the picture or video to write"
    )
    parser.add_argument(
        "--at",
        metavar="TIME",
        type=_seconds,
        action="append",
        default=[],
        help="a moment to show (seconds, or H:MM:SS.s); repeatable (default: the riskiest ones)",
    )
    parser.add_argument(
        "--worst", metavar="N", type=_count, default=5, help="how many of the riskiest moments (default: 5)"
    )
    parser.add_argument(
        "--w",
        metavar="W,W...",
        type=_weights,
        help="fidelity weights (default: 0,0.25,0.5,0.75,1 for a sheet, 0.5 for a video, which has one)",
    )
    for name in _PREVIEW:
        add_option(parser, described[name])
    parser.add_argument("-y", dest="overwrite", action="store_true", help="replace FILE if it exists")
    add_loudness(parser)
    return parser


def _seconds(text: str) -> Fraction:
    try:
        return seconds(text)
    except (ValueError, ZeroDivisionError):
        raise argparse.ArgumentTypeError(f"{text!r} is not a time; give seconds, or H:MM:SS.s") from None


def _count(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= 100):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 100")
    return int(text)


def _weights(text: str) -> tuple[float, ...]:
    try:
        weights = tuple(map(float, text.split(",")))
    except ValueError:
        weights = ()
    if not (1 <= len(weights) <= 9 and all(0 <= w <= 1 for w in weights)):
        raise argparse.ArgumentTypeError(f"{text!r} is not 1 to 9 numbers between 0 and 1, such as 0,0.5,1")
    return weights
