"""The parser of ``vidrestore preview``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import fields
from fractions import Fraction
from pathlib import Path

from .cli_parser import Parser, add_config, add_loudness, add_option
from .option_types import seconds
from .options import Options
from .presets import read_preset

#: Options that ``preview`` does not have, or has in a form of its own. It has all others, since frames of a
#: run depend on them.
_NOT_HERE = {
    *("input", "output", "overwrite", "w"),
    *("start", "duration", "end"),  # --at says what is shown
    *("resume", "keep", "dry_run", "ray", "workers", "profile", "container", "strict"),  # how a run goes
    *("compare", "compare_layout", "report", "report_json"),  # other files that a run writes
    *("aligned", "only_center_face", "face"),  # for photos
}
#: The word for weights that are chosen by the quality of each track.
_AUTO = "auto"


def parse_preview(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the arguments of ``vidrestore preview``, with ``--config`` as the defaults.

    ``columns`` are the fidelity weights of a sheet: None if none are given, and empty if each face gets its
    own; ``w`` is that of the options. Raises UsageError.
    """
    parser = preview_parser()
    args, usual = parser.parse_args(argv), 0.5
    if args.config:
        preset = read_preset(args.config)
        usual = preset.get("w", usual)
        # Lists, since argparse appends to the defaults of repeatable options.
        shared = {k: list(v) if isinstance(v, tuple) else v for k, v in preset.items() if k not in _NOT_HERE}
        parser.set_defaults(**shared)
        args = parser.parse_args(argv)
    args.columns, args.w = args.w, args.w[0] if args.w else usual
    if args.columns == (_AUTO,):
        args.columns = ()
    return args


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
        help="fidelity weights (default: 0,0.25,0.5,0.75,1 for a sheet; for a video, which has one, that of "
        "--config, or 0.5); auto: by the quality of each face over about a second",
    )
    for option in fields(Options):
        if option.name not in _NOT_HERE:
            add_option(parser, option)
    add_config(parser)
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


def _weights(text: str) -> tuple[float | str, ...]:
    if text == _AUTO:
        return (text,)
    try:
        weights = tuple(map(float, text.split(",")))
    except ValueError:
        weights = ()
    if not (1 <= len(weights) <= 9 and all(0 <= w <= 1 for w in weights)):
        raise argparse.ArgumentTypeError(f"{text!r} is not 1 to 9 numbers between 0 and 1, such as 0,0.5,1")
    return weights
